"""Windows, lateness and the progress through the phases: docs/domain.md, section Cadence.

Everything here counts in day numbers (`date.toordinal()`).

`ClientDays` answers which days are lost to the client; `Progress` is the one place that knows which
phase a session belongs to, when it is due and when a phase and the course are complete. It is
walked in the order of time: `restart` before `attend` before `end` on one day.

    days = ClientDays(calendar, pauses, today=today)
    progress = replay(prescription, attended_dates, days, today=today)
    while not progress.is_complete:                # chain through bookings or planned sessions
        progress.due_from, progress.due_by()       # the window of the next session
        progress.roll(on)                          # phases that run out before `on`; may move to the next
        if progress.is_complete: ...               # nothing is prescribed on that day
        progress.earliness(on), days.lateness(progress.due_by(), on)
        progress.attend(on)

A search keeps a `copy()` at each branch, which is cheap; `key()` is equal for two walks from which
everything that follows is the same.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Final, Literal

from clinics.core import ClinicCalendar
from courses.core.types import PauseSpan, PhaseSpec, Prescription

Origin = Literal["start", "restart", "phase", "session"]
# Of a session: its phase, its number in it, due_from, due_by, earliness and lateness.
Visit = tuple[int, int, int, int, int, int]
NEVER: Final = 1 << 40  # a day number after every date


class ClientDays:
    """The days open to one client as seen on `today`: the clinic's, less the paused ones.

    Pauses must not overlap. An open-ended one counts from its start up to `today`, no further.
    `open_ended_from` is the start of that pause (else NEVER), for what lies on a day without an end.
    """

    __slots__ = ("_lasts", "calendar", "open_ended_from", "spans", "today")

    def __init__(self, calendar: ClinicCalendar, pauses: Sequence[PauseSpan], *, today: date) -> None:
        self.calendar = calendar
        self.today = today.toordinal()
        self.open_ended_from = NEVER
        self.spans: list[tuple[int, int]] = []
        for pause in pauses:
            first = pause.from_on.toordinal()
            if pause.to_on is not None:
                self.spans.append((first, pause.to_on.toordinal()))
                continue
            self.open_ended_from = first
            if first <= self.today:
                self.spans.append((first, self.today))
        self.spans.sort()
        self._lasts = [last for _, last in self.spans]

    def _from(self, day: int) -> Iterator[tuple[int, int]]:
        """Yield the pauses that end on a day or later, in order; the many before it are passed over at once."""
        spans = self.spans
        for index in range(bisect_left(self._lasts, day), len(spans)):
            yield spans[index]

    def pause_on(self, day: int) -> tuple[int, int] | None:
        """Return the pause that a day lies in."""
        over = bisect_left(self._lasts, day)
        return self.spans[over] if over < len(self.spans) and self.spans[over][0] <= day else None

    def is_open(self, day: int) -> bool:
        """Return whether the client could come on a day: neither paused nor closed."""
        return self.calendar.opens_on(day) and self.pause_on(day) is None

    def is_bookable(self, day: int) -> bool:
        """Return whether a session may lie on a day; here an open-ended pause has no end."""
        return day < self.open_ended_from and self.is_open(day)

    def first_open(self, day: int) -> int:
        """Return the first day open to the client on or after a day."""
        day = self.calendar.first_open(day)
        if not self.spans:
            return day
        for first, last in self._from(day):
            if first > day:
                break
            if last >= day:
                day = self.calendar.first_open(last + 1)
        return day

    def after_unpaused(self, start: int, count: int) -> int:
        """Return the day on which `count` days that are not paused have passed since `start`."""
        day = start + count
        if not self.spans:
            return day
        for first, last in self._from(start + 1):
            if first > day:
                break
            day += last - max(first, start + 1) + 1
        return day

    def open_between(self, after: int, upto: int) -> int:
        """Return how many days open to the client lie after one day, up to and including the other."""
        if upto <= after:
            return 0
        count = self.calendar.open_through
        found = count(upto) - count(after)
        if not self.spans:
            return found
        for first, last in self._from(after + 1):
            if first > upto:
                break
            found -= count(min(last, upto)) - count(max(first - 1, after))
        return found

    # The lateness L(x) of a session on x is the open days after its due_by up to and including x.
    lateness = open_between

    def nth_open(self, after: int, n: int) -> int:
        """Return the n-th day (1-based) open to the client after a day."""
        day = self.calendar.nth_open(after, n)
        for first, last in self._from(after + 1):
            if first > day:
                break
            from_day = max(first - 1, after)
            taken = self.calendar.open_through(last) - self.calendar.open_through(from_day)
            if taken:
                day = self.calendar.nth_open(after, n + taken)
                n += taken
        return day


class Progress:
    """How far a course has come through its phases, as a walk that is moved on day by day.

    `index` is the current phase (0-based), `taken` what was attended in it, `recent` the last dates
    since its last restart (as many as the frequency, oldest first), `due_from` the next window's start.
    `origin` tells what that window counts from, `left_on` where the phases before came to their end,
    `slippage` the lateness in this phase since its last restart.
    """

    __slots__ = (
        "_due_by",
        "anchor",
        "cadence",
        "days",
        "due_from",
        "index",
        "is_complete",
        "last_day",
        "last_on",
        "left_on",
        "origin",
        "phases",
        "recent",
        "slippage",
        "spec",
        "taken",
    )

    def __init__(self, phases: Sequence[PhaseSpec], start: int, days: ClientDays) -> None:
        self.phases = phases
        self.days = days
        self.index = 0
        self.spec = phases[0]
        self.cadence = self.spec.cadence
        self.taken = 0
        self.recent: tuple[int, ...] = ()
        self.origin: Origin = "start"
        self.anchor = start
        self.due_from = start
        self._due_by = 0  # not asked for yet
        self.last_day = NEVER  # of the current phase, once it has started and if it has a duration
        self.last_on: int | None = None  # the last attended session of the course
        self.left_on = 0
        self.slippage = 0
        self.is_complete = False

    def copy(self) -> "Progress":
        """Return an independent walk from the same place."""
        other = object.__new__(Progress)
        # Spelled out, as a search copies at every branch and a loop over the names takes three times as long.
        other.phases = self.phases
        other.days = self.days
        other.index = self.index
        other.spec = self.spec
        other.cadence = self.cadence
        other.taken = self.taken
        other.recent = self.recent
        other.origin = self.origin
        other.anchor = self.anchor
        other.due_from = self.due_from
        other._due_by = self._due_by
        other.last_day = self.last_day
        other.last_on = self.last_on
        other.left_on = self.left_on
        other.slippage = self.slippage
        other.is_complete = self.is_complete
        return other

    def key(self) -> tuple[object, ...]:
        """Return what decides everything that follows, for a search to recognise a place it has been."""
        return (self.index, self.taken, self.recent, self.anchor, self.origin, self.last_day, self.left_on)

    def due_by(self) -> int:
        """Return the last day of the next session's window."""
        if self._due_by:
            return self._due_by
        cadence, days = self.cadence, self.days
        if self.recent:
            due_by = days.after_unpaused(self.recent[0], cadence.most_days)
            if cadence.frequency > 1:
                due_by = max(due_by, days.after_unpaused(self.recent[-1], cadence.share_days))
        else:
            due_by = days.after_unpaused(self.anchor, cadence.period_max)
        if due_by < self.due_from:
            due_by = self.due_from
        due_by = days.first_open(due_by) if days.spans else days.calendar.first_open(due_by)
        self._due_by = due_by
        return due_by

    def earliness(self, on: int) -> int:
        """Return by how many days a session would be early; nothing is too soon after nothing."""
        if on >= self.due_from or self.origin == "restart" or self.origin == "start":
            return 0
        return self.due_from - on

    def roll(self, on: int) -> None:
        """Leave the phases whose duration has run out before a day."""
        while on > self.last_day and not self.is_complete:
            self._leave(self.last_day)

    def visit(self, on: int) -> Visit | None:
        """Count a session attended on a day, and return how it lay in its window, None for an extra one."""
        if on > self.last_day:
            self.roll(on)
        if self.is_complete:
            return None
        due_by = self._due_by or self.due_by()
        early = self.earliness(on) if on < self.due_from else 0
        late = self.days.lateness(due_by, on) if on > due_by else 0
        # The bare tuple: a named one's constructor takes as long as all the rest.
        visit = (self.index, self.taken + 1, self.due_from, due_by, early, late)
        self.attend(on, late)
        return visit

    def attend(self, on: int, late: int = 0) -> None:
        """Count an attended session; `roll(on)` comes first, and the course must not be complete.

        `late` is its lateness, where the caller wants the slippage kept.
        """
        if late and self.origin != "restart" and self.origin != "start":
            self.slippage += late
        cadence = self.cadence
        self.taken += 1
        self.last_on = on
        due_from = on + cadence.rest_days
        frequency = cadence.frequency
        self.recent = recent = (on,) if frequency == 1 else (*self.recent, on)[-frequency:]
        if len(recent) == frequency and recent[0] + cadence.least_days > due_from:
            due_from = recent[0] + cadence.least_days
        self.due_from = due_from
        self.origin = "session"
        self._due_by = 0
        if self.taken == self.spec.amount:
            self._leave(on)
            return
        if self.spec.duration_days is not None:
            if self.last_day == NEVER:
                self._start(on)
            self._leave_if_out()

    def restart(self, on: int) -> None:
        """Count the windows of the phase current on a day anew from that day."""
        self.roll(on)
        if self.is_complete:
            return
        self.recent = ()
        self.origin = "restart"
        self.anchor = self.due_from = on
        self._due_by = 0
        self.slippage = 0

    def end(self, phase: int, on: int) -> None:
        """End a phase on a day by a prescriber's decision; without effect once it is complete."""
        self.roll(on)
        if phase == self.index and not self.is_complete:
            self._leave(on)

    def _start(self, on: int) -> None:
        if self.spec.duration_days is not None:
            self.last_day = self.days.after_unpaused(on, self.spec.duration_days)

    def _leave(self, on: int) -> None:
        """Go on to the next phase, which counts from the latest of what ended the phases before it."""
        self.left_on = max(self.left_on, on, self.last_on or 0)
        self.last_day = NEVER
        self._due_by = 0
        self.slippage = 0
        if self.index + 1 == len(self.phases):
            self.is_complete = True
            return
        self.index += 1
        self.spec = self.phases[self.index]
        self.cadence = self.spec.cadence
        self.taken = 0
        self.recent = ()
        self.origin = "phase"
        self.anchor = self.left_on
        self.due_from = self.anchor + self.cadence.first_gap_days
        self._start(self.anchor)
        self._leave_if_out()

    def _leave_if_out(self) -> None:
        # A phase with no room left for its next session is over from the moment that is known.
        if self.due_from > self.last_day:
            self._leave(self.last_day)


def replay(prescription: Prescription, attended: Iterable[int], days: ClientDays, *, today: date) -> Progress:
    """Return the progress on `today` after the attended sessions and the prescriber's decisions so far.

    `attended` is ordered day numbers up to today. Decisions dated after today are ignored.
    """
    upto = today.toordinal()
    progress, decisions = replay_attended(prescription, attended, days, today=today)
    while decisions:
        decide(progress, decisions.pop())
    progress.roll(upto)
    return progress


def replay_attended(
    prescription: Prescription, attended: Iterable[int], days: ClientDays, *, today: date
) -> tuple[Progress, list[tuple[int, int, int]]]:
    """Return the progress right after the last attended session, and the decisions made since.

    For walks that go on with sessions on the day of a decision; the decisions are as `decisions_until` has them.
    """
    progress = Progress(prescription.phases, prescription.start_on.toordinal(), days)
    decisions = decisions_until(prescription, today.toordinal())
    for on in attended:
        while decisions and decisions[-1][0] < 3 * on + 1:
            decide(progress, decisions.pop())
        progress.roll(on)
        if not progress.is_complete:
            progress.attend(on)
    return progress, decisions


def decisions_until(prescription: Prescription, upto: int) -> list[tuple[int, int, int]]:
    """Return restarts and ends of phases up to a day, the latest first, so that `pop()` takes the next.

    Each is (moment, day, phase), the phase -1 for a restart. A restart comes before a session on its day
    and an end after it: on a scale of three moments a day, a session on day x is at `3 * x + 1`.
    """
    if not prescription.restarts and not prescription.phases_ended:
        return []
    restarts = [(3 * day, day, -1) for day in map(date.toordinal, prescription.restarts) if day <= upto]
    ends = [
        (3 * day + 2, day, end.phase)
        for end in prescription.phases_ended
        if (day := end.on.toordinal()) <= upto
    ]
    return sorted(restarts + ends, reverse=True)


def decide(progress: Progress, decision: tuple[int, int, int]) -> None:
    """Carry out one of `decisions_until`."""
    _, on, phase = decision
    if phase < 0:
        progress.restart(on)
    else:
        progress.end(phase, on)
