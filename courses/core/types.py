"""The words of the course core: what is prescribed, what happened, and what an assessment says.

Frozen dataclasses, except where an assessment makes a dozen of one kind: those are named tuples, which
are four times cheaper to make. All dates are the clinic's own; ranges include both ends.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal, NamedTuple, Self

from courses.core.sentences import finding_sentence

PhaseKind = Literal["intensive", "maintenance"]
CourseStatus = Literal["draft", "active", "paused", "completed", "discontinued"]
SessionStatus = Literal[
    "planned",
    "booked",
    "confirmed",
    "arrived",
    "attended",
    "no_show",
    "cancelled_late",
    "cancelled_by_client",
    "cancelled_by_clinic",
]
State = Literal["finished", "paused", "not_started", "resting", "due", "late", "overdue", "lapsed"]
Verdict = Literal["early", "on_time", "late"]
Severity = Literal["notice", "warning", "serious"]
Cause = Literal["client", "clinic", "both", "scheduling"]
FindingKind = Literal[
    "behind",
    "booked_late",
    "contraindicated",
    "decision_due",
    "interrupted",
    "lapsed",
    "misbooked",
    "missed_streak",
    "off_protocol",
    "overdue",
    "too_frequent",
    "unbooked",
    "unrecorded",
]

BOOKINGS: Final = frozenset({"booked", "confirmed", "arrived"})
# What a phase forgives where nobody says otherwise: (longest period, grace days, lapse days).
_LENIENCE: Final = ((3, 1, 14), (7, 2, 21), (1_000_000, 3, 42))
MISSED: Final = frozenset({"no_show", "cancelled_late"})
OUTCOMES: Final = MISSED | {"attended", "cancelled_by_client", "cancelled_by_clinic"}


@dataclass(frozen=True, slots=True)
class Cadence:
    """`frequency` sessions per `period_min..period_max` days; use `Cadence.of` for the defaults.

    Days: at least `rest_days` from one session to the next, the period giving by `flex_days` both ways.
    The fields after those follow from them and are kept because every window asks for them.
    """

    frequency: int
    period_min: int
    period_max: int
    rest_days: int
    flex_days: int
    # The least and the most days that the period takes with its flex, and a single session's share of it.
    least_days: int = field(init=False, repr=False, compare=False)
    most_days: int = field(init=False, repr=False, compare=False)
    share_days: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "least_days", self.period_min - self.flex_days)
        object.__setattr__(self, "most_days", self.period_max + self.flex_days)
        object.__setattr__(self, "share_days", -(-self.period_max // self.frequency))

    @classmethod
    def of(
        cls,
        frequency: int,
        period_min: int,
        period_max: int,
        rest_days: int | None = None,
        flex_days: int | None = None,
    ) -> Self:
        """Return a cadence with rest and flex as prescribed, or as usual for its frequency."""
        several = frequency > 1
        if rest_days is None:
            rest_days = max(1, period_min // frequency - 1) if several else 1
        if flex_days is None:
            flex_days = min(1, period_min - 1) if several else 0
        return cls(frequency, period_min, period_max, rest_days, flex_days)

    @property
    def first_gap_days(self) -> int:
        """Days from the end of an earlier phase to the first session of this cadence."""
        return max(1, self.period_min // self.frequency)

    @property
    def usual_leniency(self) -> tuple[int, int]:
        """Days late that such a cadence usually forgives: before it is overdue, and before it has lapsed."""
        return next((grace, lapse) for longest, grace, lapse in _LENIENCE if self.period_max <= longest)

    @property
    def preferred_gap_days(self) -> int:
        """Days between two sessions that a planner aims at."""
        return max(1, (self.period_min + self.period_max) // 2 // self.frequency)


@dataclass(frozen=True, slots=True)
class PhaseSpec:
    """One phase as prescribed: a cadence and an amount (sessions, a duration, or both).

    `target` is what the prescriber decided within `sessions_min..sessions_max`; `amount`, which follows,
    is the number of attended sessions that completes the phase, None when only its duration does.
    """

    kind: PhaseKind
    cadence: Cadence
    sessions_min: int | None = None
    sessions_max: int | None = None
    target: int | None = None
    duration_days: int | None = None
    grace_days: int = 0
    lapse_days: int = 14
    minutes_min: int | None = None
    minutes_max: int | None = None
    amount: int | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "amount", self.sessions_max if self.target is None else self.target)


@dataclass(frozen=True, slots=True)
class PhaseEnd:
    """A prescriber's decision to end a phase (0-based) on a date."""

    phase: int
    on: date


@dataclass(frozen=True, slots=True)
class Prescription:
    """The frozen prescription of one course with the prescriber's later decisions, in any order."""

    start_on: date
    phases: tuple[PhaseSpec, ...]
    phases_ended: tuple[PhaseEnd, ...] = ()
    restarts: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """One session as it stands; the fields after `status` matter to planning only, and are kept as given."""

    on: date
    status: SessionStatus
    pinned: bool = False
    start: str | None = None
    end: str | None = None
    practitioner: str | None = None
    room: str | None = None


@dataclass(frozen=True, slots=True)
class PauseSpan:
    """A pause from a date to a date, both included; without `to_on` it is open-ended."""

    from_on: date
    to_on: date | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ContraindicationSpan:
    """The dates, both included, on which a recorded contraindication is active; without `to_on` for good."""

    code: str
    from_on: date
    to_on: date | None


class Gap(NamedTuple):
    """How one attended session lay in its window; `phase` is 0-based, `session` 1-based in its phase.

    `gap_days` counts from the session attended before in the course, `days` is earliness or lateness.
    """

    phase: int
    session: int
    on: date
    due_from: date
    due_by: date
    gap_days: int | None
    verdict: Verdict
    days: int
    cause: Cause | None


class Finding(NamedTuple):
    """One drift with its magnitude (`days` or `count`) and the evidence behind it.

    `limit` is what the magnitude was compared with, `session` the session number concerned,
    `on` the date concerned where there is one.
    """

    kind: FindingKind
    severity: Severity
    days: int | None = None
    count: int | None = None  # type: ignore[assignment]  # shadows a method of tuples that nobody needs here
    since: date | None = None
    cause: Cause | None = None
    limit: int | None = None
    session: int | None = None
    on: date | None = None

    @property
    def says(self) -> str:
        """The finding as one English sentence for a receptionist."""
        return finding_sentence(self)


class Measures(NamedTuple):
    """Counts and rates of a course; a rate with nothing to divide by is None."""

    attended: int
    attendance_rate: float | None
    on_time_rate: float | None
    early_rate: float | None
    late_rate: float | None
    slippage_days: int | None
    projected_end: date | None


class Assessment(NamedTuple):
    """Where a course stands on one day; `phase` is 0-based, `session` the next one's number in it."""

    state: State
    phase: int | None
    session: int | None
    due_from: date | None
    due_by: date | None
    gaps: tuple[Gap, ...]
    measures: Measures
    findings: tuple[Finding, ...]
    next_check_on: date | None
