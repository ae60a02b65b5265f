"""The visits that running courses will ask for, week by week."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

# So many weeks a forecast can be asked to look ahead.
WEEKS_AHEAD: Final = (4, 12, 26, 52)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What one course in a phase will ask for: a visit every `step_days` from `first_on` on.

    No later than `last_on` and no more than `most`; None means without such a limit.
    """

    first_on: date
    step_days: int
    last_on: date | None = None
    most: int | None = None


def expected_days(outlook: Outlook, *, until: date) -> Iterator[date]:
    """Yield the days on which visits are expected, both ends included, earliest first."""
    last = min(until, outlook.last_on or until)
    day, count = outlook.first_on, 0
    while day <= last and (outlook.most is None or count < outlook.most):
        yield day
        day += timedelta(days=outlook.step_days)
        count += 1


def week_of(day: date) -> date:
    """Return the Monday of a day's week."""
    return day - timedelta(days=day.weekday())
