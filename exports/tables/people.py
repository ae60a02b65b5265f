"""Clients, with where they can be reached and what they allow."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from clients.models import Channel, Client, Consent, ContactPoint
from clinics.models import Clinic
from courses.selectors import search_clients
from exports.columns import Column, Kind, Privacy, Table, code_column, personal
from exports.core.choice import Choice
from exports.core.pseudonyms import age_band
from exports.tables.narrowing import within
from reports.cells import Cell


def _find(clinic: Clinic, choice: Choice, today: date) -> QuerySet[Any]:
    return within(search_clients(clinic, choice.search), "created_at", choice, clinic)


def _lookup(ids: Sequence[int], clinic: Clinic, today: date) -> Mapping[int, Mapping[str, Cell]]:
    """Return addresses, permissions and age; three queries, however many clients."""
    addresses: defaultdict[tuple[int, str], list[str]] = defaultdict(list)
    for client, channel, value in (
        ContactPoint.objects.filter(client__in=ids, disabled_at=None)
        .order_by("position", "pk")
        .values_list("client", "channel", "value")
    ):
        addresses[client, channel].append(value)
    allowed: defaultdict[int, list[str]] = defaultdict(list)
    for client, channel in (
        Consent.objects.filter(client__in=ids, withdrawn_at=None)
        .order_by("channel")
        .values_list("client", "channel")
    ):
        allowed[client].append(channel)
    born = dict(Client.objects.filter(pk__in=ids).order_by().values_list("pk", "birth_on"))
    return {
        client: {
            "email": " ".join(addresses[client, Channel.EMAIL]),
            "phone": " ".join(addresses[client, Channel.SMS]),
            "allows": " ".join(allowed[client]),
            "age_band": age_band(birth_on, today=today) if birth_on else None,
        }
        for client, birth_on in born.items()
    }


CLIENTS: Final = Table(
    name="clients",
    title=_("Clients"),
    about=_("Names, contacts, permissions and wishes; one client a row."),
    icon="users",
    find=_find,
    lookup=_lookup,
    filters=("period", "q"),
    period=pgettext_lazy("period", "Registered"),
    columns=(
        code_column("client", _("Client"), "code", "client"),
        personal("given_name", _("Given name"), "given_name"),
        personal("family_name", _("Family name"), "family_name"),
        personal("birth_on", _("Born on"), "birth_on", Kind.DAY),
        Column("age_band", _("Age"), privacy=Privacy.ADDED),
        Column("language", _("Language"), source="language"),
        personal("email", _("E-mail")),
        personal("phone", _("Telephone")),
        Column("allows", _("Allows messages by")),
        code_column("wished_practitioner", _("Wished practitioner"), "prefers_practitioner__code", "staff"),
        Column("running", _("Running courses"), Kind.NUMBER, "running_count"),
        personal("health_notes", _("Health notes"), "health_notes"),
        Column("registered_at", _("Registered"), Kind.MOMENT, "created_at"),
    ),
)
