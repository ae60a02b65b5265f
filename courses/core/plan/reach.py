"""How many sessions can still be placed at most: the bound that keeps the search from hopeless ways."""

from bisect import bisect_right
from typing import Final

from courses.core.cadence import NEVER, Progress
from courses.core.plan.task import Task

# In steps, see `effort`: one session further.
_WALK_STEPS: Final = 5


class Reach:
    """An upper bound on the sessions that can still be placed, exact for phases that only count sessions.

    With sessions as early as allowed, each next window starts as early as it can, so taking the first free day
    each time fits the most: whatever another plan holds, its n-th session is never before that n-th day. Earlier
    dates lose nothing but before a phase with a duration, since an earlier start ends that one earlier. So such a
    phase counts as entered at the best date still possible, and one that may run out or reach its amount counts as
    what is better. Where kept sessions lie ahead of phases like that, nothing is ruled out.
    """

    def __init__(self, task: Task) -> None:
        self._slots = task.slots
        self._effort = task.effort
        self._count = task.count
        self._kept_days = [event.day for event in task.events]
        self._decided = max((n for n, event in enumerate(task.events, 1) if event.decision), default=0)
        phases = task.progress.phases
        self._final = len(phases) - 1
        self._timed = tuple(phase.duration_days is not None for phase in phases)
        self._timed_ahead = tuple(any(self._timed[index + 1 :]) for index in range(len(phases)))
        # The last phase, but the final one, with a duration.
        self._runs_out_until = max((n for n, timed in enumerate(self._timed[:-1]) if timed), default=-1)
        self._paused = sum(last - first + 1 for first, last in task.progress.days.spans)
        self._known: dict[tuple[object, ...], int] = {}
        self._entries: dict[tuple[int, int], int] = {}

    def is_steady(self, progress: Progress) -> bool:
        """Return whether a later date of the next session never leaves room for more."""
        starts_duration = self._timed[progress.index] and progress.last_day == NEVER
        return not starts_duration and not self._enters_timed(progress)

    def left(self, progress: Progress, passed: int, placed: int) -> int:
        """Return how many more sessions, of those asked for, may still find a day."""
        return self._bound(progress, passed, self._count - placed)

    def _bound(self, progress: Progress, passed: int, wanted: int) -> int:
        if not wanted or progress.is_complete:
            return 0
        if self._timed[progress.index] and progress.last_day == NEVER:
            return wanted  # the first session will start its duration
        if passed < self._decided or (
            passed < len(self._kept_days) and progress.index <= self._runs_out_until
        ):
            return wanted
        return self._walk(progress, passed, wanted)

    def _walk(self, progress: Progress, passed: int, wanted: int) -> int:
        """Place as early as allowed and return the number placed, up to `wanted`."""
        progress = progress.copy()
        path: list[tuple[tuple[object, ...], int]] = []
        key: tuple[object, ...]
        found = 0
        while found < wanted and not progress.is_complete:
            key = (wanted - found, passed, progress.recent, progress.due_from, progress.last_day)
            key += (progress.index, progress.taken)
            known = self._known.get(key)
            if known is not None:
                found += known
                break
            path.append((key, found))
            self._effort.spend(_WALK_STEPS)
            day = self._slots.next_day(progress.due_from)
            kept = self._kept_days[passed] if passed < len(self._kept_days) else NEVER
            is_kept = kept <= day
            if is_kept:
                day = kept
                passed += 1
            if day > progress.last_day:
                # Whatever follows counts from the last day, so it is the same for any pace up to it.
                progress.roll(day if is_kept else progress.last_day + 1)
                if not is_kept or progress.is_complete:
                    continue
            if day == NEVER:
                break
            found += not is_kept
            if found == wanted:
                break
            if self._enters_timed(progress):
                found += self._best_ahead(progress, day, is_kept)
                break
            progress.attend(day)
        found = min(found, wanted)
        for key, before in path:
            self._known[key] = found - before
        return found

    def _enters_timed(self, progress: Progress) -> bool:
        """Return whether the next session is the last of its phase and a phase with a duration comes after."""
        return progress.taken + 1 == progress.spec.amount and self._timed_ahead[progress.index]

    def _best_ahead(self, progress: Progress, day: int, is_kept: bool) -> int:
        """Return the most sessions after the last one of a phase, on a day or later, or without that one."""
        best = 0
        index, until = progress.index, min(self._slots.last_day, progress.last_day)
        if progress.last_day != NEVER:
            without = progress.copy()
            without.roll(progress.last_day + 1)
            # The session not placed is counted already, unless it is a kept one.
            best = self._bound(without, bisect_right(self._kept_days, progress.last_day), self._count) - (
                not is_kept
            )
        while day <= until and best < min(self._count, self._most(progress, day)):
            self._effort.spend(1)
            if (index, day) not in self._entries:
                entered = progress.copy()
                entered.attend(day)
                passed = bisect_right(self._kept_days, day)
                self._entries[index, day] = self._bound(entered, passed, self._count)
            best = max(best, self._entries[index, day])
            day += 1
        return best

    def _most(self, progress: Progress, day: int) -> int:
        """Return as many as the phases ahead can hold after a day, or more, never growing with the day."""
        if progress.index + 1 < self._final:
            return self._count
        spec = progress.phases[-1]
        cadence = spec.cadence
        assert spec.duration_days is not None
        span = min(spec.duration_days + self._paused, self._slots.last_day - day) - cadence.first_gap_days
        every = cadence.period_min - cadence.flex_days
        if cadence.frequency == 1:
            every = max(every, cadence.rest_days)
        return 0 if span < 0 else cadence.frequency * (1 + span // every)
