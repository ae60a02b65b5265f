"""What was done to a course and said about it; everything here is handed its rows and runs no query."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from audit.models import ActorKind, AuditEvent
from courses.models import Flag, FlagCall
from staff.presenters.audit import action_words
from staff.templatetags.interface import day


@dataclass(frozen=True, slots=True)
class ChangeRow:
    at: datetime
    words: str
    by: str
    details: str


def change_rows(
    events: Sequence[AuditEvent], names: Mapping[uuid.UUID, str], *, today: date
) -> list[ChangeRow]:
    """Return what was done to the course and by whom; `names` of staff members by code."""
    return [
        ChangeRow(event.at, action_words(event.action), _actor_words(event, names), _details(event, today))
        for event in events
    ]


def _actor_words(event: AuditEvent, names: Mapping[uuid.UUID, str]) -> str:
    if event.actor_kind == ActorKind.CLIENT:
        return _("the client")
    if event.actor_kind == ActorKind.SYSTEM or event.actor_code is None:
        return _("the system")
    return names.get(event.actor_code, _("a former staff member"))


def _details(event: AuditEvent, today: date) -> str:
    """Return the dates and numbers of a change, as far as they say something to a person."""
    shown = []
    for name in ("from_on", "to_on", "on", "start_on"):
        value = event.new.get(name)
        if isinstance(value, str):
            shown.append(day(date.fromisoformat(value), today))
    if event.new.get("target"):
        shown.append(str(event.new["target"]))
    return " – ".join(shown)


@dataclass(frozen=True, slots=True)
class NoteRow:
    """What somebody wrote about a course while working a finding; `about` is the finding."""

    at: datetime
    words: str
    note: str
    about: str
    by: str


def note_rows(calls: Sequence[FlagCall], seen: Sequence[Flag], *, today: date) -> list[NoteRow]:
    """Return how calls ended and what was noted on findings, the latest first."""
    rows = [
        NoteRow(call.created_at, _call_words(call, today), call.note, _about(call.flag), call.by.display_name)
        for call in calls
    ]
    for flag in seen:
        if flag.acknowledged_at is not None and flag.acknowledged_by is not None:
            name = flag.acknowledged_by.display_name
            rows.append(NoteRow(flag.acknowledged_at, _("Note"), flag.acknowledged_note, _about(flag), name))
    return sorted(rows, key=lambda row: row.at, reverse=True)


def _call_words(call: FlagCall, today: date) -> str:
    words = _("Call: %(outcome)s") % {"outcome": call.get_outcome_display()}
    if call.next_on is None:
        return words
    return _("%(call)s; again on %(day)s") % {"call": words, "day": day(call.next_on, today)}


def _about(flag: Flag) -> str:
    return str(capfirst(flag.get_kind_display()))
