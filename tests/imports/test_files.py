"""Files from anywhere: their encodings, separators, dates, and what is refused."""

import io
import zipfile
from datetime import date, datetime

import openpyxl
import pytest

from imports import files
from imports.files import FileError, Sheet, read_sheet

ROWS = [["Имя", "Телефон"], ["Анна", "+371 20 000 000"], [None, None], ["Ольга", 37120000001]]
FOUND = Sheet(("Имя", "Телефон"), ((2, ("Анна", "+371 20 000 000")), (4, ("Ольга", "37120000001"))))


def as_csv(separator, ending="\r\n"):
    return ending.join(separator.join(str(cell or "") for cell in row) for row in ROWS)


def as_xlsx(rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


@pytest.mark.parametrize("separator", [";", ",", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1251"])
def test_csv_is_read_in_any_dress(encoding, separator):
    assert read_sheet(as_csv(separator).encode(encoding)) == FOUND


def test_xlsx_is_read_with_its_dates_and_without_its_formulas():
    assert read_sheet(as_xlsx(ROWS)) == FOUND
    rows = [["a", "b", "c"], [date(2026, 12, 31), datetime(2026, 12, 31, 9, 30), "=1+1"]]  # noqa: DTZ001 (as a sheet knows it)
    assert read_sheet(as_xlsx(rows)).rows == ((2, ("2026-12-31", "2026-12-31 09:30", "=1+1")),)


def test_sheets_without_rows_or_out_of_sight_are_passed_over():
    book = openpyxl.Workbook()
    hidden = book.create_sheet("Lists")
    hidden.append(["yes", "no"])
    hidden.sheet_state = "hidden"
    meant = book.create_sheet("Clients")
    for row in ROWS:
        meant.append(row)
    content = io.BytesIO()
    book.save(content)

    assert read_sheet(content.getvalue()) == FOUND


def test_quoted_cells_keep_separators_and_become_one_line():
    assert read_sheet(b'a;b\n"x;y";"1\n2"\n').rows == ((2, ("x;y", "1 2")),)


@pytest.mark.parametrize(
    "above",
    [
        ["Clients, all of them, today"],
        ["Список клиентов;;"],
        ["", "Clients", "", "30 November", ";;"],
        ["sep=;"],
    ],
)
def test_what_stands_above_the_headings_is_passed_over(above):
    content = "\r\n".join([*above, as_csv(";")]).encode()
    moved = tuple((number + len(above), cells) for number, cells in FOUND.rows)

    assert read_sheet(content) == Sheet(FOUND.headings, moved)


def test_one_column_is_a_table_with_its_first_line_as_heading():
    assert read_sheet(b"Name\nAnna\nOlga\n") == Sheet(("Name",), ((2, ("Anna",)), (3, ("Olga",))))
    assert read_sheet(b"Telephone;\n20000001;Anna\n") == Sheet(("Telephone",), ((2, ("20000001",)),))
    assert read_sheet(b"sep=,\na,b\n1;2,3\n") == Sheet(("a", "b"), ((3, ("1;2", "3")),))


def test_signs_that_nobody_sees_are_no_part_of_a_name():
    assert read_sheet("\u200bAn\u00adna;b\n\u2060Ol\ufeffga;1".encode()).rows == ((2, ("Olga", "1")),)


def test_rows_are_as_wide_as_the_headings():
    assert read_sheet(b"a;b;;\n1\n1;2;3;4\n").rows == ((2, ("1", "")), (3, ("1", "2")))


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"a;b\n;;\n", "empty"),
        (b"a" * (files.MOST_BYTES + 1), "too_large"),
        (b"\xd0\xcf\x11\xe0 old", "old_excel"),
        (b"PK\x03\x04 nothing", "not_a_table"),
        (b"a;b\n\0;1", "not_a_table"),
        # What follows such a mark would be one cell, and the rows in it gone without a word.
        (b'a;b\n"x;1\ny;2\n', "quotes"),
        (b'a;b\n"x;1\ny;2\n"z";3\n', "quotes"),
        (b"a\n" + b"x" * 200_000, "not_a_table"),
        (b"\xff\xfea", "encoding"),
        (b"\xef\xbb\xbf\xff", "encoding"),
        (b"a\n" + b"1\n" * 20_001, "too_many_rows"),
        (b";".join([b"a"] * 61) + b"\n1", "too_many_columns"),
    ],
)
def test_what_is_no_table_is_refused(content, code):
    with pytest.raises(FileError) as caught:
        read_sheet(content)

    assert caught.value.code == code


def test_a_file_that_unfolds_to_too_much_is_not_unfolded(monkeypatch):
    monkeypatch.setattr(files, "_MOST_UNPACKED", 1000)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", "0" * 2000)

    with pytest.raises(FileError, match="too_large"):
        read_sheet(content.getvalue())


def test_entities_in_a_sheet_are_refused():
    content = as_xlsx(ROWS)
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(target, "w") as archive:
        for entry in source.infolist():
            text = source.read(entry)
            if entry.filename.endswith("sheet1.xml"):
                text = (
                    b'<!DOCTYPE d [<!ENTITY e "x">]>' + text.partition(b"?>")[2]
                    if text.startswith(b"<?")
                    else b'<!DOCTYPE d [<!ENTITY e "x">]>' + text
                )
            archive.writestr(entry.filename, text)

    with pytest.raises(FileError, match="not_a_table"):
        read_sheet(target.getvalue())
