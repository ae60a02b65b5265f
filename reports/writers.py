"""Files of exported rows: CSV as a stream, XLSX through a temporary file; both in constant memory."""

import csv
import tempfile
from collections.abc import Iterator
from typing import IO

from reports.cells import defused, plain
from reports.exporters import Exporter

CSV_TYPE = "text/csv; charset=utf-8"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_BLOCK = 500


class _Line:
    """What the csv module writes to; it hands each line back."""

    def write(self, text: str) -> str:
        return text


def csv_lines(exporter: Exporter) -> Iterator[str]:
    """Yield a CSV file in blocks: RFC 4180, with a byte order mark because Excel guesses wrong without."""
    writer = csv.writer(_Line())
    block = ["\ufeff", writer.writerow(exporter.head())]
    for row in exporter.rows():
        block.append(writer.writerow([defused(plain(cell)) for cell in row]))
        if len(block) >= _BLOCK:
            yield "".join(block)
            block = []
    yield "".join(block)


def xlsx_file(exporter: Exporter) -> IO[bytes]:
    """Return an open temporary file with one sheet; text is stored as text and never becomes a formula or a link."""
    import xlsxwriter  # noqa: PLC0415  # slow import

    target = tempfile.TemporaryFile(suffix=".xlsx")  # noqa: SIM115  # the response closes it
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(target, options) as book:
        sheet = book.add_worksheet(exporter.name)
        bold = book.add_format({"bold": True})
        sheet.freeze_panes(1, 0)
        for column, title in enumerate(exporter.head()):
            sheet.write_string(0, column, title, bold)
        for number, row in enumerate(exporter.rows(), start=1):
            for column, cell in enumerate(row):
                value = plain(cell)
                if isinstance(value, str):
                    sheet.write_string(number, column, value)
                else:
                    sheet.write_number(number, column, value)
    target.seek(0)
    return target
