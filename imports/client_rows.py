"""A row about a client: new, the same, changed or refused; and what applying it does."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from audit.services import Actor
from clients.models import Client
from clients.services import Contacts, register_client, update_client
from clinics.models import Clinic
from imports.core import read_channels, read_date, read_language, split_name
from imports.models import RowOutcome
from imports.reading import (
    Cells,
    Verdict,
    find_clients,
    fingerprint,
    known_values,
    one_client,
    read_addresses,
)

_SOURCE = "import"
_CHANNEL_FIELDS = {"email": "email", "sms": "phone", "telegram": "telegram", "whatsapp": "whatsapp"}


@dataclass(frozen=True, slots=True)
class ClientPlan:
    """What would be done with a row."""

    verdict: Verdict
    client: Client | None
    fields: dict[str, Any]
    contacts: Contacts


def plan_client(cells: Cells, *, clinic: Clinic) -> ClientPlan:
    """Return what a row asks for; its problems are put down in the cells.

    An empty cell leaves what is known as it is. Cost: up to four queries.
    """
    fields = _fields(cells)
    addresses = read_addresses(cells, clinic)
    name = f"{fields.get('given_name', '')} {fields.get('family_name', '')}".strip()
    if not name:
        cells.refuse("given_name" if "given_name" in cells.values else "", _("Give the client's name."))
    client = one_client(cells, find_clients(addresses, clinic), name=name)
    if client is None and not addresses and not cells.problems:
        client = _namesake(fields, clinic)
    if client is not None and "given_name" in fields and not _is_same_person(client, fields["given_name"]):
        cells.refuse(
            "phone" if "phone" in cells.values else "email",
            _(
                "Another client has this address. Give an address of this client's own, or mend the name there."
            ),
        )
    contacts = _contacts(cells, addresses, client)
    if client is not None:
        fields = {name: value for name, value in fields.items() if getattr(client, name) != value}
    verdict = Verdict(
        _outcome(cells, client, fields, contacts), fingerprint("client", name, *addresses.values())
    )
    return ClientPlan(verdict, client, fields, contacts)


def _fields(cells: Cells) -> dict[str, Any]:
    given, family = cells.text("given_name"), cells.text("family_name")
    for name, is_family_first in (("given_first", False), ("family_first", True)):
        if cells.text(name) and not given:
            given, other = split_name(cells.text(name), is_family_first=is_family_first)
            family = family or other
    if family and not given:
        given, family = family, ""
    return known_values(
        given_name=given,
        family_name=family,
        birth_on=cells.read("birth_on", read_date),
        language=cells.read("language", read_language),
        time_zone=cells.text("time_zone"),
        health_notes=cells.text("health_notes"),
    )


def _namesake(fields: dict[str, Any], clinic: Clinic) -> Client | None:
    """Return who goes by the name and has no address either: else importing twice would make two of them."""
    found = Client.objects.for_clinic(clinic).filter(erased_at=None, contact_points=None)
    names = {name: fields.get(name, "") for name in ("given_name", "family_name")}
    return found.select_related("clinic").filter(**names).first()


def _is_same_person(client: Client, given_name: str) -> bool:
    """Whether an address found its owner: families share telephones, and nobody is to be renamed by them."""
    return client.given_name.casefold().split()[:1] == given_name.casefold().split()[:1]


def _contacts(cells: Cells, addresses: dict[str, str], client: Client | None) -> Contacts:
    """Return the addresses and consents after the row; of the channels it says nothing about none is asked."""
    known = contacts_of(client) if client is not None else Contacts(asked=frozenset())
    before = {channel: getattr(known, name) for channel, name in _CHANNEL_FIELDS.items()}
    after = {**before, **addresses}
    stated = cells.text("allowed")
    granted = cells.read("allowed", read_channels) if stated else known.allowed
    if stated and granted is None and not any(name == "allowed" for name, _text in cells.problems):
        # Yes: to every address there is.
        granted = frozenset(channel for channel, value in after.items() if value)
    granted = granted or frozenset()
    if stated and (unreachable := {channel for channel in granted if not after[channel]}):
        name = _CHANNEL_FIELDS[min(unreachable)]
        cells.refuse(
            name if name in cells.values else "allowed",
            _("Messages are allowed on this channel, so its address is needed."),
        )
    asked = frozenset({channel for channel, value in after.items() if value} if stated else addresses)
    return Contacts(
        **{name: after[channel] if channel in asked else "" for channel, name in _CHANNEL_FIELDS.items()},
        allowed=frozenset(granted & asked),
        asked=asked,
    )


def contacts_of(client: Client) -> Contacts:
    """Return the addresses that a client has, and the channels that are allowed.

    Cost: two queries.
    """
    points = {point.channel: point.value for point in client.contact_points.order_by("-position", "-pk")}
    allowed = frozenset(client.consents.filter(withdrawn_at=None).values_list("channel", flat=True))
    asked = frozenset(channel for channel in _CHANNEL_FIELDS if channel in points or channel in allowed)
    return Contacts(
        **{name: points.get(channel, "") for channel, name in _CHANNEL_FIELDS.items()},
        allowed=allowed & asked,
        asked=asked,
    )


def _outcome(cells: Cells, client: Client | None, fields: dict[str, Any], contacts: Contacts) -> RowOutcome:
    if cells.problems:
        return RowOutcome.REFUSED
    if client is None:
        return RowOutcome.NEW
    known = contacts_of(client)
    is_same = not fields and all(
        getattr(contacts, _CHANNEL_FIELDS[channel]) == getattr(known, _CHANNEL_FIELDS[channel])
        and (channel in contacts.allowed) == (channel in known.allowed)
        for channel in contacts.asked
    )
    return RowOutcome.SAME if is_same else RowOutcome.CHANGED


def try_client(plan: ClientPlan, cells: Cells, *, clinic: Clinic, by: Actor, now: datetime) -> Verdict:
    """Return the verdict after the verb was tried and taken back: it refuses here what it would refuse then."""
    if plan.verdict.outcome in (RowOutcome.REFUSED, RowOutcome.SAME):
        return plan.verdict
    try:
        with transaction.atomic():
            write_client(plan, clinic=clinic, by=by, now=now)
            transaction.set_rollback(True)
    except ValidationError as error:
        cells.refuse_all(error)
        return Verdict(RowOutcome.REFUSED, plan.verdict.key)
    return plan.verdict


def write_client(plan: ClientPlan, *, clinic: Clinic, by: Actor, now: datetime) -> Client:
    """Register or change the client.

    Raises: ValidationError as the verbs.
    """
    if plan.client is None:
        return register_client(
            clinic=clinic, contacts=plan.contacts, by=by, now=now, source=_SOURCE, **plan.fields
        )
    return update_client(
        client=plan.client, contacts=plan.contacts, by=by, now=now, source=_SOURCE, **plan.fields
    )


# ---------------------------------------------------------------- bringing back


def remember(plan: ClientPlan) -> dict[str, Any]:
    """Return what a client is like before a change, as JSON; nothing for a new one."""
    if plan.client is None:
        return {}
    known = contacts_of(plan.client)
    values = {name: getattr(plan.client, name) for name in plan.fields}
    return {
        "fields": {
            name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()
        },
        "addresses": {name: getattr(known, name) for name in _CHANNEL_FIELDS.values()},
        "allowed": sorted(known.allowed),
        "asked": sorted(plan.contacts.asked),
    }


def bring_back(client: Client, before: dict[str, Any], *, by: Actor, now: datetime) -> None:
    """Give a client back what the import changed."""
    fields = dict(before["fields"])
    if fields.get("birth_on"):
        fields["birth_on"] = date.fromisoformat(fields["birth_on"])
    asked = frozenset(before["asked"])
    contacts = Contacts(
        **{
            name: before["addresses"][name] if channel in asked else ""
            for channel, name in _CHANNEL_FIELDS.items()
        },
        allowed=frozenset(before["allowed"]) & asked,
        asked=asked,
    )
    update_client(client=client, contacts=contacts, by=by, now=now, source=_SOURCE, **fields)
