"""The two sides of an operation, and fields that take JSON at its word: a number is a number, a day is a day."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from typing import Any, Final
from uuid import UUID

from django.db.models import Model, QuerySet
from django.utils.dateparse import parse_datetime
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from clinics.models import Clinic
from courses.core.wire import FIRST_YEAR, LAST_YEAR

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
CLOCK_PATTERN: Final = "^([01][0-9]|2[0-3]):[0-5][0-9]$"
_CODE: Final = re.compile(r"[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


class Answer(serializers.Serializer):  # type: ignore[type-arg]
    """What an operation answers; more names may come."""


class Input(serializers.Serializer):  # type: ignore[type-arg]
    """What an operation takes. A name that it does not know is refused: it would be a wish that nobody hears."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = [name for name in data if name not in self.fields] if isinstance(data, Mapping) else []
        if unknown:
            raise serializers.ValidationError({str(unknown[0]): ["This name is not known here."]})
        return super().to_internal_value(data)


class Text(serializers.CharField):
    """Text, and nothing that would have to be made into text."""

    def __init__(self, **kwargs: Any) -> None:
        # What surrounds it the services take away.
        super().__init__(**{"trim_whitespace": False, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class Word(serializers.ChoiceField):
    """One of the words of the domain; empty in a row is null here."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid_choice", input=data)
        return str(super().to_internal_value(data))

    def to_representation(self, value: Any) -> Any:
        return str(value) if value else None


class Whole(serializers.IntegerField):
    """A whole number, not its text and not a truth value."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int | float) or data != data // 1:
            self.fail("invalid")
        return int(data)


class Truth(serializers.BooleanField):
    """True or false, not what else could stand for it."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Day(serializers.DateField):
    """A calendar date of the clinic."""

    default_error_messages = {"unreadable": "Write a date that exists as YYYY-MM-DD."}

    def to_internal_value(self, value: Any) -> date:
        found = read_day(value)
        if found is None:
            self.fail("unreadable")
        assert found is not None
        return found


class Instant(serializers.DateTimeField):
    """A moment with its offset: a wall time alone would be another one in each zone. Answered in UTC."""

    default_error_messages = {
        "unreadable": "Write a moment with its offset from UTC, such as 2026-03-10T09:00:00+02:00."
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(default_timezone=UTC, **kwargs)

    def to_representation(self, value: Any) -> Any:
        return super().to_representation(datetime.fromisoformat(value) if isinstance(value, str) else value)

    def to_internal_value(self, value: Any) -> datetime:
        found = read_instant(value)
        if found is None:
            self.fail("unreadable")
        assert found is not None
        return found


@extend_schema_field({"type": "string", "pattern": CLOCK_PATTERN})
class Clock(serializers.Field):  # type: ignore[type-arg]
    """A time of day on the clinic's wall."""

    default_error_messages = {"unreadable": "Write a time of day as HH:MM."}

    def to_internal_value(self, data: Any) -> time:
        if not isinstance(data, str) or not re.fullmatch(CLOCK_PATTERN.strip("^$"), data):
            self.fail("unreadable")
        return time.fromisoformat(data)

    def to_representation(self, value: time) -> str:
        return value.isoformat(timespec="minutes")


class Own(serializers.UUIDField):
    """A row of the asking clinic by its code; one of another clinic is as unknown as one that never was."""

    default_error_messages = {"unknown": "There is nothing with this code in this clinic."}

    def __init__(self, rows: Callable[[Clinic], QuerySet[Any]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rows = rows

    def to_internal_value(self, data: Any) -> Model:  # type: ignore[override]  # a row in place of its code
        code = read_code(data)
        if code is None:
            self.fail("invalid", value=data)
        row: Model | None = self.rows(self.context["clinic"]).filter(code=code).first()
        if row is None:
            self.fail("unknown")
        assert row is not None
        return row


def read_day(value: Any) -> date | None:
    """Return a date written as ISO 8601 has it; None for anything else and for days outside of all calendars."""
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        return None
    try:
        found = date.fromisoformat(value)
    except ValueError:
        return None
    return found if FIRST_YEAR <= found.year <= LAST_YEAR else None


def read_instant(value: Any) -> datetime | None:
    """Return a moment in UTC written with its offset; None for anything else and for those outside of all calendars."""
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        return None
    try:
        found = parse_datetime(value.upper())
        moment = found.astimezone(UTC) if found is not None and found.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
    return moment if moment is not None and FIRST_YEAR < moment.year < LAST_YEAR else None


def read_code(value: Any) -> UUID | None:
    """Return a public id as it is written everywhere; None for anything else."""
    return UUID(value) if isinstance(value, str) and _CODE.fullmatch(value) else None


def code_of(source: str, **options: Any) -> serializers.UUIDField:
    """Return the field that answers the code of a row that another one refers to, null for none."""
    return serializers.UUIDField(source=f"{source}.code", **{"allow_null": True, **options})
