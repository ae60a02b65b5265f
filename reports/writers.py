"""Files of exported rows: CSV as a stream, XLSX through a temporary file; both in constant memory."""

import csv
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from itertools import islice
from typing import IO, Any, Final

from reports.cells import COMMA, Cell, Dialect, plain, written
from reports.exporters import Exporter

CSV_TYPE = "text/csv; charset=utf-8"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_BLOCK = 500
# Wide enough for what a column mostly holds; the first rows tell.
_MEASURED_ROWS: Final = 50
_WIDEST: Final = 48
_DATE, _INSTANT, _TIME = "yyyy-mm-dd", "yyyy-mm-dd hh:mm", "hh:mm"


class _Line:
    """What the csv module writes to; it hands each line back."""

    def write(self, text: str) -> str:
        return text


def csv_lines(exporter: Exporter, dialect: Dialect = COMMA) -> Iterator[str]:
    """Yield a CSV file in blocks: RFC 4180, with a byte order mark because Excel guesses wrong without."""
    writer = csv.writer(_Line(), delimiter=dialect.delimiter)
    block = ["\ufeff", writer.writerow([written(title, dialect) for title in exporter.head()])]
    for row in exporter.rows():
        block.append(writer.writerow([written(cell, dialect) for cell in row]))
        if len(block) >= _BLOCK:
            yield "".join(block)
            block = []
    yield "".join(block)


def xlsx_file(*exporters: Exporter) -> IO[bytes]:
    """Return an open temporary file with a sheet for each exporter; the caller closes it."""
    target = tempfile.TemporaryFile(suffix=".xlsx")  # noqa: SIM115  # the response closes it
    write_book(exporters, target)
    target.seek(0)
    return target


def write_xlsx(exporter: Exporter, target: IO[bytes]) -> int:
    """Write a workbook of one sheet and return how many rows it has below the head."""
    return write_book([exporter], target)


def write_book(exporters: Iterable[Exporter], target: IO[bytes]) -> int:
    """Write a workbook with a sheet for each exporter and return how many rows they have below their heads.

    Dates are dates; text is stored as text and never becomes a formula or a link. The head stays in sight and has
    filters.
    """
    import xlsxwriter  # noqa: PLC0415  # slow import

    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "default_date_format": _DATE,
    }
    with xlsxwriter.Workbook(target, options) as book:
        return sum(_fill(book.add_worksheet(exporter.name), book, exporter) for exporter in exporters)


def _fill(sheet: Any, book: Any, exporter: Exporter) -> int:
    formats = {name: book.add_format({"num_format": name}) for name in (_DATE, _INSTANT, _TIME)}
    bold = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    head, rows = [str(title) for title in exporter.head()], exporter.rows()
    first = list(islice(rows, _MEASURED_ROWS))
    sheet.freeze_panes(1, 0)
    # Before the first row: in constant memory a sheet is written from its top.
    for column, width in enumerate(_widths(head, first)):
        sheet.set_column(column, column, width)
    for column, title in enumerate(head):
        sheet.write_string(0, column, title, bold)
    number = 0
    for number, row in enumerate(_chained(first, rows), start=1):
        for column, cell in enumerate(row):
            if cell is not None and cell != "":
                _write(sheet, number, column, cell, formats)
    sheet.autofilter(0, 0, number, max(0, len(head) - 1))
    return number


def _chained(first: list[Sequence[Cell]], rows: Iterator[Sequence[Cell]]) -> Iterator[Sequence[Cell]]:
    yield from first
    yield from rows


def _widths(head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> Iterator[int]:
    for column, title in enumerate(head):
        longest = max((len(str(plain(row[column]))) for row in rows), default=0)
        yield min(_WIDEST, max(longest, min(len(title), 18), 8) + 2)


def _write(sheet: Any, number: int, column: int, cell: Cell, formats: dict[str, Any]) -> None:
    if isinstance(cell, date) and cell.year < 1900:
        # A sheet's days begin with that year.
        sheet.write_string(number, column, str(plain(cell)))
    elif isinstance(cell, datetime):
        # A sheet knows no zones: the wall clock's time.
        sheet.write_datetime(
            number, column, cell.replace(tzinfo=None, second=0, microsecond=0), formats[_INSTANT]
        )
    elif isinstance(cell, date):
        sheet.write_datetime(number, column, cell, formats[_DATE])
    elif isinstance(cell, time):
        sheet.write_datetime(number, column, cell, formats[_TIME])
    elif isinstance(cell, bool):
        sheet.write_boolean(number, column, cell)
    elif isinstance(cell, str):
        sheet.write_string(number, column, str(plain(cell)))
    else:
        sheet.write_number(number, column, cell)
