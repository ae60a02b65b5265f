"""In which order the reader wants dates; every page that shows one asks here."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from functools import lru_cache
from typing import Final

from django.utils.dateformat import format as format_date
from django.utils.translation import get_language, pgettext

from clinics.models import DateOrder

# Which of a language's readers may want month before day.
_MONTH_FIRST: Final = frozenset({"en"})
_chosen: ContextVar[str] = ContextVar("date_order", default="")


@contextmanager
def reading_dates(order: str) -> Iterator[None]:
    """Let dates be written in an order of DateOrder; an empty one means that of the language."""
    token = _chosen.set(order)
    try:
        yield
    finally:
        _chosen.reset(token)


def date_orders(language: str) -> list[str]:
    """Return the orders that make sense in a language, its own first, as an empty word."""
    orders = [DateOrder.MONTH_FIRST, DateOrder.ISO] if language in _MONTH_FIRST else [DateOrder.ISO]
    return ["", *(order.value for order in orders)]


def short_day(on: date, *, with_year: bool) -> str:
    """Return a date, always with its weekday, in the reader's order and language."""
    return _short_day(on, with_year, _chosen.get(), get_language())


def short_day_within(on: date, *, with_year: bool) -> str:
    """Return a date as short_day() does, as it stands within a sentence or a table."""
    words = short_day(on, with_year=with_year)
    # Russian writes weekdays and months small; Django's short ones are written large.
    return words.lower() if get_language() == "ru" else words


@lru_cache(maxsize=4000)
def _short_day(on: date, with_year: bool, order: str, language: str | None) -> str:
    """Write a date as the reader of now wants it; order and language are named only to remember it by.

    A page has some hundred dates, most of them of the weeks about today.
    """
    words = format_date(on, day_format(with_year=with_year))
    # The one short name of a month that is a whole word, so that it takes a case: "1 мая".
    return words.replace(" май", " мая") if language == "ru" else words


def day_format(*, with_year: bool) -> str:
    """Return the format of a short date, always with its weekday."""
    order = _order()
    if order == DateOrder.ISO:
        return "D Y-m-d"
    if order == DateOrder.MONTH_FIRST:
        return "D, M j, Y" if with_year else "D, M j"
    # Translators: weekday, day and month; https://docs.djangoproject.com/en/stable/ref/templates/builtins/#date
    return pgettext("date format", "D j M Y") if with_year else pgettext("date format", "D j M")


def full_day_format() -> str:
    """Return the format of a date in full words."""
    order = _order()
    if order == DateOrder.ISO:
        return "l Y-m-d"
    return "l, F j, Y" if order == DateOrder.MONTH_FIRST else pgettext("date format", "l j F Y")


def bare_day_format() -> str:
    """Return the format of a day of long ago, of whose weekday nobody asks: a birthday."""
    order = _order()
    if order == DateOrder.ISO:
        return "Y-m-d"
    return "F j, Y" if order == DateOrder.MONTH_FIRST else pgettext("date format", "j F Y")


def month_and_year(on: date) -> str:
    """Return a month with its year, as it stands by itself in a sentence or a table."""
    words = format_date(on, pgettext("month and year", "F Y"))
    return words.lower() if get_language() == "ru" else words


def _order() -> str:
    order = _chosen.get()
    return order if order in date_orders(get_language() or "en") else ""
