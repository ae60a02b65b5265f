"""The calendar file of a schedule, read back by two parsers that know nothing of each other."""

import os
import shutil
import subprocess
import sys
import uuid
import zoneinfo
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import icalendar
import pytest
import tzdata
from dateutil.tz import tzical
from hypothesis import example, given
from hypothesis import strategies as st
from ical.calendar_stream import IcsCalendarStream

from courses.services import cancel_session, move_session, pause_course
from reminders.calendar import FILE_NAME, MEDIA_TYPE, Visit, calendar_file, write_calendar
from reminders.services.checking import load_schedule
from tests.factories import book
from tests.reminders.builders import NOW, at, make_desk

RIGA = "Europe/Riga"
# What has ended lines, headers or components in one program or another.
CORPUS = [
    "Clinic\r\nSTATUS:CANCELLED",
    "Clinic\nEND:VEVENT\nBEGIN:VEVENT",
    "Clinic\rATTENDEE:mailto:x@example.com",
    "Clinic\x0bX-ALT:1\x0cX-ALT:2\x1eX-ALT:3",
    "Clinic\x00\x07\x1b[31m",
    "Clinic\u2028URL:https://evil.example\u2029\x85",
    'Clinic";X-PARAM=1:mailto:evil@example.com',
    "Clinic; a, b: c \\n d \\; e",
    "Clinic ^n ^' ^^",
    "К" * 300 + "линика\r\n DTSTART:19700101T000000Z",
    "\u202egpj.exe \ufeff",
    "=1+1 😀 \ud800",
]


def clinic(**changes):
    values = {
        "name": "Kalnina Clinic",
        "sender_name": "",
        "address": "Brivibas iela 1, Riga",
        "phone": "+371 20000000",
        "reply_to_email": "front@clinic.example",
        "time_zone": RIGA,
    }
    return SimpleNamespace(**values | changes)


def visit(number=1, *, starts_at=datetime(2026, 3, 4, 13, tzinfo=UTC), version=1, is_cancelled=False):
    code = uuid.UUID(int=number)
    return Visit(code, version, starts_at, starts_at + timedelta(minutes=45), is_cancelled)


def read_both(content):
    """Return what each parser finds in a file: its method, and its events as plain tuples."""
    one = icalendar.Calendar.from_ical(content)
    first = (
        str(one["METHOD"]),
        [
            (
                str(event["UID"]),
                int(event["SEQUENCE"]),
                str(event["STATUS"]),
                event["DTSTART"].dt,
                event["DTEND"].dt,
                event["DTSTAMP"].dt,
                str(event["SUMMARY"]),
                str(event.get("LOCATION", "")),
                str(event["ORGANIZER"]),
            )
            for event in one.walk("VEVENT")
        ],
    )
    two = IcsCalendarStream.calendar_from_ics(content.decode())
    second = (
        two.method,
        [
            (
                event.uid,
                event.sequence,
                event.status.value,
                event.dtstart,
                event.dtend,
                event.dtstamp,
                event.summary,
                event.location or "",
                event.organizer.uri,
            )
            for event in two.events
        ],
    )
    assert one.errors == []
    return first, second


def names_of(content):
    """Return the name of every line once folded lines are joined: the structure of the file."""
    lines = content.decode().replace("\r\n ", "").split("\r\n")
    return [line.partition(":")[0].partition(";")[0] for line in lines if line]


# ------------------------------------------------------------------------------------------------ the file alone


def test_both_parsers_read_the_same_and_it_is_what_was_meant(settings):
    settings.BASE_URL = "https://regimen.example"
    visits = [
        visit(1),
        visit(2, starts_at=datetime(2026, 6, 1, 6, 30, tzinfo=UTC), version=4, is_cancelled=True),
    ]

    first, second = read_both(write_calendar(visits, clinic=clinic(), language="en", now=NOW))

    zone = ZoneInfo(RIGA)
    assert first == second
    assert first == (
        "PUBLISH",
        [
            (
                f"{uuid.UUID(int=1)}@regimen.example",
                1,
                "CONFIRMED",
                datetime(2026, 3, 4, 15, tzinfo=zone),
                datetime(2026, 3, 4, 15, 45, tzinfo=zone),
                NOW,
                "Appointment: Kalnina Clinic",
                "Brivibas iela 1, Riga",
                "mailto:front@clinic.example",
            ),
            (
                f"{uuid.UUID(int=2)}@regimen.example",
                4,
                "CANCELLED",
                datetime(2026, 6, 1, 9, 30, tzinfo=zone),
                datetime(2026, 6, 1, 10, 15, tzinfo=zone),
                NOW,
                "Appointment: Kalnina Clinic",
                "Brivibas iela 1, Riga",
                "mailto:front@clinic.example",
            ),
        ],
    )


def test_published_event_has_all_that_rfc_5546_asks_and_nothing_it_forbids():
    content = write_calendar([visit()], clinic=clinic(), language="en", now=NOW)

    names = names_of(content)
    event = names[names.index("BEGIN", names.index("END", names.index("BEGIN", 1))) :]
    assert {"DTSTAMP", "DTSTART", "ORGANIZER", "SUMMARY", "UID", "SEQUENCE"} <= set(event)
    assert not {"ATTENDEE", "REQUEST-STATUS", "VALARM", "COMMENT"} & set(names)
    assert content.count(b"\r\n") == content.count(b"\n")
    assert max(len(line) for line in content.split(b"\r\n")) <= 75


def test_event_speaks_the_clients_language():
    content = write_calendar([visit()], clinic=clinic(), language="ru", now=NOW)

    assert str(icalendar.Calendar.from_ical(content).events[0]["SUMMARY"]) == "Приём: Kalnina Clinic"


@pytest.mark.parametrize("field", ["name", "sender_name", "address", "phone", "reply_to_email"])
@pytest.mark.parametrize("text", CORPUS, ids=range(len(CORPUS)))
def test_nothing_typed_adds_a_line(field, text):
    plain = write_calendar([visit()], clinic=clinic(sender_name="A"), language="en", now=NOW)

    content = write_calendar(
        [visit()], clinic=clinic(**{"sender_name": "A", field: text}), language="en", now=NOW
    )

    assert names_of(content) == names_of(plain)
    first, second = read_both(content)
    assert first == second
    assert len(first[1]) == 1


@pytest.mark.slow
@given(name=st.text(min_size=1, max_size=80), address=st.text(max_size=80), phone=st.text(max_size=30))
@example(name="\\", address="\\", phone="\\")
@example(name='"', address='"', phone='"')
def test_no_text_at_all_adds_a_line(name, address, phone):
    place = clinic(name=f"A{name}", address=f"B{address}", phone=f"C{phone}")

    content = write_calendar([visit()], clinic=place, language="en", now=NOW)

    first, second = read_both(content)
    assert first == second
    assert names_of(content).count("BEGIN") == names_of(
        write_calendar([visit()], clinic=clinic(), language="en", now=NOW)
    ).count("BEGIN")


@pytest.mark.parametrize(
    "name",
    [
        RIGA,
        "America/New_York",
        "Australia/Lord_Howe",
        "Asia/Almaty",
        "Africa/Casablanca",
        "Europe/Dublin",
        "UTC",
    ],
)
def test_zone_rules_say_what_the_zone_does(name):
    starts = datetime(2023, 5, 1, 9, tzinfo=UTC), datetime(2026, 5, 1, 9, tzinfo=UTC)
    visits = [visit(number, starts_at=at) for number, at in enumerate(starts)]
    content = write_calendar(visits, clinic=clinic(time_zone=name), language="en", now=NOW).decode()
    zone = ZoneInfo(name)
    if name == "UTC":
        assert "VTIMEZONE" not in content
        return

    theirs = tzical(StringIO(content)).get(name)

    at, wrong = datetime(2023, 1, 1, tzinfo=UTC), []
    while at < datetime(2027, 12, 31, tzinfo=UTC):
        wall = at.astimezone(zone).replace(tzinfo=None)
        # Hours that come twice are not to be told apart by a wall time.
        is_twice = wall.replace(tzinfo=zone).utcoffset() != wall.replace(tzinfo=zone, fold=1).utcoffset()
        if not is_twice and wall.replace(tzinfo=theirs).utcoffset() != at.astimezone(zone).utcoffset():
            wrong.append(wall)
        at += timedelta(hours=1)
    assert wrong == []


@pytest.mark.slow
def test_wall_time_is_kept_when_the_zone_changes_its_rules(tmp_path):
    content = write_calendar([visit()], clinic=clinic(), language="en", now=NOW)
    (tmp_path / "Europe").mkdir()
    shutil.copy(zone_file("Asia/Tokyo"), tmp_path / "Europe" / "Riga")
    (tmp_path / "visits.ics").write_bytes(content)
    script = (
        "import icalendar, zoneinfo; from ical.calendar_stream import IcsCalendarStream as S;"
        f"zoneinfo.reset_tzpath([{str(tmp_path)!r}]);"
        f"content = open({str(tmp_path / 'visits.ics')!r}, 'rb').read();"
        "print(S.calendar_from_ics(content.decode()).events[0].dtstart.isoformat());"
        "print(icalendar.Calendar.from_ical(content).events[0]['DTSTART'].dt.isoformat())"
    )

    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        capture_output=True,
        text=True,
        env={**os.environ},
        check=True,
    )

    # The same hour on the wall under rules that put it at another instant.
    assert done.stdout.split() == ["2026-03-04T15:00:00+09:00"] * 2


def zone_file(name):
    found = [Path(folder) / name for folder in zoneinfo.TZPATH if (Path(folder) / name).exists()]
    if found:
        return found[0]
    return Path(tzdata.__file__).parent / "zoneinfo" / name


# ------------------------------------------------------------------------------------------------ from the rows


@pytest.fixture
def desk(db):
    return make_desk()


def file_of(desk, *, now=NOW, told=None):
    row = desk.row("schedule")
    schedule = load_schedule(row)
    if told is not None:
        schedule = replace(schedule, told=frozenset(told))
    return calendar_file(row=row, schedule=schedule, now=now)


def events(file):
    return {
        str(event["UID"]).partition("@")[0]: (
            int(event["SEQUENCE"]),
            str(event["STATUS"]),
            f"{event['DTSTART'].dt:%Y-%m-%d %H:%M}",
        )
        for event in icalendar.Calendar.from_ical(file.content).events
    }


def test_file_has_every_visit_to_come(desk, django_assert_num_queries):
    second = book(desk.course, date(2026, 3, 6), now=NOW)
    row, schedule = desk.row("schedule"), load_schedule(desk.row("schedule"))
    parts = (row.clinic, row.client)

    with django_assert_num_queries(1):
        file = calendar_file(row=row, schedule=schedule, now=NOW)

    assert parts
    assert (file.name, file.media_type) == (FILE_NAME, MEDIA_TYPE)
    assert MEDIA_TYPE == "text/calendar; method=PUBLISH; charset=utf-8"
    assert events(file) == {
        str(desk.session.code): (1, "CONFIRMED", "2026-03-04 15:00"),
        str(second.code): (1, "CONFIRMED", "2026-03-06 10:00"),
    }


def test_moved_visit_keeps_its_name_and_counts_up(desk):
    before = events(file_of(desk))

    move_session(
        session=desk.session,
        starts_at=at("2026-03-05 09:00"),
        practitioner=None,
        room=None,
        by=desk.by,
        now=NOW,
    )
    after = events(file_of(desk, told=[(str(desk.session.code), at("2026-03-04 15:00"))]))

    code = str(desk.session.code)
    assert before == {code: (1, "CONFIRMED", "2026-03-04 15:00")}
    assert after == {code: (2, "CONFIRMED", "2026-03-05 09:00")}


def test_cancelled_visit_that_was_told_is_told_cancelled(desk):
    told = [(str(desk.session.code), at("2026-03-04 15:00"))]
    cancel_session(session=desk.session, whose="clinic", by=desk.by, now=NOW)

    assert events(file_of(desk, told=told)) == {str(desk.session.code): (2, "CANCELLED", "2026-03-04 15:00")}
    # Whoever was never told has nothing to take out of a calendar.
    assert file_of(desk, told=[]) is None


def test_visit_on_a_paused_day_is_told_cancelled(desk):
    day = date(2026, 3, 4)
    pause_course(course=desk.course, from_on=day, to_on=day, reason="travel", by=desk.by, now=NOW)

    found = events(file_of(desk, told=[(str(desk.session.code), at("2026-03-04 15:00"))]))

    assert [event[1] for event in found.values()] == ["CANCELLED"]


def test_visits_that_are_over_are_left_out(desk):
    assert (
        file_of(desk, now=at("2026-03-04 15:00"), told=[(str(desk.session.code), at("2026-03-04 15:00"))])
        is None
    )


def test_file_is_neutral(desk):
    clinic = desk.course.clinic
    clinic.shows_treatment_in_messages = True
    clinic.save()

    text = file_of(desk).content.decode()

    client, protocol = desk.course.client, desk.course.protocol
    assert "Appointment" in text
    hidden = (client.given_name, client.family_name, protocol.name_en, desk.session.practitioner.display_name)
    assert [word for word in hidden if word in text] == []
