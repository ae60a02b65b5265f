"""What a ribbon shows, in dates: gathered from an assessment and the walk it was made with.

No rule of its own: windows come from `Progress` (docs/domain.md, section Cadence), verdicts from `assess`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, NamedTuple

from clinics.core import ClinicCalendar
from courses.core.cadence import ClientDays, Progress, decide, replay, replay_attended
from courses.core.types import (
    BOOKINGS,
    Assessment,
    PauseSpan,
    PhaseKind,
    Prescription,
    SessionRecord,
)

MarkKind = Literal[
    "on_time",
    "early",
    "late",
    "extra",
    "no_show",
    "cancelled_late",
    "cancelled_by_client",
    "cancelled_by_clinic",
    "planned",
    "unrecorded",
    "booked",
    "booked_early",
    "booked_late",
    "misbooked",
]
WindowRole = Literal["past", "booked", "next"]
EndKind = Literal["projected", "completed", "stopped"]
ATTENDED_MARKS: Final = frozenset({"on_time", "early", "late", "extra"})
BOOKED_MARKS: Final = frozenset({"booked", "booked_early", "booked_late", "misbooked"})
HOLLOW_MARKS: Final = frozenset({"no_show", "cancelled_late", "cancelled_by_client", "cancelled_by_clinic"})


class Mark(NamedTuple):
    """One session on its day; `days` is its earliness or lateness, `session` its number in its phase (1-based).

    A booking whose client has confirmed or arrived is `is_sure`.
    """

    on: date
    kind: MarkKind
    days: int = 0
    session: int | None = None
    is_sure: bool = False


class WindowSpan(NamedTuple):
    """The allowed days, both included, of one session, and the day it was or is to be attended on, if any."""

    phase: int
    session: int
    due_from: date
    due_by: date
    role: WindowRole
    on: date | None = None


class PhaseSpan(NamedTuple):
    """A phase from its first day on; `gap_days` is how far apart its sessions are meant to be on average."""

    phase: int
    kind: PhaseKind
    from_on: date
    gap_days: float


class EndFlag(NamedTuple):
    """The end of the current phase as projected, or of the course as it came; the session is the last one's."""

    on: date
    kind: EndKind
    session: int | None = None


@dataclass(frozen=True, slots=True)
class RibbonFacts:
    """Everything a ribbon shows; marks, windows, pauses, phases and restarts in the order of time."""

    start_on: date
    today: date
    calendar: ClinicCalendar
    phases: tuple[PhaseSpan, ...]
    marks: tuple[Mark, ...] = ()
    windows: tuple[WindowSpan, ...] = ()
    pauses: tuple[PauseSpan, ...] = ()
    restarts: tuple[date, ...] = ()
    end: EndFlag | None = None

    def is_empty(self) -> bool:
        """Return whether nothing was attended, missed or booked yet."""
        return not self.marks


def gather_ribbon(
    prescription: Prescription,
    records: Sequence[SessionRecord],
    pauses: Sequence[PauseSpan],
    calendar: ClinicCalendar,
    assessment: Assessment,
    *,
    today: date,
    stopped_on: date | None = None,
) -> RibbonFacts:
    """Return what the ribbon of a course shows on a day.

    `assessment` is of the same prescription, records and day; `stopped_on` the day a course was given up.
    """
    days = ClientDays(calendar, pauses, today=today)
    chained = _chain_windows(prescription, records, days, assessment, today=today)
    past = [
        WindowSpan(gap.phase, gap.session, gap.due_from, gap.due_by, "past", gap.on)
        for gap in assessment.gaps
    ]
    return RibbonFacts(
        start_on=prescription.start_on,
        today=today,
        calendar=calendar,
        phases=_phase_spans(prescription, days, assessment, chained.left, today=today),
        marks=_marks(records, assessment, chained, today=today),
        windows=(*past, *(() if stopped_on else chained.windows)),
        pauses=tuple(sorted(pauses, key=lambda pause: pause.from_on)),
        restarts=tuple(sorted(day for day in prescription.restarts if day <= today)),
        end=_end_flag(prescription, assessment, stopped_on=stopped_on),
    )


class _Chain(NamedTuple):
    """Bookings judged as if each were attended, and where a phase begins between them: (phase, day left)."""

    windows: tuple[WindowSpan, ...]
    marks: dict[date, Mark]
    left: tuple[tuple[int, int], ...]


def _chain_windows(
    prescription: Prescription,
    records: Sequence[SessionRecord],
    days: ClientDays,
    assessment: Assessment,
    *,
    today: date,
) -> _Chain:
    """Walk on from what was attended through the bookings of today and later."""
    bookings = sorted(
        (record for record in records if record.status in BOOKINGS and record.on >= today),
        key=lambda record: record.on,
    )
    attended = sorted(r.on.toordinal() for r in records if r.status == "attended" and r.on <= today)
    progress, decisions = replay_attended(prescription, attended, days, today=today)
    windows: list[WindowSpan] = []
    marks: dict[date, Mark] = {}
    left: list[tuple[int, int]] = []
    index = assessment.phase if assessment.phase is not None else len(prescription.phases)
    for record in bookings:
        on = record.on.toordinal()
        # A session on the day its phase was ended still belongs to that phase.
        while decisions and decisions[-1][0] < 3 * on + 1:
            decide(progress, decisions.pop())
        progress.roll(on)
        is_sure = record.status != "booked"
        if progress.is_complete:
            marks[record.on] = Mark(record.on, "misbooked", is_sure=is_sure)
            continue
        if progress.index > index:
            left.append((progress.index, progress.left_on))
            index = progress.index
        windows.append(_window(progress, "booked", record.on))
        marks[record.on] = _booking_mark(progress, days, record.on, is_sure=is_sure)
        progress.attend(on)
    while decisions:
        decide(progress, decisions.pop())
    progress.roll(today.toordinal())
    if not progress.is_complete:
        if progress.index > index:
            left.append((progress.index, progress.left_on))
        windows.append(_window(progress, "next", None))
    return _Chain(tuple(windows), marks, tuple(left))


def _window(progress: Progress, role: WindowRole, on: date | None) -> WindowSpan:
    return WindowSpan(
        progress.index,
        progress.taken + 1,
        date.fromordinal(progress.due_from),
        date.fromordinal(progress.due_by()),
        role,
        on,
    )


def _booking_mark(progress: Progress, days: ClientDays, on: date, *, is_sure: bool) -> Mark:
    day = on.toordinal()
    session = progress.taken + 1
    early, late = progress.earliness(day), days.lateness(progress.due_by(), day)
    if not days.is_bookable(day):
        return Mark(on, "misbooked", early or late, session, is_sure)
    if early:
        return Mark(on, "booked_early", early, session, is_sure)
    if late:
        return Mark(on, "booked_late", late, session, is_sure)
    return Mark(on, "booked", 0, session, is_sure)


def _marks(
    records: Sequence[SessionRecord], assessment: Assessment, chained: _Chain, *, today: date
) -> tuple[Mark, ...]:
    gaps = {gap.on: gap for gap in assessment.gaps}
    marks = []
    for record in records:
        on = record.on
        match record.status:
            case "booked" | "confirmed" | "arrived":
                mark = Mark(on, "unrecorded") if on < today else chained.marks[on]
            case "attended":
                gap = gaps.get(on)
                mark = Mark(on, gap.verdict, gap.days, gap.session) if gap else Mark(on, "extra")
            case status:
                mark = Mark(on, status)
        marks.append(mark)
    # On one day what was missed comes before what was attended instead.
    return tuple(sorted(marks, key=lambda mark: (mark.on, mark.kind not in HOLLOW_MARKS)))


def _phase_spans(
    prescription: Prescription,
    days: ClientDays,
    assessment: Assessment,
    chained: Sequence[tuple[int, int]],
    *,
    today: date,
) -> tuple[PhaseSpan, ...]:
    """Return the phases that have begun by today or begin among the bookings; each begins after `left_on`."""
    begins: dict[int, date] = {0: min([prescription.start_on, *(gap.on for gap in assessment.gaps[:1])])}
    attended = [gap.on.toordinal() for gap in assessment.gaps]
    moments = [(gap.phase, gap.on) for gap in assessment.gaps if gap.phase > 0]
    if assessment.phase:
        moments.append((assessment.phase, today))
    for phase, on in moments:
        if phase not in begins:
            before = [day for day in attended if day < on.toordinal() or on == today]
            left_on = replay(prescription, before, days, today=on).left_on
            begins[phase] = date.fromordinal(left_on + 1)
    begins.update({phase: date.fromordinal(left_on + 1) for phase, left_on in chained})
    spans = []
    for phase in sorted(begins):
        spec = prescription.phases[phase]
        gap_days = (spec.cadence.period_min + spec.cadence.period_max) / 2 / spec.cadence.frequency
        spans.append(PhaseSpan(phase, spec.kind, begins[phase], gap_days))
    return tuple(spans)


def _end_flag(
    prescription: Prescription, assessment: Assessment, *, stopped_on: date | None
) -> EndFlag | None:
    if stopped_on is not None:
        return EndFlag(stopped_on, "stopped")
    if assessment.state == "finished":
        return EndFlag(assessment.gaps[-1].on, "completed") if assessment.gaps else None
    if assessment.measures.projected_end is None or assessment.phase is None:
        return None
    phase = prescription.phases[assessment.phase]
    session = phase.amount if phase.duration_days is None else None
    return EndFlag(assessment.measures.projected_end, "projected", session)
