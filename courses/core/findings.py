"""State and findings of a standing on a day: one function per kind, in the order of docs/domain.md, Drift."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import date
from typing import Final

from courses.core.standing import Standing
from courses.core.types import Finding, State

# Neither chased for being overdue nor left to the prescriber: the states that unbooked and interrupted speak of.
UNBOOKED_STATES: Final = frozenset({"paused", "not_started", "resting", "due", "late"})
INTERRUPTED_STATES: Final = frozenset({"paused", "resting", "due", "late"})


def judge(standing: Standing, day: int) -> tuple[State, list[Finding]]:
    """Return the state and the findings, by kind, on the standing's day or a later one before `stale_on`."""
    bookings = standing.history.bookings
    past = bisect_left(bookings, day)
    ahead = bookings[past:]
    early, misbooked = standing.chain(ahead, day) if ahead else (0, 0)
    if standing.progress.is_complete:
        found = [
            _contraindicated(standing, ahead),
            _misbooked(misbooked),
            _unrecorded(past),
        ]
        return "finished", [finding for finding in found if finding]
    progress = standing.progress
    due_by = progress.due_by()
    late = standing.days.lateness(due_by, day) if day > due_by else 0
    state = _state(standing, day, late)
    found = [
        _behind(standing),
        _booked_late(standing, day, state, ahead),
        _contraindicated(standing, ahead),
        _decision_due(standing),
        _interrupted(standing, day, state),
        _lapsed(standing, day, late) if state == "lapsed" else None,
        _misbooked(misbooked),
        _missed_streak(standing, day),
        _off_protocol(standing),
        _overdue(standing, day, late) if state == "overdue" else None,
        _too_frequent(max(standing.early_days, early)),
        _unbooked(standing, day, state, ahead),
        _unrecorded(past),
    ]
    return state, [finding for finding in found if finding]


def _state(standing: Standing, day: int, late: int) -> State:
    spec = standing.progress.spec
    if standing.days.pause_on(day):
        return "paused"
    if not standing.last_on and day < standing.history.start:
        return "not_started"
    if day < standing.progress.due_from:
        return "resting"
    if not late:
        return "due"
    if late <= spec.grace_days:
        return "late"
    return "overdue" if late <= spec.lapse_days else "lapsed"


def _behind(standing: Standing) -> Finding | None:
    days = standing.progress.slippage
    limit = 2 * standing.progress.cadence.period_max
    return Finding("behind", "warning", days=days, limit=limit) if days > limit else None


def _booked_late(standing: Standing, day: int, state: State, ahead: Sequence[int]) -> Finding | None:
    if not ahead or state == "paused":
        return None
    progress, first = standing.progress, ahead[0]
    due_by, grace = progress.due_by(), progress.spec.grace_days
    if standing.days.open_between(max(due_by, day), first) <= grace:
        return None
    return Finding(
        "booked_late",
        "warning",
        days=standing.days.lateness(due_by, first),
        limit=grace,
        session=progress.taken + 1,
        on=date.fromordinal(first),
    )


def _contraindicated(standing: Standing, ahead: Sequence[int]) -> Finding | None:
    barred = standing.history.barred
    if not barred or not ahead:
        return None
    count = len(barred) - bisect_left(barred, ahead[0])
    return Finding("contraindicated", "serious", count=count) if count else None


def _decision_due(standing: Standing) -> Finding | None:
    spec, taken = standing.progress.spec, standing.progress.taken
    if spec.target is not None or spec.sessions_min is None or spec.sessions_max is None:
        return None
    if spec.sessions_min == spec.sessions_max or taken < spec.sessions_min:
        return None
    return Finding("decision_due", "notice", count=taken, limit=spec.sessions_max)


def _interrupted(standing: Standing, day: int, state: State) -> Finding | None:
    if not standing.last_touch or state not in INTERRUPTED_STATES:
        return None
    days = day - standing.last_touch
    limit = standing.progress.cadence.period_max + standing.progress.spec.lapse_days
    return Finding("interrupted", "notice", days=days, limit=limit) if days > limit else None


def _lapsed(standing: Standing, day: int, late: int) -> Finding:
    limit = standing.progress.spec.lapse_days
    return Finding(
        "lapsed",
        "serious",
        days=late,
        since=_passed_on(standing, limit),
        cause=standing.history.cause(standing.last_on, day),
        limit=limit,
        session=standing.progress.taken + 1,
    )


def _misbooked(count: int) -> Finding | None:
    return Finding("misbooked", "warning", count=count) if count else None


def _missed_streak(standing: Standing, day: int) -> Finding | None:
    missed = standing.history.missed
    if len(missed) < 2:
        return None
    count = bisect_right(missed, day) - bisect_right(missed, standing.last_on)
    return Finding("missed_streak", "warning", count=count, limit=2) if count >= 2 else None


def _off_protocol(standing: Standing) -> Finding | None:
    count = standing.history.off_protocol
    return Finding("off_protocol", "notice", count=count) if count else None


def _overdue(standing: Standing, day: int, late: int) -> Finding:
    progress = standing.progress
    limit = progress.spec.grace_days
    return Finding(
        "overdue",
        "serious" if late > 2 * progress.cadence.period_max else "warning",
        days=late,
        since=_passed_on(standing, limit),
        cause=standing.history.cause(standing.last_on, day),
        limit=limit,
        session=progress.taken + 1,
    )


def _passed_on(standing: Standing, limit: int) -> date:
    """Return the first day on which the lateness is above a limit."""
    return date.fromordinal(standing.days.nth_open(standing.progress.due_by(), limit + 1))


def _too_frequent(days: int) -> Finding | None:
    return Finding("too_frequent", "notice", days=days) if days else None


def _unbooked(standing: Standing, day: int, state: State, ahead: Sequence[int]) -> Finding | None:
    if ahead or state not in UNBOOKED_STATES:
        return None
    due_from = standing.bookable_from(day)
    since = due_from - standing.history.lead_days
    if day < since:
        return None
    return Finding(
        "unbooked",
        "notice" if day < due_from else "warning",
        days=day - since,
        since=date.fromordinal(since),
        session=standing.progress.taken + 1,
        on=date.fromordinal(due_from),
    )


def _unrecorded(count: int) -> Finding | None:
    return Finding("unrecorded", "notice", count=count) if count else None
