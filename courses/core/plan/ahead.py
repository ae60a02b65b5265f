"""What the sessions still to place must cost at least: the bound that keeps the search from dear ways."""

from typing import Final

from courses.core.cadence import Progress
from courses.core.plan.costs import MISSED, OUTSIDE, UNPLACED
from courses.core.plan.task import Task

# Further sessions are not looked at: the bound stays below, and the calls do not nest too deeply.
_DEEPEST: Final = 400
# In steps, see `effort`: one date to go on from. Each distance looked at from it is one step more.
_STATE_STEPS: Final = 3


class Ahead:
    """A bound never above what sessions still to place cost: days outside, preferences missed, distance.

    Of what a window asks only the part is kept that follows from the last session: `rest_days` must pass, and it
    is late only where it would be late had the whole period begun with that session. So the cheapest way on depends
    on one date, and is found by comparing the dates there are. It is known within a phase that counts sessions
    only, once it has begun and with nothing kept ahead; elsewhere nothing is said to follow.
    """

    def __init__(self, task: Task) -> None:
        self._slots = task.slots
        self._effort = task.effort
        self._days = task.progress.days
        self._hurried = task.hurried
        self._events = len(task.events)
        self._known: dict[tuple[int, int, int, int], int] = {}

    def least(self, progress: Progress, passed: int, placed: int, wanted: int) -> int:
        """Return what placing so many more sessions costs at least; where not all of them fit, one left over."""
        spec = progress.spec
        if not progress.recent or passed < self._events or progress.is_complete:
            return 0
        if spec.duration_days is not None:
            return 0
        if spec.amount is not None:
            wanted = min(wanted, spec.amount - progress.taken)
        hurried = max(0, self._hurried - placed)
        return self._least(progress, progress.recent[-1], min(wanted, _DEEPEST), hurried)

    def _least(self, progress: Progress, last: int, wanted: int, hurried: int) -> int:
        """Return the least cost of so many sessions after one on `last`, the first `hurried` closer together."""
        if not wanted:
            return 0
        key = (progress.index, last, wanted, hurried)
        known = self._known.get(key)
        if known is not None:
            return known
        cadence, days, slots = progress.cadence, self._days, self._slots
        first = last + cadence.rest_days
        due_by = days.first_open(max(days.after_unpaused(last, cadence.most_days), first))
        aim = last + (cadence.first_gap_days if hurried else cadence.preferred_gap_days)
        best = 1 << UNPLACED
        # From the day aimed at outwards: what lies further off than the best costs is never better.
        distance = nearest = max(0, first - aim)
        until = max(aim - first, slots.last_day - aim)
        while distance <= until and distance < best:
            for day in (aim - distance, aim + distance) if distance else (aim,):
                if not first <= day <= slots.last_day:
                    continue
                late = days.lateness(due_by, day) << OUTSIDE
                if late >= best:
                    until = aim - first  # later days are later still; earlier ones may be left
                    continue
                slot = slots.best(day)
                if slot is None:
                    continue
                cost = late + (slot.missed << MISSED) + distance
                if cost < best:
                    best = min(best, cost + self._least(progress, day, wanted - 1, max(0, hurried - 1)))
            distance += 1
        self._effort.spend(_STATE_STEPS + distance - nearest)
        self._known[key] = best
        return best
