"""The next date on which time alone changes an assessment: `next_check_on` in docs/domain.md, section Drift.

Instead of walking day by day it jumps: every rule says how long it cannot turn, and the nearest such day is
looked at. Where it is plain that something turns there, it is not even looked at.
"""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import date
from typing import Final

from courses.core.cadence import NEVER
from courses.core.findings import INTERRUPTED_STATES, UNBOOKED_STATES, judge
from courses.core.standing import Standing
from courses.core.types import Finding, State

CHECK_WITHIN_DAYS: Final = 800


def next_check_on(standing: Standing, state: State, findings: Sequence[Finding]) -> date | None:
    """Return the first later day on which the state or the kinds and severities found are others.

    None when there is no such day within 800 days.
    """
    before = _signature(state, findings)
    day = standing.day
    limit = day + CHECK_WITHIN_DAYS
    while True:
        day, is_certain = _next_turn(standing, day, state)
        if day > limit:
            return None
        if is_certain:
            return date.fromordinal(day)
        if day >= standing.stale_on:
            standing = Standing(standing.history, date.fromordinal(day))
        if _signature(*judge(standing, day)) != before:
            return date.fromordinal(day)


def _signature(state: State, findings: Sequence[Finding]) -> tuple[State, set[tuple[str, str]]]:
    return state, {(finding.kind, finding.severity) for finding in findings}


def _next_turn(standing: Standing, day: int, state: State) -> tuple[int, bool]:
    """Return a later day before which nothing can change, and whether something is certain to change then.

    A turn is certain where one rule turns and nothing else can undo it on the same day.
    """
    bookings = standing.history.bookings
    past = bisect_left(bookings, day)
    ahead = bookings[past:]
    certain, possible = NEVER, standing.next_event
    if ahead:
        # A booking that passes without an outcome becomes unrecorded, and the windows chain without it.
        if past:
            possible = min(possible, ahead[0] + 1)
        else:
            certain = ahead[0] + 1
    if standing.days.open_ended_from <= day:
        possible = min(possible, _turn_of_open_pause(standing, day, ahead))
    if state == "finished":
        return min(certain, possible), certain < possible
    for first, last in standing.days.spans:
        if first > day:
            certain = min(certain, first)
            break
        if last >= day:
            # The next pause may follow at once; an open one ends only with the as-of date.
            if first != standing.days.open_ended_from:
                possible = min(possible, last + 1)
            break
    certain = min(certain, _turn_of_rules(standing, day, state, ahead))
    return min(certain, possible), certain < possible


def _turn_of_open_pause(standing: Standing, day: int, ahead: Sequence[int]) -> int:
    """Return the next day if an open pause can still revive a phase by pushing its last day ahead, else NEVER."""
    history, progress = standing.history, standing.progress
    if not (ahead or progress.index or progress.is_complete):
        return NEVER
    has_durations = any(phase.duration_days is not None for phase in progress.phases)
    return day + 1 if has_durations and day < history.settled_on() else NEVER


def _turn_of_rules(standing: Standing, day: int, state: State, ahead: Sequence[int]) -> int:
    """Return the next day on which the state or a finding turns while everything but time stands still."""
    progress, days = standing.progress, standing.days
    spec = progress.spec
    turn = _turn_of_state(standing, day, state)
    if standing.last_touch and state in INTERRUPTED_STATES:
        interrupted_on = standing.last_touch + spec.cadence.period_max + spec.lapse_days + 1
        if day < interrupted_on < turn:
            turn = interrupted_on
    if ahead:
        if state != "paused":
            after = max(progress.due_by(), day)
            excess = days.open_between(after, ahead[0]) - spec.grace_days
            if excess > 0:
                turn = min(turn, days.nth_open(after, excess))
    elif state in UNBOOKED_STATES:
        due_from = standing.bookable_from(day)
        for unbooked_on in (due_from - standing.history.lead_days, due_from):
            if day < unbooked_on < turn:
                turn = unbooked_on
    return turn


def _turn_of_state(standing: Standing, day: int, state: State) -> int:
    progress = standing.progress
    spec = progress.spec
    if state == "paused" or state == "lapsed":
        return NEVER
    if state == "not_started":
        return standing.history.start
    if state == "resting":
        return progress.due_from
    if state == "due":
        limit = 0
    elif state == "late":
        limit = spec.grace_days
    else:
        # On its way to lapsed an overdue session turns from a warning into something serious.
        limit = 2 * spec.cadence.period_max
        if limit >= spec.lapse_days or standing.days.lateness(progress.due_by(), day) > limit:
            limit = spec.lapse_days
    return standing.days.nth_open(progress.due_by(), limit + 1)
