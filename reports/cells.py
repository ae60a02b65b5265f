"""Cells of exported tables: dates that spreadsheets know, and text that none takes for a formula."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final

Cell = str | int | float | date | datetime | time | None

# Spreadsheets start a formula at these, and at their fullwidth and small forms, which normalising makes equal.
_FORMULA_STARTS: Final = frozenset("=+-@")
# Looked through before a formula, by one program or another: controls, invisible and combining signs, spaces.
_SKIPPED: Final = frozenset(("Cf", "Cc", "Mn", "Me", "Zs", "Zl", "Zp"))


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a text table is written; `foreign` is what a spreadsheet of another language would split a line at."""

    delimiter: str
    decimal: str
    foreign: str

    def formula_inside(self) -> re.Pattern[str]:
        """Return what turns into a formula when a line is split at the foreign separator."""
        return _INSIDE[self.foreign]


_INSIDE: Final = {
    sign: re.compile(rf"({sign}[\s\u00ad\u200b-\u200f\u2060\ufeff]*)(?=[=+\-@＝＋－＠])") for sign in ",;"
}
COMMA: Final = Dialect(",", ".", ";")
SEMICOLON: Final = Dialect(";", ",", ",")


def plain(value: Cell) -> str | int | float:
    """Return a cell as a text table holds it: dates as 2026-03-02, instants as the wall clock's 2026-03-02 07:30.

    That is what spreadsheets of every language read as a date. Nothing becomes empty text.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(" ", timespec="minutes")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return value.isoformat(timespec="minutes")
    return without_controls(value) if isinstance(value, str) else value


def without_controls(text: str) -> str:
    """Return text without the control characters that no file format holds; line ends and tabs become spaces."""
    if text.isprintable():
        return text
    return "".join(
        " " if character in "\t\r\n" else character
        for character in text
        # Halves of a surrogate pair are no characters, and cannot be written.
        if character in "\t\r\n" or unicodedata.category(character) not in ("Cc", "Cs")
    )


def is_harmless(text: str, foreign: str) -> bool:
    """Tell at a glance of most text that it is written as it stands; of what else there is, defused() decides."""
    return not text or (text[0].isalnum() and text.isprintable() and foreign not in text)


def defused(value: str | int | float, dialect: Dialect = COMMA) -> str | int | float:
    """Return a cell that a spreadsheet reads as it stands: text that could start a formula gets an apostrophe.

    What is skipped before a formula differs between programs, so anything that is not a letter, a digit or a
    visible sign is looked through. Text is decomposed first: an equals sign with a stroke through it is still one.
    Behind the separator of the other dialect an apostrophe goes in as well, for who opens the file with that one.
    """
    if not isinstance(value, str):
        return value
    if dialect.foreign in value:
        value = dialect.formula_inside().sub(r"\1'", value)
    seen = unicodedata.normalize("NFKD", value).lstrip()
    while seen and unicodedata.category(seen[0]) in _SKIPPED:
        seen = seen[1:].lstrip()
    return f"'{value}" if seen[:1] in _FORMULA_STARTS and seen else value


def written(value: Cell, dialect: Dialect) -> str | int | float:
    """Return a cell as a text table in a dialect holds it, defused."""
    if isinstance(value, str):
        return value if is_harmless(value, dialect.foreign) else defused(without_controls(value), dialect)
    if isinstance(value, float) and dialect.decimal != ".":
        return repr(value).replace(".", dialect.decimal)
    return plain(value)
