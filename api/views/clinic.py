"""Whose token it is, and whom and what its bookings can name."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from api import examples
from api.describing import Operation
from api.filters import practitioners
from api.serializers.clinic import ClinicAnswer, PractitionerPage, RoomPage
from api.serializers.courses import rooms
from api.views.base import ClinicApiView, ListView
from clinics.models import Scope


class ClinicView(ClinicApiView):
    operations: ClassVar = {
        "GET": Operation(
            "clinic",
            "Clinic",
            "Whose token this is",
            ClinicAnswer,
            examples.CLINIC,
            scope=Scope.READ,
            text="Says which clinic the token opens, and what it may do until when.",
        )
    }

    def get(self, request: Request) -> Response:
        self.refuse_unknown_parameters()
        return Response(self.show({"clinic": self.clinic, "token": self.token}))


class PractitionersView(ListView):
    operations: ClassVar = {
        "GET": Operation(
            "practitioners_list",
            "Clinic",
            "Who treats",
            PractitionerPage,
            examples.page(examples.PRACTITIONER),
            scope=Scope.READ,
            text="The practitioners with whom sessions can be booked.",
            is_list=True,
        )
    }

    def rows(self) -> QuerySet[Any]:
        return practitioners(self.clinic)


class RoomsView(ListView):
    operations: ClassVar = {
        "GET": Operation(
            "rooms_list",
            "Clinic",
            "The rooms in use",
            RoomPage,
            examples.page(examples.ROOM),
            scope=Scope.READ,
            is_list=True,
        )
    }

    def rows(self) -> QuerySet[Any]:
        found: QuerySet[Any] = rooms(self.clinic)
        return found
