"""The search over dates: A* with costs compared in the order of docs/domain.md, section Planning.

Why dates are enough. The day decides the slot (see `slots`), so a plan is a set of dates, and what a date costs
depends on the dates before it only through `Progress`. Places of the search are therefore (progress, sessions
placed, kept sessions passed); two ways to one place differ in their past only, and the cheaper past stays cheaper
whatever follows, as costs are sums compared in one order.

Why the optimum is found. A place is ranked by the cost spent so far plus a bound never above what must follow:
the sessions that cannot be placed any more (`Reach`), then what the others cost at least (`Ahead`). So places come
off the heap in an order in which the first complete plan is a cheapest one. Dates of one place are tried in the
order of their lateness, which only grows, so a date not tried yet is never cheaper than its entry on the heap.
All places as cheap as the optimum are then still worked off, and of all cheapest plans the one with the earliest
last date, then with the earliest dates in order, is read from the links between them. A kept session ends with a
place of its own for each last planned date (part of the key), as that date decides between equals too.
"""

from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from typing import Final, NamedTuple

from courses.core.cadence import NEVER, Progress, decide
from courses.core.plan.ahead import Ahead
from courses.core.plan.costs import MISSED, OUTSIDE, UNPLACED
from courses.core.plan.effort import MOST_PLACES
from courses.core.plan.reach import Reach
from courses.core.plan.task import Event, Task, aimed_gap

# In steps, see `effort`: a way to a place, and a place that nobody has been to.
_WAY_STEPS: Final = 10
_PLACE_STEPS: Final = 15


class Place:
    """A point of the search: all sessions up to a date are settled."""

    __slots__ = ("bound", "cost", "last_planned", "links", "passed", "placed", "progress", "short")

    def __init__(self, progress: Progress, placed: int, passed: int, last_planned: int) -> None:
        self.progress = progress
        self.placed = placed
        self.passed = passed
        self.last_planned = last_planned
        self.cost = -1
        self.short = 0  # at least so many sessions stay unplaced from here
        self.bound = 0  # at least so much is still to come, those sessions included
        # The cheapest ways here: the place before, and the day placed, 0 for a kept session or a decision.
        self.links: list[tuple[Place, int]] = []

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


class End(NamedTuple):
    """A complete plan: everything kept is passed, and no more is placed."""

    place: Place
    cost: int


def find_days(task: Task) -> tuple[int, ...]:
    """Return the days of the planned sessions of the optimal plan, in order; fewer than asked if they do not fit.

    Raises: PlanTooLargeError.
    """
    return _Search(task).run()


class _Search:
    def __init__(self, task: Task) -> None:
        self._task = task
        self._slots = task.slots
        self._effort = task.effort
        self._lateness = task.progress.days.lateness
        self._reach = Reach(task)
        self._ahead = Ahead(task)
        self._places: dict[tuple[object, ...], Place] = {}
        self._heap: list[tuple[int, int, Place | Candidates | End]] = []
        self._pushed = 0

    def run(self) -> tuple[int, ...]:
        root = Place(self._task.progress, 0, 0, 0)
        self._reached(root, 0, None, 0)
        best: int | None = None
        ends: list[Place] = []
        while self._heap and (best is None or self._heap[0][0] <= best):
            rank, _, item = heappop(self._heap)
            if isinstance(item, Candidates):
                self._try(item, rank >> UNPLACED)
            elif isinstance(item, End):
                if item.cost == item.place.cost:
                    best = rank
                    ends.append(item.place)
            elif rank == item.cost + item.bound:
                self._expand(item)
        return _earliest_days(root, ends)

    def _push(self, rank: int, item: Place | Candidates | End) -> None:
        self._pushed += 1
        heappush(self._heap, (rank, self._pushed, item))

    def _reached(self, place: Place, cost: int, before: Place | None, day: int) -> int:
        """Note a way to a place and return how many sessions at least stay unplaced from it."""
        known = self._places.setdefault(place.key(), place)
        self._effort.spend(_WAY_STEPS)
        if known.cost < 0:
            self._note_place()
            task = self._task
            left = self._reach.left(known.progress, known.passed, known.placed)
            known.short = task.count - known.placed - left
            known.bound = self._bound(known, known.short)
        elif cost > known.cost:
            return known.short
        if cost != known.cost:
            known.cost = cost
            known.links = []
            self._push(cost + known.bound, known)
        if before is not None:
            known.links.append((before, day))
        return known.short

    def _note_place(self) -> None:
        self._effort.spend(_PLACE_STEPS)
        if len(self._places) > MOST_PLACES:
            self._effort.give_up()

    def _bound(self, place: Place, short: int) -> int:
        """Return what must still follow a place from which so many sessions stay unplaced."""
        wanted = self._task.count - place.placed - short
        least = self._ahead.least(place.progress, place.passed, place.placed, wanted)
        return (short << UNPLACED) + least

    def _expand(self, place: Place) -> None:
        task = self._task
        if place.passed < len(task.events):
            self._pass(place, task.events[place.passed])
        else:
            self._push(place.cost + ((task.count - place.placed) << UNPLACED), End(place, place.cost))
        if place.placed < task.count:
            for candidates in self._candidates(place):
                late = self._lateness(candidates.progress.due_by(), candidates.day)
                least = (place.short << UNPLACED) + (late << OUTSIDE)
                self._push(place.cost + max(place.bound, least), candidates)

    def _pass(self, place: Place, event: Event) -> None:
        """Go past a kept session or a decision, unless that would make a kept session too soon after a planned one."""
        progress, cost = place.progress.copy(), place.cost
        if event.decision is not None:
            decide(progress, event.decision)
        else:
            progress.roll(event.day)
            if not progress.is_complete:
                early = progress.earliness(event.day)
                if early and place.last_planned and place.last_planned == progress.last_on:
                    return
                outside = early or self._lateness(progress.due_by(), event.day)
                aim = progress.spec.cadence.preferred_gap_days
                cost += (outside << OUTSIDE) + self._gap(progress, event.day, aim)
                progress.attend(event.day)
        after = Place(progress, place.placed, place.passed + 1, place.last_planned)
        self._reached(after, cost, place, 0)

    def _candidates(self, place: Place) -> Iterator[Candidates]:
        """Yield the days open to the next session of a place, one entry for each phase they fall into."""
        events, passed, slots = self._task.events, place.passed, self._slots
        earliest, latest = slots.first_day, slots.last_day
        if passed:
            earliest = max(earliest, -(-events[passed - 1].moment // 3))
        if passed < len(events):
            latest = min(latest, (events[passed].moment - 2) // 3)
        progress = place.progress
        while earliest <= latest and not progress.is_complete:
            until = min(latest, progress.last_day)
            day = slots.next_day(max(earliest, progress.due_from))
            if day <= until:
                yield Candidates(place, progress, day, until)
            if until == latest:
                return
            earliest = max(earliest, until + 1)
            progress = progress.copy()
            progress.roll(earliest)

    def _try(self, candidates: Candidates, short: int) -> None:
        """Place the next session on the first day left and on those as late as it; come back for later ones."""
        place, progress, day, until = candidates
        task, slots = self._task, self._slots
        due_by = progress.due_by()
        late = later = self._lateness(due_by, day)
        aim = aimed_gap(progress, place.placed, task.hurried)
        steady = self._reach.is_steady(progress)
        while later == late:
            slot = slots.best(day)
            assert slot is not None
            cost = place.cost + (late << OUTSIDE) + (slot.missed << MISSED) + self._gap(progress, day, aim)
            after = progress.copy()
            after.attend(day)
            left = self._reached(Place(after, place.placed + 1, place.passed, day), cost, place, day)
            if steady:
                short = max(short, left)
            day = slots.next_day(day + 1)
            if day > until:
                return
            later = self._lateness(due_by, day)
        least = (short << UNPLACED) + (later << OUTSIDE)
        rank = place.cost + max(self._bound(place, short), least)
        self._push(rank, Candidates(place, progress, day, until))

    @staticmethod
    def _gap(progress: Progress, day: int, aim: int) -> int:
        return 0 if progress.last_on is None else abs(day - progress.last_on - aim)


def _earliest_days(root: Place, ends: Sequence[Place]) -> tuple[int, ...]:
    """Return the days of the plan that ends earliest, then has the earliest dates in order, among the cheapest."""
    last = min(end.last_planned for end in ends)
    todo = [end for end in ends if end.last_planned == last]
    # Links lead back; the ways forward are kept for the places that lead to such an end only.
    forward: dict[int, dict[int, Place]] = {id(end): {} for end in todo}
    while todo:
        place = todo.pop()
        for before, day in place.links:
            if id(before) not in forward:
                forward[id(before)] = {}
                todo.append(before)
            forward[id(before)][day or NEVER] = place
    days: list[int] = []
    place = root
    while ways := forward[id(place)]:
        # A session before the next kept one is earlier than any after it, which NEVER stands for.
        day = min(ways)
        if day != NEVER:
            days.append(day)
        place = ways[day]
    return tuple(days)
