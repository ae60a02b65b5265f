"""Reminders with their decisions: why two, why none. What they say stays with the client."""

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet

from api import examples
from api.describing import Operation
from api.filters import ReminderFilter
from api.serializers.reminders import ReminderDetailAnswer, ReminderPage
from api.views.base import ListView, ReadView
from clinics.models import Clinic, Scope
from reminders.models import Reminder


def reminders_of(clinic: Clinic) -> QuerySet[Reminder]:
    return Reminder.objects.for_clinic(clinic).select_related("client", "course", "session")


class RemindersView(ListView):
    operations: ClassVar = {
        "GET": Operation(
            "reminders_list",
            "Reminders",
            "List reminders",
            ReminderPage,
            examples.page(examples.REMINDER),
            scope=Scope.READ,
            text="In the order in which they were wanted, each with what was decided about it. Digests for staff "
            "have no client.",
            is_list=True,
            filters=ReminderFilter,
        )
    }

    def rows(self) -> QuerySet[Any]:
        return reminders_of(self.clinic)


class ReminderView(ReadView):
    operations: ClassVar = {
        "GET": Operation(
            "reminders_read",
            "Reminders",
            "Read a reminder",
            ReminderDetailAnswer,
            examples.REMINDER_DETAIL,
            scope=Scope.READ,
            refusals=(404,),
        )
    }

    def found(self, code: UUID) -> Any:
        return self.find(reminders_of(self.clinic).prefetch_related("attempts"), code)
