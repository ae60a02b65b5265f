"""The bytes of a file, block by block, in each of its formats."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from itertools import islice
from operator import itemgetter
from typing import IO, Any, Final

from django.db.models import QuerySet

from exports.columns import Kind
from exports.core.choice import FHIR
from exports.reading import CHUNK, Reading
from reports.cells import COMMA, SEMICOLON, Cell, Dialect, is_harmless, written
from reports.fhir import course_bundles
from reports.writers import CSV_TYPE, XLSX_TYPE, write_xlsx

JSON_LINES_TYPE: Final = "application/x-ndjson; charset=utf-8"
# As FHIR's bulk data names lines of resources.
FHIR_LINES_TYPE: Final = "application/fhir+ndjson"
DIALECTS: Final = {"csv": COMMA, "semicolon": SEMICOLON}
MEDIA_TYPES: Final = {
    "csv": CSV_TYPE,
    "semicolon": CSV_TYPE,
    "xlsx": XLSX_TYPE,
    "jsonl": JSON_LINES_TYPE,
    FHIR: FHIR_LINES_TYPE,
}
ENDINGS: Final = {"csv": "csv", "semicolon": "csv", "xlsx": "xlsx", "jsonl": "jsonl", FHIR: "ndjson"}
# A workbook is made in one go, which for more would take longer than a step of a job may.
XLSX_MOST_ROWS: Final = 50_000

Block = tuple[bytes, int]


def head_bytes(reading: Reading, file_format: str) -> bytes:
    """Return what a file of lines begins with: for tables a byte order mark and the titles, for JSON nothing."""
    if file_format not in DIALECTS:
        return b""
    dialect = DIALECTS[file_format]
    titles = [written(str(column.title), dialect) for column in reading.columns]
    return ("\ufeff" + _csv([titles], dialect)).encode()


def line_blocks(reading: Reading, file_format: str, found: QuerySet[Any] | None = None) -> Iterator[Block]:
    """Yield the lines of a file in blocks, each with how many rows it has."""
    if file_format == FHIR:
        yield from _bundle_blocks(reading, found)
    elif file_format == "jsonl":
        yield from _json_blocks(reading, found)
    elif reading.is_text_ready:
        yield from _ready_blocks(reading, DIALECTS[file_format], found)
    else:
        yield from _csv_blocks(reading, DIALECTS[file_format], found)


def _csv(rows: Sequence[Sequence[Any]], dialect: Dialect) -> str:
    target = io.StringIO(newline="")
    csv.writer(target, delimiter=dialect.delimiter).writerows(rows)
    return target.getvalue()


def _csv_blocks(reading: Reading, dialect: Dialect, found: QuerySet[Any] | None) -> Iterator[Block]:
    rows = reading.rows(found)
    while chunk := list(islice(rows, CHUNK)):
        cells = [[written(cell, dialect) for cell in row] for row in chunk]
        yield _csv(cells, dialect).encode(), len(chunk)


def _ready_blocks(reading: Reading, dialect: Dialect, found: QuerySet[Any] | None) -> Iterator[Block]:
    """Yield blocks of what PostgreSQL wrote: only what people typed has to be looked at."""
    places = [place for place, column in enumerate(reading.columns) if column.kind == Kind.TEXT]
    # With a single place itemgetter would return the text itself.
    texts = itemgetter(*places, places[0]) if places else _nothing
    foreign = dialect.foreign
    for block in reading.text_rows(found):
        for number, row in enumerate(block):
            for text in texts(row):
                if text and not is_harmless(text, foreign):
                    block[number] = tuple(written(cell, dialect) for cell in row)
                    break
        yield _csv(block, dialect).encode(), len(block)


def _nothing(row: Sequence[Any]) -> tuple[str, ...]:
    return ()


def _json_blocks(reading: Reading, found: QuerySet[Any] | None) -> Iterator[Block]:
    """Yield lines of JSON for programs: every text as it stands, dates as ISO 8601, instants with their offset."""
    names = [column.name for column in reading.columns]
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_json_text).encode
    rows = reading.rows(found)
    while chunk := list(islice(rows, CHUNK)):
        lines = "\n".join(encode(dict(zip(names, row, strict=True))) for row in chunk)
        yield f"{lines}\n".encode("utf-8", "replace"), len(chunk)


def _bundle_blocks(reading: Reading, found: QuerySet[Any] | None) -> Iterator[Block]:
    """Yield each course as one line, a FHIR bundle. Cost: as course_bundles()."""
    # A bundle is of somebody: without names, contacts and codes nothing in it would refer to anything.
    assert not reading.is_anonymous
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    courses = (reading.found if found is None else found).prefetch_related(None)
    for bundle in course_bundles(courses, now=reading.now):
        yield f"{encode(bundle)}\n".encode("utf-8", "replace"), 1


def _json_text(value: date | datetime | time) -> str:
    return value.isoformat()


class _Sheet:
    """A reading as the workbook's writer wants it."""

    def __init__(self, reading: Reading) -> None:
        self.name = reading.table.name
        self._reading = reading

    def head(self) -> Sequence[str]:
        return [str(column.title) for column in self._reading.columns]

    def rows(self) -> Iterator[Sequence[Cell]]:
        return self._reading.rows()


def write_workbook(reading: Reading, target: IO[bytes]) -> int:
    """Write a workbook and return how many rows it has; memory does not grow with them."""
    return write_xlsx(_Sheet(reading), target)
