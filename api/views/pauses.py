"""Pauses: dated, reasoned stops; made and ended by the verbs of a course, taken back here."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Model, QuerySet

from api import examples
from api.describing import Operation
from api.filters import PauseFilter
from api.serializers.courses import CourseDetailAnswer, PauseAnswer, PausePage
from api.serializers.sessions import NothingInput
from api.views.base import DeedView, FindingView, ListView, ReadView
from api.views.courses import courses_of, stand
from clinics.models import Clinic, Scope
from courses import services
from courses.models import Course, Pause


def pauses_of(clinic: Clinic) -> QuerySet[Pause]:
    return Pause.objects.for_clinic(clinic).select_related("clinic", "course__clinic", "course__client")


class PausesView(ListView):
    operations: ClassVar = {
        "GET": Operation(
            "pauses_list",
            "Pauses",
            "List pauses",
            PausePage,
            examples.page(examples.PAUSE),
            scope=Scope.READ,
            is_list=True,
            filters=PauseFilter,
        )
    }

    def rows(self) -> QuerySet[Any]:
        return pauses_of(self.clinic)


class PauseRow(FindingView):
    def found(self, code: UUID) -> Any:
        return self.find(pauses_of(self.clinic), code)


class PauseView(PauseRow, ReadView):
    operations: ClassVar = {
        "GET": Operation(
            "pauses_read",
            "Pauses",
            "Read a pause",
            PauseAnswer,
            examples.PAUSE,
            scope=Scope.READ,
            refusals=(404,),
        )
    }


class RemovePauseView(PauseRow, DeedView):
    operations: ClassVar = {
        "POST": Operation(
            "pauses_remove",
            "Pauses",
            "Take back a pause",
            CourseDetailAnswer,
            examples.COURSE_DETAIL,
            scope=Scope.WRITE,
            text="One that was entered by mistake; one that ends earlier is ended by `courses_resume`. The answer is "
            "the course.",
            body=NothingInput,
            body_example={},
            refusals=(404,),
            is_deed=True,
        )
    }
    read_shape = PauseAnswer

    def lock(self, code: UUID) -> Model:
        pause = self.found(code)
        return Course.objects.select_for_update(of=("self",)).get(pk=pause.course_id)

    def act(self, row: Any, *, now: datetime, **values: Any) -> Any:
        services.remove_pause(pause=row, by=self.by, now=now)
        course = courses_of(self.clinic).prefetch_related("pauses").get(pk=row.course_id)
        return stand(course, now=now)
