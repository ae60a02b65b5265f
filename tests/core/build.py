"""Short ways to say a course in tests. Days are "03-02" for 2 March 2026, a Monday, or whole ISO dates."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from clinics.core import ClinicCalendar
from courses.core.assess import assess
from courses.core.cadence import ClientDays, Progress, replay
from courses.core.types import (
    Assessment,
    Cadence,
    ContraindicationSpan,
    Finding,
    PauseSpan,
    PhaseEnd,
    PhaseSpec,
    Prescription,
    SessionRecord,
)

EVERY_1_2 = Cadence.of(1, 1, 2)
TWICE_A_WEEK = Cadence.of(2, 7, 7)
THRICE_A_WEEK = Cadence.of(3, 7, 7)
FORTNIGHT = Cadence.of(1, 14, 14)

INTENSIVE = PhaseSpec("intensive", EVERY_1_2, 10, 15, grace_days=1, lapse_days=14)
MAINTENANCE = PhaseSpec("maintenance", FORTNIGHT, duration_days=365, grace_days=3, lapse_days=42)
SUNDAYS = (7,)


def day(text: str) -> date:
    return date.fromisoformat(text if len(text) > 5 else f"2026-{text}")


def days_of(text: str) -> list[date]:
    return [day(word) for word in text.split()]


def counted(cadence: Cadence, low: int, high: int, **more: int) -> PhaseSpec:
    return PhaseSpec("intensive", cadence, low, high, **more)


def prescribed(
    *phases: PhaseSpec, start: str = "03-02", ended: Iterable[tuple[int, str]] = (), restarts: str = ""
) -> Prescription:
    ends = tuple(PhaseEnd(phase, day(on)) for phase, on in ended)
    return Prescription(day(start), phases or (INTENSIVE,), ends, tuple(days_of(restarts)))


def paused(*spans: tuple[str, str | None]) -> list[PauseSpan]:
    return [PauseSpan(day(first), last and day(last), "illness") for first, last in spans]


def records(attended: str = "", **others: str) -> list[SessionRecord]:
    """Sessions by status: `records("03-02 03-04", no_show="03-06")`."""
    return [
        SessionRecord(on, status)
        for status, text in {"attended": attended, **others}.items()
        for on in days_of(text)
    ]


def assessed(
    today: str,
    prescription: Prescription | None = None,
    sessions: Iterable[SessionRecord] = (),
    pauses: Iterable[PauseSpan] = (),
    *,
    closed: Iterable[int] = SUNDAYS,
    closures: str = "",
    contraindicated: Iterable[tuple[str, str | None]] = (),
    lead: int = 3,
    off_protocol: int = 0,
) -> Assessment:
    spans = [ContraindicationSpan("influenza", day(a), b and day(b)) for a, b in contraindicated]
    return assess(
        prescription or prescribed(),
        list(sessions),
        list(pauses),
        spans,
        ClinicCalendar(closed, days_of(closures)),
        lead,
        today=day(today),
        off_protocol=off_protocol,
    )


def finding(assessment: Assessment, kind: str) -> Finding | None:
    return next((one for one in assessment.findings if one.kind == kind), None)


def progress_on(
    today: str,
    prescription: Prescription,
    attended: str = "",
    pauses: Iterable[PauseSpan] = (),
    closed: Iterable[int] = SUNDAYS,
) -> Progress:
    days = ClientDays(ClinicCalendar(closed), list(pauses), today=day(today))
    return replay(prescription, [on.toordinal() for on in days_of(attended)], days, today=day(today))


def window(progress: Progress) -> tuple[str, str]:
    return written(progress.due_from), written(progress.due_by())


def written(number: int) -> str:
    text = date.fromordinal(number).isoformat()
    return text[5:] if text.startswith("2026") else text
