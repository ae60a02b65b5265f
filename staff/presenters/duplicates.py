"""Two registrations of one person in words: why they may be one, and in what they differ."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from clients.duplicates import CHOSEN_FIELDS, Duplicate
from clients.models import Channel, Client
from courses.models import TreatmentSession
from staff.templatetags.interface import clock, day


@dataclass(frozen=True, slots=True)
class DuplicateLine:
    client: Client
    url: str
    why: str


def duplicate_lines(found: Sequence[Duplicate], client: Client) -> list[DuplicateLine]:
    """Return who may be the same person as a client, each with the address that compares the two."""
    address, lines = reverse("staff:client-merge", args=[client.code]), []
    for one in found:
        said = [_("the same name")] if one.has_same_name else []
        said += [_("the same address: %(channel)s") % {"channel": Channel(name).label} for name in one.shared]
        lines.append(DuplicateLine(one.client, f"{address}?with={one.client.code}", ", ".join(said)))
    return lines


@dataclass(frozen=True, slots=True)
class CompareRow:
    """One thing in which two clients differ; `name` is that of the field or the channel."""

    name: str
    label: str
    kept: str
    gone: str


def compare(kept: Client, gone: Client) -> list[CompareRow]:
    """Return what has to be chosen: fields and first addresses that both have and that differ."""
    labels = {
        "given_name": _("Given name"),
        "family_name": _("Family name"),
        "birth_on": _("Born"),
        "language": _("Language"),
    }
    rows = [
        CompareRow(name, labels[name], _shown(kept, name), _shown(gone, name))
        for name in CHOSEN_FIELDS
        if getattr(kept, name) and getattr(gone, name) and getattr(kept, name) != getattr(gone, name)
    ]
    own, other = _first_addresses(kept), _first_addresses(gone)
    rows += [
        CompareRow(channel, capfirst(str(Channel(channel).label)), own[channel], other[channel])
        for channel in own
        if channel in other and own[channel] != other[channel]
    ]
    return rows


def _shown(client: Client, name: str) -> str:
    value: Any = getattr(client, name)
    if name == "birth_on":
        return day(value)
    return str(client.get_language_display() if name == "language" else value)


def _first_addresses(client: Client) -> dict[str, str]:
    found: dict[str, str] = {}
    for point in client.contact_points.all():
        found.setdefault(point.channel, point.value)
    return found


def overlap_words(sessions: Sequence[TreatmentSession]) -> list[str]:
    """Return when both are booked at once."""
    return [f"{day(session.on)}, {clock(session.starts_at)}" for session in sessions]
