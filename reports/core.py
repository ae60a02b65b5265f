"""Arithmetic of reports: shares of a whole, and periods; pure."""

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    part: int
    whole: int

    @property
    def rate(self) -> float | None:
        """Four decimals; None where there is nothing to divide by."""
        return round(self.part / self.whole, 4) if self.whole else None


@dataclass(frozen=True, slots=True)
class Period:
    """Days from one to another, both included."""

    from_on: date
    to_on: date

    def __contains__(self, day: date) -> bool:
        return self.from_on <= day <= self.to_on


def usual_periods(today: date) -> dict[str, Period]:
    """Return the periods that are asked for most, the last thirty days first; none reaches past today."""
    month = today.replace(day=1)
    before = month - timedelta(days=1)
    return {
        "thirty": Period(today - timedelta(days=29), today),
        "month": Period(month, today),
        "last_month": Period(before.replace(day=1), before),
        "year": Period(today.replace(month=1, day=1), today),
    }
