"""assess: whole assessments of courses with ten sessions on record, on one core.

The courses are of seven kinds, mixed as in a clinic: of twenty, eight go well, two await a decision, two come twice a
week, and eight drift, stop or are paused. Every answer is whole: state, window, gaps, measures, findings and the next
day to look.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from random import Random

from bench.harness import Figure, Goal, Size, median_of, processor_seconds
from clinics.core import ClinicCalendar
from courses.core.assess import assess
from courses.core.types import (
    Assessment,
    Cadence,
    ContraindicationSpan,
    PauseSpan,
    PhaseSpec,
    Prescription,
    SessionRecord,
    SessionStatus,
)

DAY = timedelta(days=1)
SESSIONS = 10
_COURSES: dict[Size, int] = {"small": 3_000, "default": 15_000, "full": 75_000}
_ROUNDS = 5
# One clinic has a calendar of its own, which its courses share.
_COURSES_PER_CLINIC = 100

INTENSIVE = PhaseSpec("intensive", Cadence.of(1, 1, 2), 10, 15, grace_days=1, lapse_days=14)
TWICE_A_WEEK = PhaseSpec("intensive", Cadence.of(2, 7, 7), 10, 12, grace_days=2, lapse_days=21)
MAINTENANCE = PhaseSpec("maintenance", Cadence.of(1, 14, 14), duration_days=365, grace_days=3, lapse_days=42)


@dataclass(frozen=True, slots=True)
class Case:
    """One course on one day; `clinic` says whose calendar counts."""

    kind: str
    clinic: int
    prescription: Prescription
    sessions: tuple[SessionRecord, ...]
    today: date
    pauses: tuple[PauseSpan, ...] = ()
    conditions: tuple[ContraindicationSpan, ...] = ()


def measure(size: Size) -> Iterator[Figure]:
    """Yield how many courses are assessed in a second of processor time."""
    cases = build_cases(_COURSES[size], rng=Random(2026))
    seconds = median_of(_ROUNDS, lambda _: _round_seconds(cases))
    calendars = _calendars(cases)
    states = Counter(_assess(case, calendars[case.clinic]).state for case in cases)
    yield Figure(
        name="assess",
        work=f"{len(cases):,} courses with {SESSIONS} sessions, one core",
        figure=len(cases) / seconds,
        unit="/s",
        goal=Goal(30_000, "least", of="figure"),
        note=f"processor time, median of {_ROUNDS} rounds; the courses are "
        + ", ".join(f"{share / len(cases):.0%} {state}" for state, share in states.most_common()),
    )


def _round_seconds(cases: list[Case]) -> float:
    # New calendars in every round: what they work out once and keep belongs to what is measured.
    calendars = _calendars(cases)

    def assess_all() -> None:
        # Answered and let go, as a tick does: thousands of answers kept would measure the garbage collector.
        for case in cases:
            _assess(case, calendars[case.clinic])

    return processor_seconds(assess_all)


def _assess(case: Case, calendar: ClinicCalendar) -> Assessment:
    return assess(
        case.prescription, case.sessions, case.pauses, case.conditions, calendar, 3, today=case.today
    )


def _calendars(cases: list[Case]) -> list[ClinicCalendar]:
    """Return a calendar for each clinic: closed on Sundays, some on Saturdays too, and on a few other days."""
    rng = Random(7)
    closures = [[date(2026, 1, 1) + rng.randrange(500) * DAY for _ in range(12)] for _ in range(len(cases))]
    clinics = 1 + max(case.clinic for case in cases)
    return [
        ClinicCalendar((6, 7) if number % 4 == 0 else (7,), closures[number]) for number in range(clinics)
    ]


# ---------------------------------------------------------------- courses


def build_cases(amount: int, *, rng: Random) -> list[Case]:
    """Return courses of every kind, mixed evenly, each with ten sessions on record. Shape: `amount` long."""
    mix = [kind for kind, share in KINDS for _ in range(share)]
    return [mix[number % len(mix)](rng, number // _COURSES_PER_CLINIC) for number in range(amount)]


def _start(rng: Random) -> date:
    return date(2026, 1, 5) + rng.randrange(300) * DAY


def _days(rng: Random, start: date, steps: tuple[int, ...], amount: int) -> list[date]:
    """Return days that are the given steps apart, in any order, none of them a Sunday."""
    days = [start if start.isoweekday() != 7 else start + DAY]
    while len(days) < amount:
        day = days[-1] + rng.choice(steps) * DAY
        days.append(day if day.isoweekday() != 7 else day + DAY)
    assert all(before < after for before, after in pairwise(days)), "one session a day"
    return days


def _records(days: list[date], *statuses: tuple[SessionStatus, int]) -> tuple[SessionRecord, ...]:
    """Return a session for each day, with so many of each status in order."""
    words = [status for status, amount in statuses for _ in range(amount)]
    return tuple(SessionRecord(day, status) for day, status in zip(days, words, strict=True))


def _on_time(rng: Random, clinic: int) -> Case:
    days = _days(rng, _start(rng), (1, 2, 2), SESSIONS)
    sessions = _records(days, ("attended", 6), ("booked", 4))
    return Case("on time", clinic, Prescription(days[0], (INTENSIVE, MAINTENANCE)), sessions, days[5] + DAY)


def _drifting(rng: Random, clinic: int) -> Case:
    days = _days(rng, _start(rng), (1, 2, 4, 6), SESSIONS)
    sessions = _records(
        days,
        ("attended", 2),
        ("no_show", 1),
        ("attended", 2),
        ("cancelled_late", 1),
        ("attended", 1),
        ("cancelled_by_clinic", 1),
        ("booked", 2),
    )
    today = days[7] + rng.randrange(2) * DAY
    return Case("drifting", clinic, Prescription(days[0], (INTENSIVE, MAINTENANCE)), sessions, today)


def _dropped_out(rng: Random, clinic: int) -> Case:
    days = _days(rng, _start(rng), (1, 2), SESSIONS)
    sessions = _records(days, ("attended", 8), ("no_show", 2))
    today = days[-1] + rng.randrange(2, 25) * DAY
    return Case("dropped out", clinic, Prescription(days[0], (INTENSIVE, MAINTENANCE)), sessions, today)


def _paused(rng: Random, clinic: int) -> Case:
    days = _days(rng, _start(rng), (1, 2), SESSIONS - 3)
    away, back = days[-1] + DAY, days[-1] + rng.randrange(3, 9) * DAY
    later = _days(rng, back + DAY, (1, 2), 3)
    sessions = _records([*days, *later], ("attended", 7), ("booked", 3))
    today = away + rng.randrange((back - away).days + 2) * DAY
    pauses = (PauseSpan(days[2] + DAY, days[2] + DAY, "bruises"), PauseSpan(away, back, "travel"))
    return Case("paused", clinic, Prescription(days[0], (INTENSIVE, MAINTENANCE)), sessions, today, pauses)


def _forgiven(rng: Random, clinic: int) -> Case:
    start = _start(rng)
    first = _days(rng, start, (1, 2), 5)
    ill = PauseSpan(first[-1] + DAY, first[-1] + 6 * DAY, "illness")
    days = [*first, *_days(rng, first[-1] + 8 * DAY, (1, 2, 3), 5)]
    sessions = _records(days, ("attended", 9), ("confirmed", 1))
    influenza = ContraindicationSpan("influenza", ill.from_on, ill.to_on)
    prescription = Prescription(days[0], (INTENSIVE, MAINTENANCE))
    return Case("forgiven", clinic, prescription, sessions, days[8] + DAY, (ill,), (influenza,))


def _decision_due(rng: Random, clinic: int) -> Case:
    days = _days(rng, _start(rng), (1, 2, 2), SESSIONS)
    sessions = _records(days, ("attended", SESSIONS))
    today = days[-1] + rng.randrange(4) * DAY
    return Case("decision due", clinic, Prescription(days[0], (INTENSIVE, MAINTENANCE)), sessions, today)


def _twice_a_week(rng: Random, clinic: int) -> Case:
    days = _days(rng, _start(rng), (3, 4, 4), SESSIONS)
    sessions = _records(days, ("attended", 7), ("no_show", 1), ("booked", 2))
    return Case("twice a week", clinic, Prescription(days[0], (TWICE_A_WEEK,)), sessions, days[7] + DAY)


# How many of twenty courses are of each kind.
KINDS: tuple[tuple[Callable[[Random, int], Case], int], ...] = (
    (_on_time, 8),
    (_decision_due, 2),
    (_twice_a_week, 2),
    (_drifting, 3),
    (_dropped_out, 2),
    (_paused, 2),
    (_forgiven, 1),
)
