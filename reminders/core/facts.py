"""What is known of a clinic, a client and a course where messages are decided, and what a message should be."""

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Literal
from zoneinfo import ZoneInfo

from reminders.core.quiet_hours import QuietHours

Trigger = Literal[
    "before_session",
    "preparation",
    "missed_session",
    "after_session",
    "overdue",
    "book_next",
    "maintenance_due",
    "schedule",
    "change",
    "earlier_slot",
    "access_code",
    "course_completed",
    "staff_digest",
]
Told = tuple[str, datetime]


@dataclass(frozen=True, slots=True)
class RuleSpec:
    """One active rule of the clinic; days, minutes and times as its row has them."""

    slug: str
    trigger: Trigger
    channels: tuple[str, ...]
    useful_minutes: int
    lead_days: int | None = None
    lead_minutes: int | None = None
    at_time: time | None = None
    wait_minutes: int = 0
    repeat_days: int = 0
    cap_count: int = 1
    is_first_only: bool = False


@dataclass(frozen=True, slots=True)
class ClinicFacts:
    """What of the clinic decides about messages."""

    zone: ZoneInfo
    booking_lead_days: int
    shows_treatment: bool


@dataclass(frozen=True, slots=True)
class ClientFacts:
    """Quiet hours in the client's zone, and the channels on which the client may be written to."""

    quiet: QuietHours
    reachable: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """One session as it stands; instants are in UTC, `on` is the clinic's date.

    `is_closed`: the clinic is closed on that day, so that nobody is expected, whatever the status still says.
    `reminding`: what is on record about reminders of it, once it has an outcome.
    """

    code: str
    version: int
    status: str
    on: date
    starts_at: datetime | None = None
    outcome_at: datetime | None = None
    is_closed: bool = False
    ends_at: datetime | None = None
    reminding: str = ""


@dataclass(frozen=True, slots=True)
class CourseFacts:
    """One course as last assessed, with what its client has been told of the schedule.

    `pauses` are dates, both included, an open one without an end; `phase` is 0-based. `was_told`: the client
    was told a schedule before, be it an empty one.
    """

    code: str
    version: int
    status: str
    state: str = ""
    phase: int | None = None
    phase_kind: str = ""
    session_number: int | None = None
    due_from: date | None = None
    due_by: date | None = None
    overdue_since: date | None = None
    completed_at: datetime | None = None
    has_preparation: bool = False
    sessions: tuple[SessionFacts, ...] = ()
    pauses: tuple[tuple[date, date | None], ...] = ()
    told: frozenset[Told] = frozenset()
    was_told: bool = False


@dataclass(frozen=True, slots=True)
class Desired:
    """One message that should exist; `about` is what it says, so that nobody is told the same twice.

    `is_anchored`: its time counts from the change itself, so a row that already says this keeps its time.
    `is_news`: worthless when its time had passed before it was first wanted.
    """

    rule: str
    trigger: Trigger
    channel: str
    subject: str
    session: str | None
    revision: int
    about: str
    send_at: datetime
    expires_at: datetime
    occurrence: int = 0
    is_anchored: bool = False
    is_news: bool = True
