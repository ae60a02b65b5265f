"""Cells of exported tables: dates as ISO 8601, and text that no spreadsheet takes for a formula."""

import unicodedata
from datetime import date, datetime, time
from typing import Final

from reports.exporters import Cell

# Spreadsheets start a formula at these, and at their fullwidth forms, which NFKC makes equal.
_FORMULA_STARTS: Final = frozenset("=+-@")


def plain(value: Cell) -> str | int | float:
    """Return a cell as a file holds it: dates and times as ISO 8601 text, nothing as empty text."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(timespec="minutes")
    if isinstance(value, date | time):
        return value.isoformat()
    return without_controls(value) if isinstance(value, str) else value


def without_controls(text: str) -> str:
    """Return text without the control characters that no file format holds; line ends and tabs stay spaces."""
    return "".join(
        " " if character in "\t\r\n" else character
        for character in text
        if character in "\t\r\n" or unicodedata.category(character) != "Cc"
    )


def defused(value: str | int | float) -> str | int | float:
    """Return a cell that a spreadsheet reads as it stands: text that could start a formula gets an apostrophe.

    What is skipped before a formula differs between programs, so anything that is not a letter, a digit or a
    visible sign is looked through: spaces, zero-width characters, byte order marks.
    """
    if not isinstance(value, str):
        return value
    seen = unicodedata.normalize("NFKC", value).lstrip()
    while seen and unicodedata.category(seen[0]) in ("Cf", "Cc", "Zs", "Zl", "Zp"):
        seen = seen[1:]
    return f"'{value}" if seen[:1] in _FORMULA_STARTS and seen else value
