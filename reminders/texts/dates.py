"""Days and times in the words of a language, worked out once for each day."""

from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import format_date, get_timezone_location

_LONG: Final = "EEEE, d MMMM"
_SHORT: Final = "EEE d MMM"
# "On Wednesday" takes another case in Russian, of the weekdays in -а also another ending.
_ON_RUSSIAN: Final = {
    "понедельник": "в понедельник",
    "вторник": "во вторник",
    "среда": "в среду",
    "четверг": "в четверг",
    "пятница": "в пятницу",
    "суббота": "в субботу",
    "воскресенье": "в воскресенье",
}


@lru_cache(maxsize=4096)
def day_text(day: date, language: str) -> str:
    """Return a date with its weekday, in the order and words of the language."""
    return format_date(day, _LONG, locale=language)


@lru_cache(maxsize=4096)
def short_day_text(day: date, language: str) -> str:
    """Return a date with its weekday, both abbreviated."""
    return format_date(day, _SHORT, locale=language).rstrip(".")


@lru_cache(maxsize=4096)
def on_day_text(day: date, language: str) -> str:
    """Return a date as it stands after "we expect you"."""
    text = day_text(day, language)
    if language != "ru":
        return f"on {text}"
    weekday, comma, rest = text.partition(",")
    return _ON_RUSSIAN[weekday] + comma + rest


def time_text(at: datetime, zone: ZoneInfo) -> str:
    """Return the wall time of an instant."""
    return at.astimezone(zone).strftime("%H:%M")


@lru_cache(maxsize=512)
def city_text(zone: ZoneInfo, language: str) -> str:
    """Return the city that a time zone is named after."""
    return get_timezone_location(zone, locale=language, return_city=True)


def offset(at: datetime, zone: ZoneInfo) -> timedelta | None:
    """Return how far the wall clock of a zone is ahead of UTC at an instant."""
    return at.astimezone(zone).utcoffset()
