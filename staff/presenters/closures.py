"""Closures and public holidays as their lines read."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import get_language, ngettext

from clinics.models import Closure
from clinics.public_holidays import name_holiday
from staff.planning_words import span_words


@dataclass(frozen=True, slots=True)
class ClosureLine:
    closure: Closure
    words: str
    reason: str
    days: str
    # Booked sessions that fall on it, from today on.
    booked: int
    is_now: bool


def closure_reason(closure: Closure) -> str:
    """Return why the clinic is closed: a public holiday in the reader's language, all else as it was written.

    Cost: a query, unless the closure comes with its clinic.
    """
    clinic, language = closure.clinic, get_language()
    # They are kept in the clinic's own language, so that most readers need no lookup.
    if language == clinic.language or not clinic.country:
        return closure.reason
    return name_holiday(closure.reason, closure.from_on, country=clinic.country, language=language)


def closure_line(closure: Closure, *, booked: Mapping[date, int], today: date) -> ClosureLine:
    count = (closure.to_on - closure.from_on).days + 1
    return ClosureLine(
        closure=closure,
        words=span_words(closure.from_on, closure.to_on, today=today),
        reason=closure_reason(closure),
        days=ngettext("%(n)s day", "%(n)s days", count) % {"n": count} if count > 1 else "",
        booked=sum(number for day, number in booked.items() if closure.from_on <= day <= closure.to_on),
        is_now=closure.from_on <= today <= closure.to_on,
    )


@dataclass(frozen=True, slots=True)
class HolidayLine:
    on: date
    name: str
    booked: int
    is_closed: bool
    # A weekday without opening hours: nobody comes then anyway.
    is_free_weekday: bool
    is_chosen: bool


def holiday_lines(
    holidays: Mapping[date, str],
    *,
    closed: Collection[date],
    open_weekdays: Collection[int],
    booked: Mapping[date, int],
    chosen: Collection[Any] | None = None,
) -> list[HolidayLine]:
    """Return the holidays in order; without a choice those are chosen on which the clinic would open."""
    return [
        HolidayLine(
            on=on,
            name=name,
            booked=booked.get(on, 0),
            is_closed=on in closed,
            is_free_weekday=on.isoweekday() not in open_weekdays,
            is_chosen=on not in closed
            and (on in chosen if chosen is not None else on.isoweekday() in open_weekdays),
        )
        for on, name in holidays.items()
    ]


def closures_by_time(
    lines: Iterable[ClosureLine], *, today: date
) -> tuple[list[ClosureLine], list[ClosureLine]]:
    """Return the coming ones, the next first, and the past ones, the latest first."""
    found = list(lines)
    coming = [line for line in found if line.closure.to_on >= today]
    return coming, [line for line in reversed(found) if line.closure.to_on < today]
