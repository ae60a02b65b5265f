"""Flags: the worklist, and what is done about a drift."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Model, QuerySet

from api import examples
from api.describing import Operation
from api.filters import FlagFilter
from api.serializers.flags import AcknowledgeInput, CallInput, FlagDetailAnswer, FlagPage, SnoozeInput
from api.views.base import DeedView, FindingView, ListView, ReadView
from clinics.models import Clinic, Scope
from courses import services
from courses.models import Flag


def flags_of(clinic: Clinic) -> QuerySet[Flag]:
    return Flag.objects.for_clinic(clinic).select_related("clinic", "course__client")


class FlagsView(ListView):
    operations: ClassVar = {
        "GET": Operation(
            "flags_list",
            "Flags",
            "List flags",
            FlagPage,
            examples.page(examples.FLAG),
            scope=Scope.READ,
            text="In the order in which they were opened, resolved ones too.",
            is_list=True,
            filters=FlagFilter,
        )
    }

    def rows(self) -> QuerySet[Any]:
        return flags_of(self.clinic)


class FlagRow(FindingView):
    def found(self, code: UUID) -> Any:
        return self.find(flags_of(self.clinic).prefetch_related("calls"), code)


class FlagView(FlagRow, ReadView):
    operations: ClassVar = {
        "GET": Operation(
            "flags_read",
            "Flags",
            "Read a flag",
            FlagDetailAnswer,
            examples.FLAG_DETAIL,
            scope=Scope.READ,
            refusals=(404,),
        )
    }


class FlagDeed(FlagRow, DeedView):
    """What is done about a flag."""

    read_shape = FlagDetailAnswer

    def lock(self, code: UUID) -> Model:
        return Flag.objects.for_clinic(self.clinic).select_for_update(of=("self",)).get(code=code)

    def act(self, row: Any, *, now: datetime, **values: Any) -> Any:
        self.do(row, now=now, **values)
        return self.found(row.code)

    def do(self, row: Flag, *, now: datetime, **values: Any) -> None:
        raise NotImplementedError


def _deed(name: str, summary: str, body: type[Any], example: Any) -> dict[str, Operation]:
    return {
        "POST": Operation(
            f"flags_{name}",
            "Flags",
            summary,
            FlagDetailAnswer,
            examples.FLAG_DETAIL,
            scope=Scope.WRITE,
            body=body,
            body_example=example,
            refusals=(404,),
            is_deed=True,
        )
    }


class AcknowledgeView(FlagDeed):
    operations: ClassVar = _deed(
        "acknowledge", "Somebody takes care of it", AcknowledgeInput, {"note": "Calls back."}
    )

    def do(self, row: Flag, *, now: datetime, **values: Any) -> None:
        services.acknowledge_flag(flag=row, by=self.by, now=now, **values)


class SnoozeView(FlagDeed):
    operations: ClassVar = _deed("snooze", "Put it off", SnoozeInput, {"until_on": "2026-03-12"})

    def do(self, row: Flag, *, now: datetime, **values: Any) -> None:
        services.snooze_flag(flag=row, by=self.by, now=now, **values)


class CallView(FlagDeed):
    operations: ClassVar = _deed(
        "call", "How a call ended", CallInput, {"outcome": "call_later", "next_on": "2026-03-10"}
    )

    def do(self, row: Flag, *, now: datetime, **values: Any) -> None:
        services.record_call(flag=row, by=self.by, now=now, **values)
