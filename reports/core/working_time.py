"""The minutes that a practitioner works, from the clinic's hours, their own, absences and closures."""

from collections.abc import Collection, Mapping
from datetime import date, timedelta

from reports.core.periods import Period

# Minutes of a day from and to, half-open.
Span = tuple[int, int]
Week = Mapping[int, tuple[Span, ...]]


def span_minutes(spans: tuple[Span, ...]) -> int:
    """Return how many minutes spans that do not overlap have in all."""
    return sum(end - begin for begin, end in spans)


def overlap_minutes(one: tuple[Span, ...], other: tuple[Span, ...]) -> int:
    """Return how many minutes lie in both; within each, the spans do not overlap."""
    return sum(
        max(0, min(end, other_end) - max(begin, other_begin))
        for begin, end in one
        for other_begin, other_end in other
    )


def working_minutes(
    period: Period, *, clinic_week: Week, own_week: Week | None, off: Collection[date]
) -> int:
    """Return the minutes worked in a period. Weeks: spans by ISO weekday, a day without any is free.

    own_week: None means the clinic's hours. off: days on which the clinic is closed or the person away.
    """
    of_weekday = {
        weekday: (
            span_minutes(spans) if own_week is None else overlap_minutes(spans, own_week.get(weekday, ()))
        )
        for weekday, spans in clinic_week.items()
    }
    days = (period.from_on + timedelta(days=n) for n in range(period.day_count))
    return sum(of_weekday.get(day.isoweekday(), 0) for day in days if day not in off)
