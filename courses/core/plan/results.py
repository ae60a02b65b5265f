"""What a planner answers: a slot for each session, what the plan costs, and why it looks as it does."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, NamedTuple

from courses.core.plan.sentences import reason_sentence
from courses.core.types import SessionRecord

ReasonKind = Literal[
    "absent",
    "closed",
    "contraindicated",
    "early",
    "extra",
    "full",
    "kept",
    "late",
    "missed_practitioner",
    "missed_time",
    "missed_weekday",
    "no_slot",
    "not_asked",
    "paused",
    "pinned",
    "preferred",
    "session_early",
    "session_late",
    "session_lost",
    "spacing",
    "too_soon",
    "window",
]


class Reason(NamedTuple):
    """One reason as data, for pages to say in their own language.

    `number` is a count of days or sessions and decides the plural; the other fields are set where the
    sentence of the kind speaks of them. `cause` tells kinds with several sentences apart.
    """

    kind: ReasonKind
    number: int = 1
    on: date | None = None
    due_from: date | None = None
    due_by: date | None = None
    dates: tuple[date, ...] = ()
    cause: str = ""

    @property
    def says(self) -> str:
        """The reason as one English sentence."""
        return reason_sentence(self)


@dataclass(frozen=True, slots=True)
class PlannedSession:
    """One session ahead; `phase` is 0-based, `session` 1-based in it, both None after the course is complete.

    `start` and `end` are aware in the clinic's zone. A kept session has them None: `kept` holds it as it was given.
    `days_outside` counts days of lateness, of a kept session also of earliness.
    """

    on: date
    phase: int | None
    session: int | None
    start: datetime | None
    end: datetime | None
    practitioner: str | None
    room: str | None
    pinned: bool
    days_outside: int
    preferences_missed: int
    why: tuple[Reason, ...]
    kept: SessionRecord | None = None


@dataclass(frozen=True, slots=True)
class PlanCost:
    """What the planner made as small as it could, the first first; `last_on` is the last planned date."""

    unplaced: int
    days_outside: int
    preferences_missed: int
    gap_distance: int
    last_on: date | None


@dataclass(frozen=True, slots=True)
class Plan:
    """All sessions ahead by date, planned and kept; `notes` tell where the prescription could not be kept."""

    sessions: tuple[PlannedSession, ...]
    cost: PlanCost
    notes: tuple[Reason, ...]

    @property
    def planned(self) -> tuple[PlannedSession, ...]:
        """The sessions that the planner placed, by date."""
        return tuple(session for session in self.sessions if session.kept is None)
