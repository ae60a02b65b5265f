"""Sessions: a clinic's days, and what is done with one visit."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Model, QuerySet
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from api import examples
from api.describing import Operation
from api.filters import SessionFilter
from api.serializers.courses import SlotsAnswer
from api.serializers.sessions import (
    AttendInput,
    CancelInput,
    CorrectInput,
    MoveInput,
    NothingInput,
    SessionAnswer,
    SessionPage,
)
from api.views.base import DeedView, FindingView, ListView, ReadView
from clinics.models import Clinic, Scope
from courses import services
from courses.models import Course, TreatmentSession


def sessions_of(clinic: Clinic) -> QuerySet[TreatmentSession]:
    """Return the sessions of a clinic with whom and what they are about."""
    rows = TreatmentSession.objects.for_clinic(clinic)
    return rows.select_related("clinic", "client", "course__clinic", "course__client", "practitioner", "room")


class SessionsView(ListView):
    operations: ClassVar = {
        "GET": Operation(
            "sessions_list",
            "Sessions",
            "List sessions",
            SessionPage,
            examples.page(examples.SESSION),
            scope=Scope.READ,
            text="In the order of their days.",
            is_list=True,
            filters=SessionFilter,
        )
    }
    order = ("on", "pk")

    def rows(self) -> QuerySet[Any]:
        return sessions_of(self.clinic)


class SessionRow(FindingView):
    """An address below a session."""

    def found(self, code: UUID) -> Any:
        return self.find(sessions_of(self.clinic), code)


class SessionView(SessionRow, ReadView):
    operations: ClassVar = {
        "GET": Operation(
            "sessions_read",
            "Sessions",
            "Read a session",
            SessionAnswer,
            examples.SESSION,
            scope=Scope.READ,
            refusals=(404,),
        )
    }


class MoveSlotsView(SessionRow):
    operations: ClassVar = {
        "GET": Operation(
            "sessions_slots",
            "Sessions",
            "Offer slots to move a session to",
            SlotsAnswer,
            examples.SLOTS,
            scope=Scope.READ,
            text="Each says what it would do to the course.",
            refusals=(404, 409),
        )
    }

    def get(self, request: Request, code: UUID) -> Response:
        self.refuse_unknown_parameters()
        return Response(self.show(services.offer_moves(session=self.found(code), now=timezone.now())))


class SessionDeed(SessionRow, DeedView):
    """A verb of a session."""

    read_shape = SessionAnswer

    def lock(self, code: UUID) -> Model:
        # The course first, as every verb does.
        session = self.found(code)
        Course.objects.select_for_update(of=("self",)).get(pk=session.course_id)
        return TreatmentSession.objects.select_for_update(of=("self",)).get(pk=session.pk)

    def act(self, row: Any, *, now: datetime, **values: Any) -> Any:
        self.do(row, now=now, **values)
        return self.found(row.code)

    def do(self, row: TreatmentSession, *, now: datetime, **values: Any) -> None:
        raise NotImplementedError


def _deed(
    name: str, summary: str, body: type[Any], example: Any = None, *, text: str = "", shown: Any = None
) -> dict[str, Operation]:
    return {
        "POST": Operation(
            f"sessions_{name}",
            "Sessions",
            summary,
            SessionAnswer,
            shown or examples.SESSION,
            scope=Scope.WRITE,
            text=text,
            body=body,
            body_example=example,
            refusals=(404,),
            is_deed=True,
        )
    }


class ConfirmView(SessionDeed):
    operations: ClassVar = _deed("confirm", "The client confirmed", NothingInput, {})

    def do(self, row: TreatmentSession, *, now: datetime, **values: Any) -> None:
        services.confirm_session(session=row, by=self.by, now=now)


class ArriveView(SessionDeed):
    operations: ClassVar = _deed("arrive", "The client is here", NothingInput, {}, text="On the day itself.")

    def do(self, row: TreatmentSession, *, now: datetime, **values: Any) -> None:
        services.record_arrival(session=row, by=self.by, now=now)


class AttendView(SessionDeed):
    operations: ClassVar = _deed(
        "attend",
        "The session took place",
        AttendInput,
        {"minutes": 45, "reaction": "none", "pain_before": 4, "pain_after": 2},
        text="Today or before.",
        shown=examples.ATTENDED,
    )

    def do(self, row: TreatmentSession, *, now: datetime, **values: Any) -> None:
        services.record_attendance(session=row, by=self.by, now=now, **values)


class MissView(SessionDeed):
    operations: ClassVar = _deed("miss", "The client did not come", NothingInput, {}, text="Today or before.")

    def do(self, row: TreatmentSession, *, now: datetime, **values: Any) -> None:
        services.record_no_show(session=row, by=self.by, now=now)


class CancelView(SessionDeed):
    operations: ClassVar = _deed(
        "cancel",
        "Cancel a booking",
        CancelInput,
        {"whose": "client", "reason": "Has a fever."},
        text="Inside the clinic's notice time a client's counts as late. Moving in time is no cancellation.",
    )

    def do(self, row: TreatmentSession, *, now: datetime, **values: Any) -> None:
        services.cancel_session(session=row, by=self.by, now=now, **values)


class MoveView(SessionDeed):
    operations: ClassVar = _deed(
        "move",
        "Move a booking",
        MoveInput,
        {"starts_at": "2026-03-11T09:00:00+02:00"},
        text="It asks to be confirmed again.",
    )

    def do(self, row: TreatmentSession, *, now: datetime, **values: Any) -> None:
        wanted = {"practitioner": row.practitioner, "room": row.room, **values}
        services.move_session(session=row, by=self.by, now=now, **wanted)


class CorrectView(SessionDeed):
    operations: ClassVar = _deed(
        "correct",
        "Mend a wrong outcome",
        CorrectInput,
        {"status": "no_show", "reason": "Recorded for another client."},
        text="Back to `booked` takes the outcome away. The course is assessed again at once.",
    )

    def do(self, row: TreatmentSession, *, now: datetime, **values: Any) -> None:
        services.correct_session(session=row, by=self.by, now=now, **values)
