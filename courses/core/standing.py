"""A course in day numbers, and how it stands as seen on one day; what `courses.core.assess` judges.

Day numbers are `date.toordinal()`, as in `courses.core.cadence`.
"""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date
from operator import attrgetter
from typing import Final

from clinics.core import ClinicCalendar
from courses.core.cadence import NEVER, ClientDays, Progress, Visit, decide, decisions_until
from courses.core.types import (
    BOOKINGS,
    MISSED,
    Cause,
    ContraindicationSpan,
    Gap,
    PauseSpan,
    Prescription,
    SessionRecord,
)

_date = date.fromordinal
_FROM_TUPLE: Final = tuple.__new__  # a dozen gaps an assessment: the constructor would take twice as long


class History:
    """Prescription, sessions and calendar, sorted by day: all that stays the same while the as-of date moves."""

    __slots__ = (
        "attended",
        "barred",
        "bookings",
        "calendar",
        "cancelled",
        "lead_days",
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
        lead_days: int,
        off_protocol: int,
    ) -> None:
        self.prescription = prescription
        self.start = prescription.start_on.toordinal()
        self.pauses = pauses
        self.calendar = calendar
        self.lead_days = lead_days
        self.off_protocol = off_protocol
        self.attended: list[int] = []
        self.bookings: list[int] = []
        self.missed: list[int] = []
        self.cancelled: list[tuple[int, str]] = []
        for session in sessions:
            status = session.status
            if status == "attended":
                self.attended.append(session.on.toordinal())
            elif status in BOOKINGS:
                self.bookings.append(session.on.toordinal())
            elif status in MISSED:
                self.missed.append(session.on.toordinal())
            elif status != "planned":
                self.cancelled.append((session.on.toordinal(), status))
        self.attended.sort()
        self.bookings.sort()
        self.missed.sort()
        # The bookings on days with an active contraindication.
        self.barred = _inside(self.bookings, contraindications) if contraindications else []

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
        """Return the next day with an outcome or a decision that is not yet seen on a day, else NEVER."""
        nearest = NEVER
        for dates in (self.attended, self.missed):
            if dates and dates[-1] > day:
                nearest = min(nearest, dates[bisect_right(dates, day)])
        plan = self.prescription
        if plan.restarts or plan.phases_ended:
            for decided_on in (*plan.restarts, *(end.on for end in plan.phases_ended)):
                if day < decided_on.toordinal() < nearest:
                    nearest = decided_on.toordinal()
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


def _inside(days: Sequence[int], spans: Sequence[ContraindicationSpan]) -> list[int]:
    """Return those of the days, both in order, that lie in one of the spans."""
    inside, ends = [], 0
    starts = sorted(spans, key=attrgetter("from_on"), reverse=True)
    for day in days:
        while starts and starts[-1].from_on.toordinal() <= day:
            to_on = starts.pop().to_on
            ends = max(ends, NEVER if to_on is None else to_on.toordinal())
        if day <= ends:
            inside.append(day)
    return inside


class Standing:
    """A history as seen on a day: the progress so far and how each attended session lay in its window.

    It holds for every later day before `stale_on` too. `last_touch` is the later of the last attended
    date and the last restart, `next_event` the next day on which something other than time changes it.
    Days that there are not are 0.
    """

    __slots__ = (
        "before_ends",
        "day",
        "days",
        "early_count",
        "early_days",
        "ends_today",
        "gaps",
        "history",
        "last_on",
        "last_restart",
        "last_touch",
        "late_count",
        "next_event",
        "progress",
        "stale_on",
    )

    def __init__(self, history: History, today: date) -> None:
        self.history = history
        self.day = day = today.toordinal()
        self.days = days = ClientDays(history.calendar, history.pauses, today=today)
        self.progress = Progress(history.prescription.phases, history.start, days)
        self.gaps: list[Gap] = []
        self.early_days = self.early_count = self.late_count = 0
        self.last_on = self.last_restart = 0
        self.before_ends: Progress | None = None
        self.ends_today: list[tuple[int, int, int]] = []
        self._walk()
        self.last_touch = max(self.last_on, self.last_restart)
        event = min(history.next_event(day), self.progress.last_day + 1)
        if days.open_ended_from > day:
            self.next_event = self.stale_on = min(event, days.open_ended_from)
        else:
            self.next_event, self.stale_on = event, day + 1

    def _walk(self) -> None:
        today, progress = self.day, self.progress
        attended = self.history.attended
        if attended and attended[-1] > today:
            attended = attended[: bisect_right(attended, today)]
        decisions = decisions_until(self.history.prescription, today)
        before = 0
        for on in attended:
            while decisions and decisions[-1][0] < 3 * on + 1:
                self._decide(decisions.pop())
            visit = progress.visit(on)
            if visit is None:
                self.early_days = 0
            else:
                self._note(visit, on, before)
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
        if today > progress.last_day:
            progress.roll(today)

    def _decide(self, decision: tuple[int, int, int]) -> None:
        decide(self.progress, decision)
        if decision[2] < 0:
            self.last_restart = decision[1]

    def _note(self, visit: Visit, on: int, before: int) -> None:
        phase, session, due_from, due_by, early, late = visit
        self.early_days = early
        verdict, cause = "on_time", None
        if early:
            verdict = "early"
            self.early_count += 1
        elif late:
            verdict, cause = "late", self.history.cause(before, on)
            self.late_count += 1
        since = on - before if before else None
        gap = (
            phase,
            session,
            _date(on),
            _date(due_from),
            _date(due_by),
            since,
            verdict,
            early or late,
            cause,
        )
        self.gaps.append(_FROM_TUPLE(Gap, gap))

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

    def chain(self, bookings: Sequence[int], day: int) -> tuple[int, int]:
        """Return the largest earliness of the bookings from a day on, and how many of them are misplaced.

        Each is taken to be attended, so that the window of the next follows from it.
        """
        ends = self.ends_today if day == self.day else []
        progress = self.progress
        if len(bookings) == 1 and not ends and bookings[0] <= progress.last_day and not progress.is_complete:
            on = bookings[0]
            return progress.earliness(on), int(not self.days.is_bookable(on))
        progress = (self.before_ends if ends and self.before_ends else progress).copy()
        early = misbooked = 0
        for on in bookings:
            if ends and on > day:
                for decision in ends:
                    decide(progress, decision)
                ends = []
            visit = progress.visit(on)
            if visit is not None:
                early = max(early, visit[4])
            if visit is None or not self.days.is_bookable(on):
                misbooked += 1
        return early, misbooked
