"""The clinic's calendar and its wall clock: which days are open, and when a local time happens.

Dates are the clinic's own. Day numbers are proleptic ordinals (`date.toordinal()`), which the course core
uses throughout because adding to an integer is several times cheaper than adding to a date.
"""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

# What the zone database holds besides zones: whatever a machine is set to, and names for "not set yet".
NO_ZONES: Final = frozenset({"Factory", "localtime", "posixrules"})


class ClinicCalendar:
    """The closed weekdays (ISO, Monday is 1) and the single closed dates of one clinic; immutable.

    Day numbers are counted, never listed, so any range costs the same and there is no horizon.
    Raises: ValueError when a weekday is not 1..7 or no weekday is left open.
    """

    __slots__ = ("_closed", "_closures", "_week", "_week_days", "_weekly", "closed_weekdays", "closures")

    def __init__(self, closed_weekdays: Iterable[int] = (), closures: Iterable[date] = ()) -> None:
        self.closed_weekdays = frozenset(closed_weekdays)
        self.closures = frozenset(closures)
        if not self.closed_weekdays <= frozenset(range(1, 8)):
            raise ValueError("Weekdays are numbered from 1 (Monday) to 7 (Sunday).")
        if len(self.closed_weekdays) == 7:
            raise ValueError("At least one weekday must be open.")
        # Ordinal 1 is a Monday, so `ordinal % 7` is the ISO weekday with Sunday as 0.
        self._week = tuple((weekday or 7) not in self.closed_weekdays for weekday in range(7))
        self._week_days = tuple(weekday for weekday in range(7) if self._week[weekday])
        # Open weekdays among 0..weekday of a week that runs from Sunday: the part of a week in a count.
        self._weekly = tuple(sum(self._week[: weekday + 1]) for weekday in range(7))
        # Only closures on weekdays otherwise open, so that no day is subtracted twice.
        self._closed = sorted(n for n in (day.toordinal() for day in self.closures) if self._week[n % 7])
        self._closures = frozenset(self._closed)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ClinicCalendar):
            return NotImplemented
        return (self.closed_weekdays, self.closures) == (other.closed_weekdays, other.closures)

    def __hash__(self) -> int:
        return hash((self.closed_weekdays, self.closures))

    def __repr__(self) -> str:
        return f"ClinicCalendar({sorted(self.closed_weekdays)}, {sorted(self.closures)})"

    def is_open(self, day: date) -> bool:
        """Return whether the clinic opens on the day at all."""
        return self.opens_on(day.toordinal())

    def next_open_day(self, day: date) -> date:
        """Return the first open day on or after the day."""
        return date.fromordinal(self.first_open(day.toordinal()))

    def opens_on(self, day: int) -> bool:
        """Return whether the clinic opens on a day number."""
        return self._week[day % 7] and day not in self._closures

    def first_open(self, day: int) -> int:
        """Return the first open day number on or after a day number."""
        week, closures = self._week, self._closures
        while not week[day % 7] or day in closures:
            day += 1
        return day

    def after_strides(self, day: int, stride: int, times: int) -> int:
        """Return where a number of strides leads, each landing on the first open day at or after its end."""
        week, closures = self._week, self._closures
        for _ in range(times):
            day += stride
            while not week[day % 7] or day in closures:
                day += 1
        return day

    def open_through(self, day: int) -> int:
        """Return a running count of open days up to and including a day number; differences matter only."""
        weeks, rest = divmod(day, 7)
        return weeks * self._weekly[6] + self._weekly[rest] - bisect_right(self._closed, day)

    def nth_open(self, after: int, n: int) -> int:
        """Return the n-th open day number (1-based) after a day number."""
        wanted = self.open_through(after) + n
        passed = bisect_right(self._closed, after)
        while True:
            # The wanted-th open weekday, as if the closures counted so far were all there are.
            weeks, rest = divmod(wanted + passed - 1, self._weekly[6])
            day = weeks * 7 + self._week_days[rest]
            closed = bisect_right(self._closed, day)
            if closed == passed:
                return day
            passed = closed


def to_utc(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Return the UTC instant of a wall time in a zone.

    A wall time that the clocks skip is taken as much later as they are turned forward; one that
    happens twice is its first occurrence.
    """
    # With fold=0 zoneinfo uses the offset before the change, which gives exactly both rules.
    return datetime.combine(day, at.replace(fold=0), tzinfo=zone).astimezone(UTC)
