"""A day of sessions: its lines, its sums and its people."""

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.utils.translation import ngettext

from clinics.access import Capability, is_allowed
from clinics.models import StaffMember
from courses.models import (
    OUTCOME_STATUSES,
    CourseStatus,
    Flag,
    FlagKind,
    PauseReason,
    SessionStatus,
    TreatmentSession,
)
from staff.presenters.badges import Badge
from staff.presenters.courses import protocol_name
from staff.presenters.flags import flag_chip
from staff.presenters.sessions import booked_minutes, outcome_words, session_badge, session_progress


@dataclass(frozen=True, slots=True)
class SessionLine:
    """One session as a line of a day, with what the reader may do about it now."""

    session: TreatmentSession
    badge: Badge
    progress: str
    protocol: str
    chips: tuple[Badge, ...]
    minutes: int | None
    outcome: str
    can_confirm: bool
    can_arrive: bool
    can_attend: bool
    can_miss: bool
    can_cancel: bool
    can_undo: bool
    is_over: bool
    # What the client was told of it and answered.
    told: str = ""

    @property
    def has_menu(self) -> bool:
        return self.can_confirm or self.can_miss or self.can_cancel or self.can_undo


_DONE: Final = frozenset(OUTCOME_STATUSES)
# Chips that the line itself already says, or that are no news to who has the client in front of them.
_SAID_BY_THE_LINE: Final = frozenset({FlagKind.UNRECORDED})


def session_line(
    session: TreatmentSession,
    *,
    phases: Sequence[dict[str, Any]],
    flags: Sequence[Flag],
    member: StaffMember,
    today: date,
    told: str = "",
) -> SessionLine:
    status, is_due = session.status, session.on <= today
    records, books = is_allowed(member, Capability.RECORD), is_allowed(member, Capability.BOOK)
    is_waiting = status in (SessionStatus.BOOKED, SessionStatus.CONFIRMED)
    is_open = session.course.status in (CourseStatus.ACTIVE, CourseStatus.PAUSED)
    return SessionLine(
        session=session,
        badge=session_badge(session, today=today),
        progress=session_progress(session, phases),
        protocol=protocol_name(session.course),
        chips=tuple(flag_chip(flag) for flag in flags if flag.kind not in _SAID_BY_THE_LINE),
        minutes=booked_minutes(session),
        outcome=outcome_words(session),
        can_confirm=books and is_open and status == SessionStatus.BOOKED and session.on >= today,
        can_arrive=records and is_open and is_waiting and session.on == today,
        can_attend=records and is_open and is_due and (is_waiting or status == SessionStatus.ARRIVED),
        can_miss=records and is_open and is_due and is_waiting,
        can_cancel=books and is_open and session.is_booked,
        can_undo=records
        and session.course.status != CourseStatus.DISCONTINUED
        and session.starts_at is not None
        and (status in _DONE or status == SessionStatus.ARRIVED),
        is_over=status in _DONE,
        told=told,
    )


def day_summary(counts: dict[str, int]) -> list[str]:
    """Return how a day stands in a few words, what is nought left out."""
    waiting = counts.get(SessionStatus.BOOKED, 0) + counts.get(SessionStatus.CONFIRMED, 0)
    missed = counts.get(SessionStatus.NO_SHOW, 0)
    cancelled = sum(number for status, number in counts.items() if status.startswith("cancelled"))
    here, done = counts.get(SessionStatus.ARRIVED, 0), counts.get(SessionStatus.ATTENDED, 0)
    said = (
        (waiting, ngettext("%(n)s expected", "%(n)s expected", waiting)),
        (here, ngettext("%(n)s here", "%(n)s here", here)),
        (done, ngettext("%(n)s treated", "%(n)s treated", done)),
        (missed, ngettext("%(n)s did not come", "%(n)s did not come", missed)),
        (cancelled, ngettext("%(n)s cancelled", "%(n)s cancelled", cancelled)),
    )
    return [words % {"n": number} for number, words in said if number]


_PAUSE_FOR: Final = (
    ("bleeding", PauseReason.BLEEDING),
    ("bruise", PauseReason.BRUISES),
    ("infection", PauseReason.ILLNESS),
    ("influenza", PauseReason.ILLNESS),
    ("fever", PauseReason.ILLNESS),
)


def pause_reason_for(conditions: Sequence[str]) -> str:
    """Return the reason of a pause that conditions propose."""
    for part, reason in _PAUSE_FOR:
        if any(part in condition for condition in conditions):
            return reason
    return PauseReason.OTHER


@dataclass(frozen=True, slots=True)
class PersonOfDay:
    """A practitioner in the switch above a day, with the number of sessions there."""

    code: uuid.UUID
    name: str
    count: int


def people_of_day(members: Sequence[StaffMember], sessions: Sequence[TreatmentSession]) -> list[PersonOfDay]:
    """Return the practitioners of a clinic with their sessions of a day, in the clinic's order."""
    counts = Counter(session.practitioner_id for session in sessions)
    return [PersonOfDay(member.code, member.display_name, counts[member.pk]) for member in members]


def first_ahead(lines: Sequence[SessionLine], now: datetime) -> uuid.UUID | None:
    """Return the code of the first session of a day that still lies ahead, if others lie behind."""
    for position, line in enumerate(lines):
        if line.session.starts_at and line.session.starts_at > now:
            return line.session.code if position else None
    return None
