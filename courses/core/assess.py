"""Drift: where a course stands on one day, against what was prescribed (docs/domain.md, section Drift).

`assess` is pure: the day is handed in, nothing is read from a clock and nothing is written. It is read in
this order: `standing` replays what happened, `findings` judges a day, `next_check` looks ahead.
"""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date

from clinics.core import ClinicCalendar
from courses.core.cadence import NEVER, Progress
from courses.core.findings import judge
from courses.core.next_check import next_check_on
from courses.core.standing import History, Standing
from courses.core.types import (
    Assessment,
    ContraindicationSpan,
    Measures,
    PauseSpan,
    Prescription,
    SessionRecord,
)


def assess(
    prescription: Prescription,
    sessions: Sequence[SessionRecord],
    pauses: Sequence[PauseSpan],
    contraindications: Sequence[ContraindicationSpan],
    calendar: ClinicCalendar,
    booking_lead_days: int,
    *,
    today: date,
    off_protocol: int = 0,
) -> Assessment:
    """Return where a course stands on a day, what drifts, and when time alone changes that.

    Order: sessions and pauses in any order; gaps come by date, findings by kind. `off_protocol` counts
    the sessions that broke the protocol in ways only the rows know.
    """
    history = History(
        prescription, sessions, pauses, contraindications, calendar, booking_lead_days, off_protocol
    )
    standing = Standing(history, today)
    state, findings = judge(standing, standing.day)
    progress = standing.progress
    finished = progress.is_complete
    return Assessment(
        state,
        None if finished else progress.index,
        None if finished else progress.taken + 1,
        None if finished else date.fromordinal(progress.due_from),
        None if finished else date.fromordinal(progress.due_by()),
        tuple(standing.gaps),
        _measures(standing),
        tuple(findings),
        next_check_on(standing, state, findings),
    )


def _measures(standing: Standing) -> Measures:
    history, day, progress = standing.history, standing.day, standing.progress
    attended = bisect_right(history.attended, day)
    missed = bisect_right(history.missed, day)
    gaps, early, late = len(standing.gaps), standing.early_count, standing.late_count
    finished = progress.is_complete
    return Measures(
        attended,
        _rate(attended, attended + missed),
        _rate(gaps - early - late, gaps),
        _rate(early, gaps),
        _rate(late, gaps),
        None if finished else progress.slippage,
        None if finished else date.fromordinal(_projected_end(progress, day)),
    )


def _rate(part: int, whole: int) -> float | None:
    if not whole:
        return None
    # Mostly all or nothing, where rounding would take longer than all else.
    return 1.0 if part == whole else round(part / whole, 4) if part else 0.0


def _projected_end(progress: Progress, today: int) -> int:
    """Return the last day of the current phase if the next session comes at once, the others on their due_by."""
    spec, days = progress.spec, progress.days
    on = days.first_open(max(today, progress.due_from))
    last_day = progress.last_day
    if spec.duration_days is not None and last_day == NEVER:
        last_day = days.after_unpaused(on, spec.duration_days)
    if spec.amount is None:
        return last_day
    further = spec.amount - progress.taken - 1
    if spec.cadence.frequency == 1 and not days.spans:
        stride = max(spec.cadence.most_days, spec.cadence.rest_days)
        return min(days.calendar.after_strides(on, stride, further), last_day)
    ahead = progress.copy()
    for _ in range(further):
        if on > last_day:
            break
        ahead.attend(on)
        on = ahead.due_by()
    return min(on, last_day)
