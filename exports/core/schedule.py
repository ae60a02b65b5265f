"""When an export that repeats is made next, and which days it then covers. Wall times are the clinic's."""

from datetime import date, datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from clinics.core import to_utc

Frequency = Literal["daily", "weekly", "monthly"]

# However long nothing ran, no export reaches back further.
MOST_DAYS: Final = 366
_DAY: Final = timedelta(days=1)


def next_run(frequency: Frequency, at: time, *, weekday: int, after: datetime, zone: ZoneInfo) -> datetime:
    """Return the first run after a moment, in UTC: each day, each such ISO weekday, or the first of each month.

    However many runs were missed before it, there is one next run.
    """
    day = after.astimezone(zone).date()
    while True:
        if _is_run_day(frequency, day, weekday) and (run := to_utc(day, at, zone)) > after:
            return run
        day += _DAY


def _is_run_day(frequency: Frequency, day: date, weekday: int) -> bool:
    if frequency == "weekly":
        return day.isoweekday() == weekday
    return frequency == "daily" or day.day == 1


def covered_days(frequency: Frequency, *, run_on: date, covered_to: date | None) -> tuple[date, date]:
    """Return the days that a run covers, both included: up to the day before it.

    They follow on what the run before covered, so that none is left out after a pause and none comes twice. The
    first run covers one day, seven days, or the month before.
    """
    to_on = run_on - _DAY
    usual = {"daily": to_on, "weekly": to_on - 6 * _DAY, "monthly": to_on.replace(day=1)}[frequency]
    if covered_to is None:
        return usual, to_on
    return max(min(covered_to + _DAY, to_on), to_on - (MOST_DAYS - 1) * _DAY), to_on
