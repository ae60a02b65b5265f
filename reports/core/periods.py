"""Periods of days, and those that are asked for most."""

from dataclasses import dataclass
from datetime import date, timedelta

_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Period:
    """Days from one to another, both included."""

    from_on: date
    to_on: date

    def __contains__(self, day: date) -> bool:
        return self.from_on <= day <= self.to_on

    @property
    def day_count(self) -> int:
        return (self.to_on - self.from_on).days + 1

    @property
    def before(self) -> "Period":
        """The period of as many days that ends the day before this one begins."""
        last = self.from_on - timedelta(days=1)
        return Period(last - timedelta(days=self.day_count - 1), last)

    def until(self, day: date) -> "Period | None":
        """Return the part up to a day, or None when it has not begun by then."""
        return Period(self.from_on, min(self.to_on, day)) if self.from_on <= day else None


def usual_periods(today: date) -> dict[str, Period]:
    """Return the periods that are asked for most, the last thirty days first; none reaches past today."""
    month = today.replace(day=1)
    before = month - timedelta(days=1)
    return {
        "thirty": Period(today - timedelta(days=29), today),
        "month": Period(month, today),
        "last_month": Period(before.replace(day=1), before),
        "year": Period(today.replace(month=1, day=1), today),
        "twelve": Period(today - timedelta(days=364), today),
    }


def weeks_ahead(today: date, count: int) -> Period:
    """Return the days from today to the Sunday that ends the so-manieth week, this one being the first."""
    monday = today - timedelta(days=today.weekday())
    return Period(today, monday + count * _WEEK - timedelta(days=1))
