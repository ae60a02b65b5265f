"""The task of the search: where a course stands, what is fixed ahead of it, how many sessions to place."""

from dataclasses import dataclass
from typing import NamedTuple

from courses.core.cadence import Progress
from courses.core.plan.effort import Effort
from courses.core.plan.slots import DaySlots
from courses.core.types import SessionRecord


class Event(NamedTuple):
    """A kept session, or a decision of a prescriber, that the search passes in the order of time.

    `moment` is on the scale of `decisions_until`: three a day, a session in the middle.
    """

    moment: int
    decision: tuple[int, int, int] | None = None
    kept: SessionRecord | None = None

    @property
    def day(self) -> int:
        return self.moment // 3


@dataclass(frozen=True, slots=True)
class Task:
    """What the search is given: where the course stands, what is fixed ahead, how many sessions to place.

    `events` are in the order of time. The first `hurried` sessions aim at the shortest gap. `effort` counts the work.
    """

    progress: Progress
    events: tuple[Event, ...]
    count: int
    hurried: int
    slots: DaySlots
    effort: Effort


def aimed_gap(progress: Progress, placed: int, hurried: int) -> int:
    """Return the days to aim at between the session before and the next planned one."""
    cadence = progress.spec.cadence
    return cadence.first_gap_days if placed < hurried else cadence.preferred_gap_days
