"""Clients: found, read, registered and changed; each reading is on record, as on the pages of staff."""

from datetime import datetime
from typing import Any, ClassVar, Final
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from api import examples
from api.describing import Operation
from api.filters import ClientFilter
from api.serializers.clients import (
    ClientAnswer,
    ClientChangeInput,
    ClientInput,
    ClientPage,
    FindInput,
    FoundAnswer,
    split,
)
from api.views.base import ClinicApiView, DeedView, ListView, ReadView
from audit.services import record
from clients.models import Client
from clients.services import change_wishes, register_client, update_client
from clinics.models import Clinic, Scope
from courses.selectors import search_clients

MOST_FOUND: Final = 50
_SOURCE: Final = "api"


def clients_of(clinic: Clinic) -> QuerySet[Client]:
    """Return the clients of a clinic with their contacts and consents."""
    rows = Client.objects.for_clinic(clinic).filter(erased_at=None)
    return rows.select_related("prefers_practitioner", "clinic").prefetch_related(
        "contact_points", "consents"
    )


class ClientsView(ListView, DeedView):
    operations: ClassVar = {
        "GET": Operation(
            "clients_list",
            "Clients",
            "List clients",
            ClientPage,
            examples.page(examples.CLIENT),
            scope=Scope.READ,
            text="In the order in which they were registered. Each page read is on record.",
            is_list=True,
            filters=ClientFilter,
        ),
        "POST": Operation(
            "clients_register",
            "Clients",
            "Register a client",
            ClientAnswer,
            examples.CLIENT,
            scope=Scope.WRITE,
            status=201,
            body=ClientInput,
            body_example=examples.NEW_CLIENT,
            is_deed=True,
            is_new=True,
        ),
    }
    read_shape = ClientAnswer

    def rows(self) -> QuerySet[Any]:
        return clients_of(self.clinic)

    def note_reading(self, rows: list[Any]) -> None:
        record(
            "clients.listed",
            at=timezone.now(),
            by=self.by,
            clinic_code=self.clinic.code,
            subject_kind="clinic",
            subject_code=self.clinic.code,
            new={"count": len(rows)},
        )

    def post(self, request: Request) -> Response:  # type: ignore[override]  # it makes the row that others name
        return self.answer_once(None)

    def act(self, row: None, *, now: datetime, **values: Any) -> Any:
        fields, contacts, _wishes = split(values)
        made = register_client(
            clinic=self.clinic, contacts=contacts, by=self.by, now=now, source=_SOURCE, **fields
        )
        return self.rows().get(pk=made.pk)

    def address_of(self, made: Any) -> str:
        return reverse("api:client", args=[made.code])


class FindClientsView(ClinicApiView):
    operations: ClassVar = {
        "POST": Operation(
            "clients_find",
            "Clients",
            "Find clients",
            FoundAnswer,
            {"results": [examples.CLIENT], "is_complete": True},
            scope=Scope.READ,
            text="By any part of name, e-mail or telephone. What is looked for is sent in the body: names do not "
            f"belong in addresses. At most {MOST_FOUND} are answered, by name.",
            body=FindInput,
            body_example={"text": "berzina"},
        )
    }

    def post(self, request: Request) -> Response:
        self.refuse_unknown_parameters()
        text = self.typed()["text"]
        rows = search_clients(self.clinic, text).select_related("prefers_practitioner")
        found = list(rows.prefetch_related("consents")[: MOST_FOUND + 1])
        shown = found[:MOST_FOUND]
        record(
            "clients.listed",
            at=timezone.now(),
            by=self.by,
            clinic_code=self.clinic.code,
            subject_kind="clinic",
            subject_code=self.clinic.code,
            new={"count": len(shown)},
        )
        return Response(self.show({"results": shown, "is_complete": len(found) == len(shown)}))


class ClientView(ReadView, DeedView):
    operations: ClassVar = {
        "GET": Operation(
            "clients_read",
            "Clients",
            "Read a client",
            ClientAnswer,
            examples.CLIENT,
            scope=Scope.READ,
            text="Each reading is on record.",
            refusals=(404,),
        ),
        "PATCH": Operation(
            "clients_change",
            "Clients",
            "Change a client",
            ClientAnswer,
            examples.CLIENT,
            scope=Scope.WRITE,
            text="Only what is named changes: contacts, consents, preferences, quiet hours. Erasing takes a person.",
            body=ClientChangeInput,
            body_example={"contacts": {"sms": {"address": "+37120000000", "allowed": True}}},
            refusals=(404,),
            is_deed=True,
        ),
    }
    read_shape = ClientAnswer
    # Making it again is not what POST would do here.
    http_method_names = ["get", "head", "options", "patch"]  # as the framework declares it

    def found(self, code: UUID) -> Any:
        return self.find(clients_of(self.clinic), code)

    def lock(self, code: UUID) -> Client:
        return Client.objects.for_clinic(self.clinic).select_for_update(of=("self",)).get(code=code)

    def note_reading(self, row: Any) -> None:
        record(
            "client.read",
            at=timezone.now(),
            by=self.by,
            clinic_code=self.clinic.code,
            subject_kind="client",
            subject_code=row.code,
        )

    def patch(self, request: Request, code: UUID) -> Response:
        return self.answer_once(code)

    def act(self, row: Any, *, now: datetime, **values: Any) -> Any:
        fields, contacts, wishes = split(values, row)
        if fields or contacts.asked:
            update_client(client=row, contacts=contacts, by=self.by, now=now, source=_SOURCE, **fields)
        if wishes:
            change_wishes(client=self.lock(row.code), values=wishes, by=self.by, now=now)
        return self.found(row.code)
