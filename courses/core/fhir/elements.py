"""Elements of a FHIR resource, read one by one; what is wrong is gathered rather than raised."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from courses.core.wire import FIRST_YEAR, LAST_YEAR

# The day of a date or of an instant with its zone, as FHIR writes both.
_DAY: Final = re.compile(r"(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?", re.ASCII)
# How many days a unit of UCUM has; a month and a year have no fixed number.
_DAYS_OF_UNIT: Final = {
    "s": Fraction(1, 86_400),
    "min": Fraction(1, 1_440),
    "h": Fraction(1, 24),
    "d": Fraction(1),
    "wk": Fraction(7),
}
_MAX_TEXT: Final = 500


@dataclass(frozen=True, slots=True)
class Refusal:
    """What cannot be kept: where it stands, why as a code, and the values that a sentence about it names."""

    path: str
    code: str
    values: dict[str, object] = field(default_factory=dict)


class Note(Refusal):
    """What was left out, or is to be known, although the rest can be kept."""


class FhirError(ValueError):
    """A resource that is no prescription of ours; `refusals` has at least one item."""

    code = "fhir_refused"

    def __init__(self, refusals: list[Refusal]) -> None:
        super().__init__("; ".join(f"{one.path}: {one.code}" for one in refusals))
        self.refusals = tuple(refusals)


@dataclass(slots=True)
class Reading:
    """What came up while one resource was read."""

    refusals: list[Refusal] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    def refuse(self, path: str, code: str, **values: object) -> None:
        self.refusals.append(Refusal(path, code, values))

    def note(self, path: str, code: str, **values: object) -> None:
        self.notes.append(Note(path, code, values))


class Element:
    """One JSON object of a resource with its path; anything else in its place is refused and read as empty."""

    __slots__ = ("is_object", "path", "reading", "values")

    def __init__(self, reading: Reading, value: object, path: str) -> None:
        self.reading = reading
        self.path = path
        self.is_object = isinstance(value, dict)
        self.values: dict[str, Any] = value if isinstance(value, dict) else {}
        if not self.is_object and path:
            reading.refuse(path, "not_an_object")

    def at(self, name: str) -> str:
        """Return the path of an element in this one."""
        return f"{self.path}.{name}" if self.path else name

    def has(self, name: str) -> bool:
        """Tell whether the element, or anything about it, is there."""
        return name in self.values or f"_{name}" in self.values

    def child(self, name: str) -> "Element | None":
        """Return the object of that name, None without it."""
        return Element(self.reading, self.values[name], self.at(name)) if name in self.values else None

    def items(self, name: str, *, most: int) -> Iterator["Element"]:
        """Yield the objects of a list."""
        found = self.values.get(name, [])
        if not isinstance(found, list):
            self.reading.refuse(self.at(name), "not_a_list")
            return
        if len(found) > most:
            self.reading.refuse(self.at(name), "too_many_items", most=most)
            return
        for index, value in enumerate(found):
            yield Element(self.reading, value, f"{self.at(name)}[{index}]")

    def text(self, name: str) -> str | None:
        """Return a short text, None without it."""
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, str) or len(value) > _MAX_TEXT:
            self.reading.refuse(self.at(name), "not_a_text")
            return None
        return value

    def whole(self, name: str, *, least: int, most: int) -> int | None:
        """Return a whole number within limits, None without it; 2.0 is one."""
        value = self.values.get(name)
        if value is None:
            if self.has(name):
                # Only said to be absent, or only with an extension that nobody here knows.
                self.reading.refuse(self.at(name), "not_a_number", least=least, most=most)
            return None
        number = as_fraction(value)
        if number is None or number.denominator != 1 or not least <= number <= most:
            self.reading.refuse(self.at(name), "not_a_number", least=least, most=most)
            return None
        return int(number)

    def days(self, name: str, unit: str | None, unit_path: str, *, most: int) -> int | None:
        """Return a number of some unit as whole days, None without it."""
        if not self.has(name):
            return None
        number = as_fraction(self.values.get(name))
        if unit not in _DAYS_OF_UNIT:
            self.reading.refuse(unit_path, "unit_unknown", units=", ".join(_DAYS_OF_UNIT), unit=unit or "")
            return None
        found = number * _DAYS_OF_UNIT[unit] if number is not None else Fraction(0)
        if found > 0 and found.denominator != 1:
            self.reading.refuse(self.at(name), "not_whole_days")
            return None
        if not 1 <= found <= most:
            self.reading.refuse(self.at(name), "not_so_many_days", most=most)
            return None
        return int(found)

    def day(self, name: str) -> date | None:
        """Return the day of a date or an instant as it is written, None without it."""
        value = self.values.get(name)
        if value is None:
            return None
        found = _DAY.fullmatch(value) if isinstance(value, str) else None
        try:
            day = date.fromisoformat(found[1]) if found else None
        except ValueError:
            day = None
        if day is None or not FIRST_YEAR <= day.year <= LAST_YEAR:
            self.reading.refuse(self.at(name), "not_a_day")
            return None
        return day

    def refuse_modifiers(self) -> None:
        """Refuse what changes the meaning of everything else here in a way that nobody here knows."""
        for name in ("implicitRules", "modifierExtension"):
            if self.has(name):
                self.reading.refuse(self.at(name), "modifier_unknown")

    def refuse_others(self, known: frozenset[str], code: str) -> None:
        """Refuse every element that is not among the known ones."""
        for name in self.values:
            if name.removeprefix("_") not in known:
                self.reading.refuse(self.at(name if name.isidentifier() else "?"), code)

    # ------------------------------------------------------------ extensions of ours

    def extensions(self, url: str) -> list["Element"]:
        """Return the extensions of that address."""
        return [one for one in self.items("extension", most=1_000) if one.values.get("url") == url]

    def extension_whole(self, url: str, name: str, *, least: int, most: int) -> int | None:
        """Return the number that an extension holds, None without it."""
        numbers = self.extension_numbers(url, name, least=least, most=most)
        return numbers[0] if numbers else None

    def extension_numbers(self, url: str, name: str, *, least: int, most: int) -> list[int]:
        """Return the numbers that extensions of one address hold, in order."""
        found = self.extensions(url)
        numbers = [one.whole(name, least=least, most=most) for one in found]
        for one in found:
            if not one.has(name):
                self.reading.refuse(one.at(name), "not_a_number", least=least, most=most)
        return [number for number in numbers if number is not None]

    def extension_days(self, url: str, *, most: int) -> list[date]:
        """Return the days that extensions of one address hold, in order."""
        found = self.extensions(url)[:most]
        for one in found:
            if not one.has("valueDate"):
                self.reading.refuse(one.at("valueDate"), "not_a_day")
        days = [one.day("valueDate") for one in found]
        return [day for day in days if day is not None]


def as_fraction(value: object) -> Fraction | None:
    """Return a JSON number exactly as it was written; true and "1" are none."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    try:
        return Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        return None  # not finite
