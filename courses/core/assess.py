"""Drift: where a course stands on one day, against what was prescribed (docs/domain.md, section Drift).

`assess` is pure: the day is handed in, nothing is read from a clock and nothing is written. Inside,
days are day numbers, as in `courses.core.cadence`.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import date
from typing import Final

from clinics.core import ClinicCalendar
from courses.core.cadence import NEVER, ClientDays, Progress, decide, decisions_until
from courses.core.types import (
    BOOKINGS,
    MISSED,
    Assessment,
    Cause,
    ContraindicationSpan,
    Finding,
    Gap,
    Measures,
    PauseSpan,
    Prescription,
    SessionRecord,
    State,
)

CHECK_WITHIN_DAYS: Final = 800
# States in which the client is neither paused nor in trouble enough to be chased for it.
_CALM: Final = frozenset({"not_started", "resting", "due", "late"})


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
    case = _Case(prescription, sessions, pauses, contraindications, calendar, booking_lead_days, off_protocol)
    day = today.toordinal()
    view = _View(case, day)
    state, findings = view.judge(day)
    progress = view.progress
    finished = progress.is_complete
    return Assessment(
        state,
        None if finished else progress.index,
        None if finished else progress.taken + 1,
        None if finished else date.fromordinal(progress.due_from),
        None if finished else date.fromordinal(progress.due_by()),
        tuple(view.gaps),
        _measures(view),
        tuple(findings),
        _next_check_on(view, state, findings),
    )


class _Case:
    """The request in day numbers, sorted, as it stays while the as-of date moves on."""

    __slots__ = (
        "attended",
        "bookings",
        "calendar",
        "cancelled",
        "contraindicated",
        "has_durations",
        "lead",
        "missed",
        "off_protocol",
        "pauses",
        "prescription",
        "start",
    )

    def __init__(
        self,
        prescription: Prescription,
        sessions: Sequence[SessionRecord],
        pauses: Sequence[PauseSpan],
        contraindications: Sequence[ContraindicationSpan],
        calendar: ClinicCalendar,
        lead: int,
        off_protocol: int,
    ) -> None:
        self.prescription = prescription
        self.pauses = pauses
        self.start = prescription.start_on.toordinal()
        self.has_durations = any(phase.duration_days is not None for phase in prescription.phases)
        self.contraindicated = [
            (span.from_on.toordinal(), NEVER if span.to_on is None else span.to_on.toordinal())
            for span in contraindications
        ]
        self.calendar = calendar
        self.lead = lead
        self.off_protocol = off_protocol
        self.attended: list[int] = []
        self.bookings: list[int] = []
        self.missed: list[int] = []
        self.cancelled: list[tuple[int, str]] = []
        for session in sessions:
            status = session.status
            on = session.on.toordinal()
            if status == "attended":
                self.attended.append(on)
            elif status in BOOKINGS:
                self.bookings.append(on)
            elif status in MISSED:
                self.missed.append(on)
            elif status != "planned":
                self.cancelled.append((on, status))
        self.attended.sort()
        self.bookings.sort()
        self.missed.sort()

    def cause(self, after: int, upto: int) -> Cause:
        """Return who stood in the way after one day, up to and including the other."""
        client = any(after < on <= upto for on in self.missed)
        clinic = False
        for on, status in self.cancelled:
            if after < on <= upto:
                if status == "cancelled_by_clinic":
                    clinic = True
                else:
                    client = True
        if client:
            return "both" if clinic else "client"
        return "clinic" if clinic else "scheduling"

    def next_event(self, day: int) -> int:
        """Return the next day with an outcome or a decision that is not yet seen on a day."""
        nearest = NEVER
        for dates in (self.attended, self.missed):
            if dates and dates[-1] > day:
                nearest = min(nearest, dates[bisect_right(dates, day)])
        plan = self.prescription
        for decided in (*plan.restarts, *(end.on for end in plan.phases_ended)):
            if day < decided.toordinal() < nearest:
                nearest = decided.toordinal()
        return nearest

    def settled_on(self) -> int:
        """Return a day from which on an open pause moves nothing but its own end.

        It pushes the last day of a phase ahead of itself, past every date and window that is fixed.
        """
        plan = self.prescription
        fixed = [plan.start_on, *plan.restarts, *(end.on for end in plan.phases_ended)]
        fixed.extend(day for pause in self.pauses for day in (pause.from_on, pause.to_on) if day)
        dates = [*map(date.toordinal, fixed), *self.attended, *self.bookings]
        cadences = [phase.cadence for phase in plan.phases]
        return max(dates) + sum(cadence.period_min + cadence.rest_days for cadence in cadences) + 1


class _View:
    """The case as seen on a day: the progress so far and how each attended session lay in its window.

    It holds as well for every later day before `stale_on`.
    """

    __slots__ = (
        "before_ends",
        "case",
        "day",
        "days",
        "early_days",
        "ends_today",
        "gaps",
        "last_on",
        "last_restart",
        "last_touch",
        "next_event",
        "progress",
        "slippage",
        "stale_on",
    )

    def __init__(self, case: _Case, day: int) -> None:
        self.case = case
        self.day = day
        self.days = ClientDays(case.calendar, case.pauses, today=date.fromordinal(day))
        self.gaps: list[Gap] = []
        self.slippage = 0
        self.early_days = 0
        self.last_restart = 0
        self.before_ends: Progress | None = None
        self.ends_today: list[tuple[int, int, int]] = []
        self.progress = Progress(case.prescription.phases, case.start, self.days)
        self._walk()
        self.last_touch = max(self.last_on or 0, self.last_restart)
        self.next_event = min(case.next_event(day), self.progress.last_day + 1)
        if self.days.open_ended_from > day:
            self.next_event = min(self.next_event, self.days.open_ended_from)
            self.stale_on = self.next_event
        else:
            self.stale_on = day + 1

    def _walk(self) -> None:
        case, progress, today = self.case, self.progress, self.day
        decisions = decisions_until(case.prescription, today)
        before: int | None = None
        for on in case.attended[: bisect_right(case.attended, today)]:
            while decisions and decisions[-1][0] < 3 * on + 1:
                self._decide(decisions.pop())
            progress.roll(on)
            self.early_days = 0
            if not progress.is_complete:
                self._attend(on, before)
            before = on
        self.last_on = before
        while decisions and decisions[-1][0] < 3 * today + 2:
            self._decide(decisions.pop())
        if decisions:
            # A booking on the very day a phase is ended still belongs to that phase.
            self.before_ends = progress.copy()
            self.ends_today = decisions[::-1]
        for decision in self.ends_today:
            self._decide(decision)
        progress.roll(today)

    def _decide(self, decision: tuple[int, int, int]) -> None:
        decide(self.progress, decision)
        if decision[2] < 0:
            self.last_restart = decision[1]

    def _attend(self, on: int, before: int | None) -> None:
        progress = self.progress
        due_by = progress.due_by()
        early = self.early_days = progress.earliness(on)
        late = self.days.lateness(due_by, on)
        self.gaps.append(
            Gap(
                progress.index,
                progress.taken + 1,
                date.fromordinal(on),
                date.fromordinal(progress.due_from),
                date.fromordinal(due_by),
                None if before is None else on - before,
                "early" if early else "late" if late else "on_time",
                early or late,
                self.case.cause(before or 0, on) if late else None,
            )
        )
        progress.attend(on, late)

    def judge(self, day: int) -> tuple[State, list[Finding]]:
        """Return the state and the findings, by kind, on the view's day or a later one before `stale_on`."""
        state, late = self._state(day)
        return state, _findings(self, day, state, late)

    def _state(self, day: int) -> tuple[State, int]:
        progress = self.progress
        if progress.is_complete:
            return "finished", 0
        late = self.days.lateness(progress.due_by(), day)
        spec = progress.spec
        if self.days.pause_on(day):
            return "paused", late
        if self.last_on is None and day < self.case.start:
            return "not_started", late
        if day < progress.due_from:
            return "resting", late
        if late == 0:
            return "due", late
        if late <= spec.grace_days:
            return "late", late
        return ("overdue" if late <= spec.lapse_days else "lapsed"), late

    def bookings_from(self, day: int) -> list[int]:
        """Return the bookings on a day or later."""
        bookings = self.case.bookings
        return bookings[bisect_left(bookings, day) :]

    def bookable_from(self, day: int) -> int:
        """Return the day from which the next session should come: due_from, or after the pause a day lies in.

        In a pause without an end there is none: NEVER.
        """
        pause = self.days.pause_on(day)
        if pause is None:
            return self.progress.due_from
        if pause[0] == self.days.open_ended_from:
            return NEVER
        return max(self.progress.due_from, pause[1] + 1)

    def chain(self, day: int) -> tuple[int, int]:
        """Return the largest earliness of the bookings from a day on, and how many of them are misplaced.

        Each is taken to be attended, so that the window of the next follows from it.
        """
        early = misbooked = 0
        progress = (self.before_ends if day == self.day and self.before_ends else self.progress).copy()
        ends = list(self.ends_today) if day == self.day else []
        for on in self.bookings_from(day):
            while ends and on > day:
                decide(progress, ends.pop(0))
            progress.roll(on)
            if progress.is_complete or not self.days.is_bookable(on):
                misbooked += 1
            if not progress.is_complete:
                early = max(early, progress.earliness(on))
                progress.attend(on)
        return early, misbooked


def _findings(view: _View, day: int, state: State, late: int) -> list[Finding]:
    """Return the findings of a day in the order of their kinds."""
    bookings = view.bookings_from(day)
    early, misbooked = view.chain(day) if bookings else (0, 0)
    found = [
        _contraindicated(view.case, bookings),
        _misbooked(misbooked),
        _unrecorded(view.case, day),
    ]
    if state != "finished":
        found += [
            _behind(view),
            _booked_late(view, day, state, bookings),
            _decision_due(view),
            _interrupted(view, day, state),
            _overdue_or_lapsed(view, day, state, late),
            _missed_streak(view, day),
            _off_protocol(view.case),
            _too_frequent(view, early),
            _unbooked(view, day, state, bookings),
        ]
    return sorted((finding for finding in found if finding), key=lambda finding: finding.kind)


def _behind(view: _View) -> Finding | None:
    limit = 2 * view.progress.spec.cadence.period_max
    days = view.progress.slippage
    return Finding("behind", "warning", days=days, limit=limit) if days > limit else None


def _booked_late(view: _View, day: int, state: State, bookings: list[int]) -> Finding | None:
    progress = view.progress
    if state == "paused" or not bookings:
        return None
    first, due_by, grace = bookings[0], progress.due_by(), progress.spec.grace_days
    if view.days.open_between(max(due_by, day), first) <= grace:
        return None
    return Finding(
        "booked_late",
        "warning",
        days=view.days.lateness(due_by, first),
        limit=grace,
        session=progress.taken + 1,
        on=date.fromordinal(first),
    )


def _contraindicated(case: _Case, bookings: list[int]) -> Finding | None:
    count = sum(any(first <= on <= last for first, last in case.contraindicated) for on in bookings)
    return Finding("contraindicated", "serious", count=count) if count else None


def _decision_due(view: _View) -> Finding | None:
    spec, taken = view.progress.spec, view.progress.taken
    if spec.target is not None or spec.sessions_min is None or spec.sessions_max is None:
        return None
    if spec.sessions_min == spec.sessions_max or taken < spec.sessions_min:
        return None
    return Finding("decision_due", "notice", count=taken, limit=spec.sessions_max)


def _interrupted(view: _View, day: int, state: State) -> Finding | None:
    since = view.last_touch
    if not since or (state != "paused" and state not in _CALM):
        return None
    spec = view.progress.spec
    limit = spec.cadence.period_max + spec.lapse_days
    return Finding("interrupted", "notice", days=day - since, limit=limit) if day - since > limit else None


def _misbooked(count: int) -> Finding | None:
    return Finding("misbooked", "warning", count=count) if count else None


def _missed_streak(view: _View, day: int) -> Finding | None:
    missed = view.case.missed
    count = bisect_right(missed, day) - bisect_right(missed, view.last_on or 0)
    return Finding("missed_streak", "warning", count=count, limit=2) if count >= 2 else None


def _off_protocol(case: _Case) -> Finding | None:
    return Finding("off_protocol", "notice", count=case.off_protocol) if case.off_protocol else None


def _overdue_or_lapsed(view: _View, day: int, state: State, late: int) -> Finding | None:
    spec, due_by = view.progress.spec, view.progress.due_by()
    if state == "overdue":
        limit = spec.grace_days
        serious = late > 2 * spec.cadence.period_max
    elif state == "lapsed":
        limit, serious = spec.lapse_days, True
    else:
        return None
    return Finding(
        state,
        "serious" if serious else "warning",
        days=late,
        since=date.fromordinal(view.days.nth_open(due_by, limit + 1)),
        cause=view.case.cause(view.last_on or 0, day),
        limit=limit,
        session=view.progress.taken + 1,
    )


def _too_frequent(view: _View, early: int) -> Finding | None:
    days = max(view.early_days, early)
    return Finding("too_frequent", "notice", days=days) if days else None


def _unbooked(view: _View, day: int, state: State, bookings: list[int]) -> Finding | None:
    if bookings or (state != "paused" and state not in _CALM):
        return None
    due_from = view.bookable_from(day)
    since = due_from - view.case.lead
    if day < since:
        return None
    return Finding(
        "unbooked",
        "notice" if day < due_from else "warning",
        days=day - since,
        since=date.fromordinal(since),
        session=view.progress.taken + 1,
        on=date.fromordinal(due_from),
    )


def _unrecorded(case: _Case, day: int) -> Finding | None:
    count = bisect_left(case.bookings, day)
    return Finding("unrecorded", "notice", count=count) if count else None


def _measures(view: _View) -> Measures:
    case, gaps = view.case, view.gaps
    attended = bisect_right(case.attended, view.day)
    missed = bisect_right(case.missed, view.day)
    verdicts = [gap.verdict for gap in gaps]
    finished = view.progress.is_complete
    return Measures(
        attended,
        _rate(attended, attended + missed),
        _rate(verdicts.count("on_time"), len(gaps)),
        _rate(verdicts.count("early"), len(gaps)),
        _rate(verdicts.count("late"), len(gaps)),
        None if finished else view.progress.slippage,
        None if finished else date.fromordinal(_projected_end(view.progress, view.day)),
    )


def _rate(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _projected_end(progress: Progress, today: int) -> int:
    """Return the last day of the current phase if the next session comes at once, the others on their due_by."""
    spec, days = progress.spec, progress.days
    on = days.first_open(max(today, progress.due_from))
    last_day = progress.last_day
    if last_day == NEVER and spec.duration_days is not None:
        last_day = days.after_unpaused(on, spec.duration_days)
    if spec.amount is None:
        return last_day
    ahead = progress.copy()
    ahead.last_day = NEVER
    for _ in range(spec.amount - progress.taken - 1):
        if on >= last_day:
            break
        ahead.attend(on)
        on = ahead.due_by()
    return min(on, last_day)


def _next_check_on(view: _View, state: State, findings: list[Finding]) -> date | None:
    """Return the first later day on which the state or the kinds and severities found are others."""
    before = state, {(finding.kind, finding.severity) for finding in findings}
    day = view.day
    limit = day + CHECK_WITHIN_DAYS
    while (day := _next_flip(view, day, state)) <= limit:
        if day >= view.stale_on:
            view = _View(view.case, day)
        state, findings = view.judge(day)
        if (state, {(finding.kind, finding.severity) for finding in findings}) != before:
            return date.fromordinal(day)
    return None


def _next_flip(view: _View, day: int, state: State) -> int:
    """Return a later day before which nothing can change: the nearest at which some rule could turn."""
    case, progress, days = view.case, view.progress, view.days
    paused_openly = days.open_ended_from <= day
    turns = [view.next_event]
    if paused_openly and case.has_durations and day < case.settled_on():
        turns.append(day + 1)
    bookings = view.bookings_from(day)
    if bookings:
        turns.append(bookings[0] + 1)
    if progress.is_complete:
        return min(turns)
    for first, last in days.spans:
        if first > day:
            turns.append(first)
        elif last >= day and not paused_openly:
            turns.append(last + 1)
    spec, due_by = progress.spec, progress.due_by()
    if view.last_touch:
        turns.append(view.last_touch + spec.cadence.period_max + spec.lapse_days + 1)
    if not (paused_openly and state == "paused"):
        turns += [case.start, progress.due_from]
        if not bookings:
            turns.append(view.bookable_from(day) - case.lead)
        if state != "paused":
            late = days.lateness(due_by, day)
            limits = (0, spec.grace_days, 2 * spec.cadence.period_max, spec.lapse_days)
            turns += [days.nth_open(due_by, limit + 1) for limit in limits if limit >= late]
            if bookings:
                after = max(due_by, day)
                excess = days.open_between(after, bookings[0]) - spec.grace_days
                if excess > 0:
                    turns.append(days.nth_open(after, excess))
    return min(turn for turn in turns if turn > day)
