"""Spreadsheets as rows of text: CSV in whatever encoding and with whatever separator, and XLSX."""

import csv
import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any, Final

from imports.core import is_heading

MOST_BYTES: Final = 5 * 1024 * 1024
MOST_ROWS: Final = 20_000
MOST_COLUMNS: Final = 60
LONGEST_CELL: Final = 4_000
# What a small file may unfold to: text packs tenfold, a trap a thousandfold.
_MOST_UNPACKED: Final = 100 * 1024 * 1024
_ZIP: Final = b"PK\x03\x04"
_OLD_EXCEL: Final = b"\xd0\xcf\x11\xe0"
_MARKS: Final = (("utf-8-sig", b"\xef\xbb\xbf"), ("utf-16", b"\xff\xfe"), ("utf-16", b"\xfe\xff"))
_SEPARATORS: Final = (";", "\t", ",")
_SAID: Final = re.compile(r"(?i)sep=([;,\t])[;,\t]*")
# Titles are short.
_LOOKED_AT: Final = 10
# Without any width: nobody sees that they are there, and a name with one is another name.
_UNSEEN: Final = dict.fromkeys(map(ord, "\0\u00ad\u200b\u2060\ufeff"))


class FileError(ValueError):
    """A file that cannot be read; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Sheet:
    """The headings and the rows that are not empty, each with its number in the file, 1-based."""

    headings: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]


def read_sheet(content: bytes) -> Sheet:
    """Return what a file holds; a formula is the text it is written with, and nothing is calculated.

    What stands above the headings with nothing beside it, as a title does, is passed over.
    Raises: FileError `too_large`, `old_excel`, `not_a_table`, `quotes`, `encoding`, `empty`, `too_many_rows`,
    `too_many_columns`.
    """
    if len(content) > MOST_BYTES:
        raise FileError("too_large")
    if content.startswith(_OLD_EXCEL):
        raise FileError("old_excel")
    lines = _xlsx_rows(content) if content.startswith(_ZIP) else _csv_rows(content)
    # One more than allowed tells that there are more.
    numbered = [
        (number, cells) for number, cells in enumerate(islice(lines, 2 * MOST_ROWS), start=1) if any(cells)
    ]
    numbered = numbered[_title_lines([cells for _number, cells in numbered[:_LOOKED_AT]]) :]
    if len(numbered) < 2:
        raise FileError("empty")
    if len(numbered) - 1 > MOST_ROWS:
        raise FileError("too_many_rows")
    headings = _trimmed(numbered[0][1])
    width = len(headings)
    if width > MOST_COLUMNS:
        raise FileError("too_many_columns")
    rows = tuple((number, tuple((*cells, *[""] * width)[:width])) for number, cells in numbered[1:])
    return Sheet(headings, rows)


def _title_lines(lines: Sequence[Sequence[str]]) -> int:
    """Return how many lines with a single cell, which is no heading, stand above the first of another kind.

    None where no line has several: it may be a list of names.
    """
    for place, cells in enumerate(lines):
        filled = [cell for cell in cells if cell]
        if len(filled) > 1 or is_heading(filled[0]):
            return place
    return 0


def _trimmed(cells: Sequence[str]) -> tuple[str, ...]:
    """Return the cells without empty ones at their end."""
    last = max(place for place, cell in enumerate(cells) if cell)
    return tuple(cells[: last + 1])


def _csv_rows(content: bytes) -> Iterator[tuple[str, ...]]:
    text = _decoded(content)
    if "\0" in text:
        raise FileError("not_a_table")
    try:
        # Strict: a quotation mark that is never closed would swallow rows without a word.
        for cells in csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=True):
            yield tuple(map(_clean, cells))
    except csv.Error as error:
        raise FileError("quotes" if '"' in text else "not_a_table") from error


def _separator(text: str) -> str:
    """Return what separates cells: what Excel's own first line says, else what makes the most lines equally wide.

    A title, a name or a list of dates may be full of commas where semicolons separate.
    """
    head = list(islice((line for line in io.StringIO(text, newline="") if line.strip()), _LOOKED_AT))
    if head and (said := _SAID.fullmatch(head[0].strip())):
        return said[1]

    def likeness(sign: str) -> tuple[int, int]:
        widths = Counter(len(cells) for cells in csv.reader(head, delimiter=sign) if len(cells) > 1)
        return max(((lines, width) for width, lines in widths.items()), default=(0, 0))

    return max(_SEPARATORS, key=likeness)


def _decoded(content: bytes) -> str:
    """Return the text: as its mark says, else UTF-8, else the Cyrillic of old Windows programs."""
    encodings = [name for name, mark in _MARKS if content.startswith(mark)] or ["utf-8", "cp1251"]
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise FileError("encoding")


def _xlsx_rows(content: bytes) -> Iterator[tuple[str, ...]]:
    import openpyxl  # noqa: PLC0415  # slow import

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > _MOST_UNPACKED:
                raise FileError("too_large")
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
        for sheet in book.worksheets:
            # What a program wrote of the sheet's size is not to be believed.
            sheet.reset_dimensions()
        # An empty sheet in front, or one that nobody sees, is not what was meant.
        sheet = next(filter(_has_content, book.worksheets), book.worksheets[0])
        rows: Iterable[tuple[Any, ...]] = sheet.iter_rows(max_col=MOST_COLUMNS + 1, values_only=True)
        for row in rows:
            yield tuple(map(_cell_text, row))
    except FileError:
        raise
    except Exception as error:
        # Whatever else is wrong with a file from somewhere: it is no table.
        raise FileError("not_a_table") from error


def _has_content(sheet: Any) -> bool:
    head = sheet.iter_rows(max_row=_LOOKED_AT, max_col=MOST_COLUMNS + 1, values_only=True)
    return sheet.sheet_state == "visible" and any(cell is not None for row in head for cell in row)


def _cell_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        has_time = (value.hour, value.minute) != (0, 0)
        return value.strftime("%Y-%m-%d %H:%M" if has_time else "%Y-%m-%d")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        # A telephone that the spreadsheet took for a number.
        return str(int(value))
    return _clean(str(value))


def _clean(text: str) -> str:
    """Return a cell on one line, as long as anything that is read from it may be."""
    return " ".join(text.translate(_UNSEEN).split())[:LONGEST_CELL]
