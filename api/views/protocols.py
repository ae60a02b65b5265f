"""Protocols: what courses are prescribed from. Changing them takes a person."""

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet

from api import examples
from api.describing import Operation
from api.filters import ProtocolFilter
from api.serializers.prescriptions import ProtocolDetailAnswer, ProtocolPage
from api.views.base import ListView, ReadView
from clinics.models import Scope
from courses.models import Protocol


class ProtocolsView(ListView):
    operations: ClassVar = {
        "GET": Operation(
            "protocols_list",
            "Protocols",
            "List protocols",
            ProtocolPage,
            examples.page(examples.PROTOCOL),
            scope=Scope.READ,
            text="All versions: a course keeps the one it was prescribed from.",
            is_list=True,
            filters=ProtocolFilter,
        )
    }

    def rows(self) -> QuerySet[Any]:
        return Protocol.objects.for_clinic(self.clinic).prefetch_related("phases")


class ProtocolView(ReadView):
    operations: ClassVar = {
        "GET": Operation(
            "protocols_read",
            "Protocols",
            "Read a protocol",
            ProtocolDetailAnswer,
            examples.PROTOCOL_DETAIL,
            scope=Scope.READ,
            refusals=(404,),
        )
    }

    def found(self, code: UUID) -> Any:
        rows = Protocol.objects.for_clinic(self.clinic).prefetch_related("phases", "contraindications")
        return self.find(rows, code)
