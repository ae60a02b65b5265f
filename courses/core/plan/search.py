"""The search over dates: A* with costs compared in the order of docs/domain.md, section Planning.

Why dates are enough. The day decides the slot (see `slots`), so a plan is a set of dates, and what a date costs
depends on the dates before it only through `Progress`. Places of the search are therefore (progress, sessions
placed, kept sessions passed); two ways to one place differ in their past only, and the cheaper past stays cheaper
whatever follows, as costs are sums compared in one order.

Why the optimum is found. A place is ranked by the cost spent so far plus a bound never above what must follow:
the sessions that cannot be placed any more (`Reach`), and zero for the rest. No later cost is negative, so places
come off the heap in an order in which the first complete plan is a cheapest one. Dates of one place are tried in the
order of their lateness, which only grows, so a date not tried yet is never cheaper than its entry on the heap.
All places as cheap as the optimum are then still worked off, and of all cheapest plans the one with the earliest
last date, then with the earliest dates in order, is read from the links between them. A kept session ends with a
place of its own for each last planned date (part of the key), as that date decides between equals too.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Final, NamedTuple

from courses.core.cadence import NEVER, ClientDays, Progress, decide
from courses.core.plan.slots import DaySlots

# One whole number holds the four costs in order, so that one comparison compares them all; sums stay far below 2**32.
PLACE: Final = 32
UNPLACED: Final = 3 * PLACE
OUTSIDE: Final = 2 * PLACE
MISSED: Final = PLACE


class Event(NamedTuple):
    """A kept session, or a decision of a prescriber, that the search passes in the order of time.

    `moment` is on the scale of `decisions_until`: three a day, a session in the middle.
    """

    moment: int
    decision: tuple[int, int, int] | None

    @property
    def day(self) -> int:
        return self.moment // 3


@dataclass(frozen=True, slots=True)
class Task:
    """What the search is given: where the course stands, what is fixed ahead, how many sessions to place.

    `events` are in the order of time. The first `hurried` sessions aim at the shortest gap.
    """

    progress: Progress
    events: tuple[Event, ...]
    count: int
    hurried: int
    slots: DaySlots


class Place:
    """A point of the search: all sessions up to a date are settled."""

    __slots__ = ("cost", "last_planned", "links", "passed", "placed", "progress", "short")

    def __init__(self, progress: Progress, placed: int, passed: int, last_planned: int) -> None:
        self.progress = progress
        self.placed = placed
        self.passed = passed
        self.last_planned = last_planned
        self.cost = -1
        self.short = 0  # at least so many sessions stay unplaced from here
        self.links: list[tuple[Place, int]] = []  # the cheapest ways here: the place before, the day placed or 0

    def key(self) -> tuple[object, ...]:
        progress = self.progress
        return (
            self.placed,
            self.passed,
            self.last_planned,
            progress.index,
            progress.taken,
            progress.recent or (progress.anchor, progress.origin),
            progress.last_on,
            progress.last_day,
            # An earlier end of a phase matters only while it lies ahead of the last session.
            progress.left_on if progress.left_on > (progress.last_on or 0) else 0,
            progress.is_complete,
        )


class Candidates(NamedTuple):
    """Days not tried yet for the next session of a place, all in one phase; `progress` has entered it."""

    place: Place
    progress: Progress
    day: int
    until: int


def session_cost(
    progress: Progress, on: int, outside: int, missed: int, preferred_gap: int
) -> int:
    """Return the cost of one session, packed, from its window and the session before."""
    gap = 0 if progress.last_on is None else abs(on - progress.last_on - preferred_gap)
    return (outside << OUTSIDE) + (missed << MISSED) + gap


def preferred_gap(progress: Progress, placed: int, hurried: int) -> int:
    """Return the days to aim at before the next session."""
    cadence = progress.spec.cadence
    return cadence.first_gap_days if placed < hurried else cadence.preferred_gap_days
