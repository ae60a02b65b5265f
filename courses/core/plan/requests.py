"""What a planner is asked: the course so far, the clinic's time, and the client's wishes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, Literal
from zoneinfo import ZoneInfo

from clinics.core import ClinicCalendar
from courses.core.plan.busy import BusySpan, BusyTimes
from courses.core.types import ContraindicationSpan, PauseSpan, Prescription, SessionRecord

DAY_MINUTES: Final = 24 * 60

# Minutes since midnight on the clinic's wall clock, half-open; 1440 is the midnight that ends the day.
MinuteSpan = tuple[int, int]
# Opening or working times by ISO weekday (Monday is 1), in any order; a missing weekday has none.
WeekHours = Mapping[int, tuple[MinuteSpan, ...]]
# Dates, both included.
DateSpan = tuple[date, date]

Pace = Literal["preferred", "shortest"]


@dataclass(frozen=True, slots=True)
class Practitioner:
    """A person who treats: `hours` narrow the clinic's, None leaves them as they are.

    `busy` may be shared with other requests; whoever adds to it then changes what those are answered.
    """

    id: str
    hours: WeekHours | None = None
    absences: tuple[DateSpan, ...] = ()
    busy: tuple[BusySpan, ...] | BusyTimes = ()


@dataclass(frozen=True, slots=True)
class Room:
    """A place for one session at a time; `busy` as a practitioner's."""

    id: str
    busy: tuple[BusySpan, ...] | BusyTimes = ()


@dataclass(frozen=True, slots=True)
class Preferences:
    """What the client would rather have; an empty field asks for nothing.

    `weekdays` are ISO weekdays; a session starts as preferred from `from_minute` to `to_minute`, both included.
    """

    weekdays: frozenset[int] = frozenset()
    from_minute: int | None = None
    to_minute: int | None = None
    practitioner: str | None = None


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """Everything a plan depends on; two equal requests have the same plan.

    `count` is the number of sessions to place, kept ones not included. `not_before` is aware. Without
    practitioners (or rooms) only hours and closures bind. `hurried` of the sessions to place, the first ones,
    are spaced as closely as their windows allow instead of at the preferred gap: the catching up of a replan.
    """

    as_of: date
    calendar: ClinicCalendar
    prescription: Prescription
    zone: ZoneInfo
    not_before: datetime
    count: int
    minutes: int
    hours: WeekHours
    sessions: tuple[SessionRecord, ...] = ()
    pauses: tuple[PauseSpan, ...] = ()
    contraindications: tuple[ContraindicationSpan, ...] = ()
    practitioners: tuple[Practitioner, ...] = ()
    rooms: tuple[Room, ...] = ()
    client_busy: tuple[BusySpan, ...] = ()
    slot_step_minutes: int = 15
    horizon_days: int = 365
    prefer: Preferences = field(default=Preferences())
    hurried: int = 0

    @property
    def first_on(self) -> date:
        """The first date that can hold a planned session, in the clinic's zone."""
        return self.not_before.astimezone(self.zone).date()
