"""Exported files: what a spreadsheet must not take for a formula, and dates that every program reads alike."""

import csv
import io
import sys
import unicodedata
from datetime import UTC, date, datetime, time

import openpyxl
import pytest

from reports.cells import COMMA, SEMICOLON, defused, is_harmless, plain, written
from reports.writers import csv_lines, xlsx_file

DANGEROUS = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "\x00=1+1",
    " =1+1",
    "\u00a0=1+1",
    "\u200b=1+1",
    "\ufeff=1+1",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(A1)",
    '=HYPERLINK("http://example.com","x")',
    "=cmd|' /C calc'!A0",
    " \t\x00 ＝1+1",
    "\u200b \u200b=1+1",
    "﹦1+1",
    "⁼1+1",
    "=\u0338cmd",
    "\u0301=1+1",
    "\u00ad@SUM(A1)",
    "\ud800=1+1",
]
HARMLESS = ["", "Anna", "1+1", "a=b", "10–15", "'quoted", "Līga-Marta", "Иванова", "a@example.com", " spaced"]


class Rows:
    """An exporter of the rows given."""

    name = "rows"

    def __init__(self, *rows):
        self._rows = rows

    def head(self):
        return ["first", "second"]

    def rows(self):
        return iter(self._rows)


def read_csv(exporter, dialect=COMMA):
    text = "".join(csv_lines(exporter, dialect)).removeprefix("\ufeff")
    return list(csv.reader(io.StringIO(text), delimiter=dialect.delimiter))


def read_xlsx(exporter):
    with xlsx_file(exporter) as file:
        return openpyxl.load_workbook(io.BytesIO(file.read())).active


@pytest.mark.parametrize("text", DANGEROUS)
def test_csv_cell_is_never_a_formula(text):
    cell = read_csv(Rows([text, "x"]))[1][0]

    assert cell.startswith("'")


@pytest.mark.parametrize("text", HARMLESS)
def test_csv_cell_without_danger_stays_as_it_is(text):
    assert read_csv(Rows([text, "x"]))[1] == [text, "x"]


@pytest.mark.parametrize("text", [*DANGEROUS, *HARMLESS])
def test_xlsx_cell_is_never_a_formula(text):
    sheet = read_xlsx(Rows([text, "x"]))

    assert [
        cell.data_type
        for row in sheet.iter_rows()
        for cell in row
        if cell.value is not None and cell.data_type == "f"
    ] == []
    assert sheet["B2"].value == "x"


def test_xlsx_text_is_kept_letter_by_letter():
    assert read_xlsx(Rows(["=1+1", "+371 20 000 000"]))["A2"].value == "=1+1"


def test_negative_numbers_stay_numbers():
    assert defused(-3) == -3
    assert read_xlsx(Rows([-3, 0.5]))["A2"].value == -3


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (date(2026, 3, 2), "2026-03-02"),
        (datetime(2026, 3, 2, 7, 30, tzinfo=UTC), "2026-03-02 07:30"),
        (time(7, 30), "07:30"),
        ("a\x00b\x1fc", "abc"),
        ("two\r\nlines\tand a tab", "two  lines and a tab"),
        (7, 7),
    ],
)
def test_plain_values(value, text):
    assert plain(value) == text


def test_csv_starts_with_a_byte_order_mark_and_its_head():
    assert "".join(csv_lines(Rows())) == "\ufefffirst,second\r\n"


def test_csv_quotes_what_separates():
    assert "".join(csv_lines(Rows(['a,b"c', "d"]))).splitlines()[1] == '"a,b""c",d'


def test_csv_of_many_rows_comes_in_blocks():
    blocks = list(csv_lines(Rows(*(["a", number] for number in range(1200)))))

    assert len(blocks) == 3
    assert len("".join(blocks).splitlines()) == 1201


# ---------------------------------------------------------------- dialects and glances


def test_semicolons_come_with_decimal_commas():
    rows = read_csv(Rows([0.5, "a, b"], [date(2026, 3, 2), -3]), SEMICOLON)

    assert rows[1:] == [["0,5", "a, b"], ["2026-03-02", "-3"]]


@pytest.mark.parametrize(
    ("text", "dialect", "cell"),
    [
        ("Anna;=1+1", COMMA, "Anna;'=1+1"),
        ("Anna; \u200b=1+1", COMMA, "Anna; \u200b'=1+1"),
        ("Anna;  @SUM(A1)", COMMA, "Anna;  '@SUM(A1)"),
        ("Anna,=1+1", COMMA, "Anna,=1+1"),
        ("Anna,=1+1", SEMICOLON, "Anna,'=1+1"),
        ("Anna;=1+1", SEMICOLON, "Anna;=1+1"),
        ("Anna; Berzina", COMMA, "Anna; Berzina"),
    ],
)
def test_line_split_at_the_other_separator_holds_no_formula(text, dialect, cell):
    assert defused(text, dialect) == cell


@pytest.mark.slow
def test_no_letter_or_digit_is_a_formulas_start():
    # What is_harmless() believes of the first character.
    starts = [
        character
        for character in map(chr, range(sys.maxunicode + 1))
        if character.isalnum() and unicodedata.normalize("NFKD", character)[0] in "=+-@"
    ]

    assert starts == []


@pytest.mark.parametrize("text", [*DANGEROUS, "a;=1", "a\x00", "a\u200b", "a\n"])
def test_glance_does_not_wave_danger_through(text):
    assert not is_harmless(text, ";")


@pytest.mark.parametrize("text", ["", "Anna", "10–15", "Иванова"])
def test_glance_lets_the_usual_pass(text):
    assert is_harmless(text, ";")
    assert written(text, COMMA) == text


# ---------------------------------------------------------------- workbooks


def test_workbook_has_dates_a_head_that_stays_and_filters():
    sheet = read_xlsx(
        Rows(
            [date(2026, 3, 2), datetime(2026, 3, 2, 7, 30, 5, tzinfo=UTC)],
            [time(7, 30), date(1899, 1, 2)],
            [True, None],
        )
    )

    assert [[repr(cell.value) for cell in row] for row in sheet.iter_rows(min_row=2)] == [
        ["datetime.datetime(2026, 3, 2, 0, 0)", "datetime.datetime(2026, 3, 2, 7, 30)"],
        ["datetime.time(7, 30)", "'1899-01-02'"],
        ["True", "None"],
    ]
    assert [sheet["A2"].number_format, sheet["B2"].number_format] == ["yyyy-mm-dd", "yyyy-mm-dd hh:mm"]
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", "A1:B4")
    assert sheet.column_dimensions["B"].width > sheet.column_dimensions["A"].width


@pytest.mark.parametrize("count", [0, 1, 49, 50, 51, 120])
def test_workbook_has_every_row_once_however_many_are_measured(count):
    numbers = list(range(count))

    sheet = read_xlsx(Rows(*([number, "x"] for number in numbers)))

    assert [row[0] for row in sheet.iter_rows(min_row=2, values_only=True)] == numbers
    assert sheet.auto_filter.ref == f"A1:B{count + 1}"
