"""Every table in every format, read back: the same cells everywhere, no formula, and nobody in an anonymised one."""

import csv
import io
import json
from datetime import date, datetime
from uuid import UUID

import openpyxl
import pytest

from clinics.access import Capability
from clinics.models import Closure, StaffMember
from exports.columns import Kind, Privacy
from exports.core.choice import FORMATS, Choice
from exports.files import head_bytes, line_blocks, write_workbook
from exports.reading import Reading
from exports.tables import TABLES
from tests.exports.conftest import CANARY
from tests.factories import ClinicFactory
from tests.staff.conftest import NOW, TODAY

SEPARATORS = {"csv": ",", "semicolon": ";"}
FORMULA_STARTS = tuple("=+-@\t\r\n ＝＋－＠")


def read(clinic, choice):
    return Reading(clinic, TABLES[choice.table], choice, today=TODAY, now=NOW)


def file_of(clinic, choice):
    reading = read(clinic, choice)
    if choice.file_format == "xlsx":
        target = io.BytesIO()
        write_workbook(reading, target)
        return target.getvalue()
    return head_bytes(reading, choice.file_format) + b"".join(
        block for block, _ in line_blocks(reading, choice.file_format)
    )


def rows_of(clinic, choice):
    """Return the rows of a file of lines, read as a program would."""
    content = file_of(clinic, choice)
    if choice.file_format == "jsonl":
        return [json.loads(line) for line in content.decode().splitlines()]
    text = content.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=SEPARATORS[choice.file_format]))


def test_sessions_are_written_cell_by_cell(world):
    head, *rows = rows_of(world.clinic, Choice("sessions"))

    assert len(rows) == 3
    assert dict(zip(head, rows[2], strict=True)) == {
        "Session": str(world.session.code),
        "Course": str(world.course.code),
        "Client": str(world.client.code),
        "Given name": f"'=cmd|' /C {CANARY}'!A0",
        "Family name": f"'＝{CANARY}",
        "Protocol": CANARY.lower(),
        "Course started on": "2026-03-02",
        "Date": "2026-03-09",
        "From": "2026-03-09 11:00",
        "To": "2026-03-09 11:45",
        "Status": "booked",
        "Practitioner": f"'=Dr {CANARY}",
        "Practitioner, code": str(world.owner.code),
        "Room": f"'-{CANARY}",
        "Length in minutes": "",
        "Reaction": "",
        "Pain before": "",
        "Pain after": "",
        "Why it was cancelled": f"' \u200b=1 {CANARY}",
        "Note": f"'=1 {CANARY}",
        "Recorded": "",
    }


def test_program_gets_every_text_as_it_stands(world):
    row = rows_of(world.clinic, Choice("sessions", "jsonl"))[2]

    assert row["given_name"] == f"=cmd|' /C {CANARY}'!A0"
    assert row["note"] == f"\x01=1 {CANARY}"
    assert (row["on"], row["starts_at"], row["minutes"]) == ("2026-03-09", "2026-03-09T11:00:00+02:00", None)
    assert row["session"] == str(world.session.code)


def test_workbook_has_the_same_cells_as_values(world):
    content = file_of(world.clinic, Choice("sessions", "xlsx"))
    head, *rows = openpyxl.load_workbook(io.BytesIO(content)).active.iter_rows(values_only=True)
    row = dict(zip(head, rows[2], strict=True))

    assert len(rows) == 3
    assert row["Given name"] == f"=cmd|' /C {CANARY}'!A0"
    assert isinstance(row["Date"], datetime)
    assert (str(row["Date"]), str(row["From"])) == ("2026-03-09 00:00:00", "2026-03-09 11:00:00")
    assert row["Length in minutes"] is None


@pytest.mark.slow
def test_no_table_holds_a_formula_in_any_format(world):
    for table in TABLES.values():
        for file_format in SEPARATORS:
            rows = rows_of(world.clinic, Choice(table.name, file_format, filters=_everything(table)))
            cells = [cell for row in rows[1:] for cell in row]
            assert rows[1:], table.name
            assert [cell for cell in cells if cell.startswith(FORMULA_STARTS)] == []
        content = file_of(world.clinic, Choice(table.name, "xlsx", filters=_everything(table)))
        sheet = openpyxl.load_workbook(io.BytesIO(content)).active
        assert sheet.max_row == len(rows)
        assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n", "d", "b"}


@pytest.mark.slow
def test_no_anonymised_file_holds_a_canary(world):
    personal = {CANARY.lower(), "26543210", "1986", str(world.client.code), str(world.owner.code)}
    for table in TABLES.values():
        if not table.has_anonymous:
            continue
        for file_format in FORMATS:
            plain = Choice(table.name, file_format, filters=_everything(table))
            content = file_of(world.clinic, Choice(**_fields(plain, is_anonymous=True)))
            if file_format == "xlsx":
                book = openpyxl.load_workbook(io.BytesIO(content))
                text = repr([list(row) for row in book.active.iter_rows(values_only=True)])
            else:
                text = content.decode()
                # The absence proves something: the same file with names has them.
                assert CANARY.lower() in file_of(world.clinic, plain).decode().lower(), table.name
            assert [found for found in personal if found in text.lower()] == [], (table.name, file_format)
            assert world.course.code.hex not in text.replace("-", "")


def _everything(table):
    return {"show": "all"} if table.name in ("courses", "findings") else {}


def _fields(choice, **changes):
    return {name: getattr(choice, name) for name in choice.__dataclass_fields__} | changes


def test_pseudonyms_join_across_files_and_mean_nothing_elsewhere(world):
    def column(clinic, table, name):
        choice = Choice(table, "jsonl", is_anonymous=True, filters=_everything(TABLES[table]))
        return {row[name] for row in rows_of(clinic, choice)}

    clients = column(world.clinic, "clients", "client")

    assert len(clients) == 1
    for table in ("courses", "sessions", "findings", "messages"):
        assert column(world.clinic, table, "client") == clients
    assert column(world.clinic, "sessions", "course") == column(world.clinic, "courses", "course")
    assert column(world.clinic, "people", "person") == column(world.clinic, "courses", "practitioner_code")
    assert column(world.clinic, "sessions", "protocol") == column(world.clinic, "protocols", "protocol")
    other = ClinicFactory()
    assert (
        read(other, Choice("clients", is_anonymous=True))._hide["client"](str(world.client.code))
        not in clients
    )


def test_anonymised_clients_are_told_by_band_and_shipped_protocols_by_name(world):
    world.clinic.protocols.update(slug="manual_massage")

    client = rows_of(world.clinic, Choice("clients", "jsonl", is_anonymous=True))[0]
    course = rows_of(world.clinic, Choice("courses", "jsonl", is_anonymous=True))[0]

    assert set(client) == {
        "client",
        "age_band",
        "language",
        "allows",
        "wished_practitioner",
        "running",
        "registered_at",
    }
    assert (client["age_band"], client["running"]) == ("40-49", 1)
    assert course["protocol"].startswith("own-")


def test_every_text_is_personal_and_every_code_a_pseudonym():
    # A new column is one or the other before anybody thinks of it.
    columns = [column for table in TABLES.values() if table.has_anonymous for column in table.columns]

    assert [c.name for c in columns if c.kind == Kind.TEXT and c.privacy != Privacy.PERSONAL] == []
    assert [c.name for c in columns if c.kind == Kind.CODE and c.privacy != Privacy.PSEUDONYM] == []
    assert all(column.subject for column in columns if column.kind == Kind.CODE)


def test_columns_are_those_chosen_in_the_tables_order(world):
    choice = Choice("sessions", columns=("status", "on"))

    assert rows_of(world.clinic, choice)[:2] == [["Date", "Status"], ["2026-03-02", "attended"]]


def test_semicolons_come_with_decimal_commas(world):
    choice = Choice("courses", "semicolon", columns=("attendance_rate", "state"))

    assert rows_of(world.clinic, choice)[1] == ["overdue", "1,0"]


def test_period_is_the_clinics_days_with_both_ends(world):
    days = Choice("sessions", columns=("on",), from_on=date(2026, 3, 2), to_on=date(2026, 3, 4))

    assert rows_of(world.clinic, days)[1:] == [["2026-03-02"], ["2026-03-04"]]
    Closure.objects.for_clinic(world.clinic).update(from_on=date(2026, 3, 1), to_on=date(2026, 3, 3))
    assert len(rows_of(world.clinic, Choice("closures", from_on=date(2026, 3, 3)))) == 2
    assert len(rows_of(world.clinic, Choice("closures", from_on=date(2026, 3, 4)))) == 1


def test_findings_are_those_of_the_worklist_or_all_that_ever_were(world):
    shown = rows_of(world.clinic, Choice("findings", "jsonl"))
    world.clinic.flags.filter(kind="overdue").update(resolved_at=NOW, resolved_reason="attended")

    everything = rows_of(world.clinic, Choice("findings", "jsonl", filters={"show": "all"}))
    now_shown = rows_of(world.clinic, Choice("findings", "jsonl"))

    assert [(row["kind"], row["resolved_by"]) for row in shown] == [("overdue", "")]
    assert now_shown == []
    assert [(row["kind"], row["resolved_by"]) for row in everything] == [
        ("unbooked", "rebooked"),
        ("overdue", "attended"),
    ]


def test_no_table_shows_another_clinics_rows(world):
    other = StaffMember.objects.exclude(clinic=world.clinic).first() or ClinicFactory()
    clinic = getattr(other, "clinic", other)

    found = {name: read(clinic, Choice(name)).count() for name in TABLES}

    assert found == dict.fromkeys(TABLES, 0)
    assert min(read(world.clinic, Choice(name)).count() for name in TABLES) > 0


def test_queries_do_not_grow_with_the_rows(world, django_assert_max_num_queries):
    reading = read(world.clinic, Choice("courses"))
    with django_assert_max_num_queries(8):
        assert len(list(reading.rows())) == 1


def test_who_may_take_what():
    needs = {name: table.needs for name, table in TABLES.items() if table.needs != Capability.EXPORT}

    assert needs == {"people": Capability.MANAGE, "audit": Capability.MANAGE}


def test_codes_are_read_alike_by_everybody(world):
    rows = rows_of(world.clinic, Choice("courses", columns=("course", "client")))

    assert [UUID(code) for code in rows[1]] == [world.course.code, world.client.code]
