"""Lists of the API: pages that stay true while rows come and go, and filters that are refused when they make no sense."""

import base64
from datetime import date, time, timedelta

import pytest
from django.utils import timezone

from courses.models import Flag
from tests.api.conftest import TODAY, Program, token_for
from tests.factories import ClientFactory, RoomFactory, book

pytestmark = pytest.mark.django_db


def codes(answer):
    return [row["code"] for row in answer.json()["results"]]


def follow(program, address):
    """Return the page that an answer of before points to."""
    return program.get(address.partition("/api/v1/")[2])


def refused(answer):
    return answer.status_code, answer.json()["error"]["fields"]


def test_pages_repeat_and_lose_nothing_while_rows_come(world, reader):
    first = reader.get("sessions/?page_size=2")
    before, after = TODAY - timedelta(days=30), TODAY + timedelta(days=8)
    known = codes(reader.get("sessions/"))
    book(world.other, after, time(9), now=timezone.now(), room=world.room)
    world.session.__class__.objects.filter(pk=world.session.pk).update(on=before)

    pages, answer = [codes(first)], first
    while answer.json()["next"]:
        answer = follow(reader, answer.json()["next"])
        pages.append(codes(answer))

    read = [code for page in pages for code in page]
    assert len(read) == len(set(read))
    # One moved to where the first page had been, another came behind the last.
    assert [code for code in known if code not in read] == [str(world.session.code)]
    assert len([code for code in read if code not in known]) == 1
    assert [len(page) for page in pages[:-1]] == [2] * (len(pages) - 1)


def test_cursor_tells_no_key_and_opens_no_other_list(world, reader, writer):
    RoomFactory(clinic=world.clinic, name="Room 2")
    following = reader.get("rooms/?page_size=1").json()["next"]
    cursor = following.partition("cursor=")[2]
    other = Program(*token_for(world.owner, "read"))

    sealed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    assert not (sealed.startswith(b"[") and sealed.endswith(b"]"))
    assert codes(reader.get(f"rooms/?page_size=2&cursor={cursor}")) != []
    wrong = "Take the cursor from the address of the next page as it is."
    for answer in (
        reader.get(f"practitioners/?cursor={cursor}"),
        other.get(f"rooms/?cursor={cursor}"),
        reader.get(f"rooms/?cursor={cursor[:-2]}AA"),
        reader.get("rooms/?cursor=é"),
        reader.get(f"rooms/?cursor={'A' * 5000}"),
        reader.get("rooms/?cursor=" + cursor.swapcase()),
    ):
        assert refused(answer) == (400, {"cursor": wrong})


def test_page_has_the_size_asked_for(world, reader):
    for number in range(3):
        ClientFactory(clinic=world.clinic, given_name=f"N{number}")

    assert len(codes(reader.get("clients/?page_size=4"))) == 4
    assert reader.get("clients/?page_size=5").json()["next"] is None
    for size in ("0", "201", "-1", "two", "1e1", "٣"):
        assert refused(reader.get(f"clients/?page_size={size}")) == (
            400,
            {"page_size": "Choose from 1 to 200."},
        )


def test_filters_narrow(world, reader):
    Flag.objects.filter(pk=world.flag.pk).update(snoozed_until_on=TODAY + timedelta(days=1))
    one, other, day = str(world.course.code), str(world.other.code), TODAY.isoformat()
    session, later = str(world.session.code), str(world.later.code)
    expected = {
        f"courses/?client={world.client.code}": [one],
        "courses/?status=active&protocol=manual": [one, other],
        "courses/?status=completed": [],
        "courses/?state=overdue&due_before=2026-03-07": [one, other],
        "courses/?due_before=2026-03-06": [],
        f"courses/?practitioner={world.prescriber.code}&flag=overdue": [one, other],
        "courses/?flag=lapsed": [],
        f"sessions/?on={day}": [session],
        f"sessions/?from_on={day}": [session, later],
        f"sessions/?from_on={day}&to_on={day}": [session],
        f"sessions/?status=booked&course={one}&room={world.room.code}": [session, later],
        f"sessions/?status=booked&client={world.other.client.code}": [],
        f"sessions/?practitioner={world.owner.code}": [],
        "pauses/?holds_on=2026-03-22": [str(world.pause.code)],
        "pauses/?holds_on=2026-03-23": [],
        f"pauses/?course={one}": [],
        f"flags/?is_awake=false&client={world.other.client.code}": [str(world.flag.code)],
        f"flags/?is_open=true&is_awake=true&course={other}": [],
        f"flags/?kind=overdue&severity=warning&course={other}": [str(world.flag.code)],
        "flags/?severity=serious": [],
        "protocols/?slug=manual&is_current=true": [str(world.protocol.code)],
        "protocols/?is_current=false": [],
        f"clients/?created_from={day}": [],
        f"reminders/?session={later}&channel=email&trigger=before_session&state=due&send_from=2026-03-10&send_to=2026-03-10": [
            str(world.reminder.code)
        ],
        f"reminders/?session={later}&send_from=2026-03-12": [],
    }

    assert {path: codes(reader.get(path)) for path in expected} == expected


@pytest.mark.parametrize(
    ("query", "field", "message"),
    [
        ("stauts=active", "stauts", "There is no such filter here."),
        ("status=", "status", "Give one value, or leave the filter out."),
        ("status=active&status=paused", "status", "Give one value, or leave the filter out."),
        ("status=odd", "status", "Select a valid choice. odd is not one of the available choices."),
        ("due_before=2026-3-1", "due_before", "Write a date that exists as YYYY-MM-DD."),
        ("due_before=2026-02-30", "due_before", "Write a date that exists as YYYY-MM-DD."),
        ("due_before=0001-01-01", "due_before", "Write a date that exists as YYYY-MM-DD."),
        (
            "client=7",
            "client",
            "Write a code as it is answered, such as 7f0b8a5c-0000-4000-8000-000000000001.",
        ),
        ("protocol=%00", "protocol", "Write the name of a protocol as it is answered."),
    ],
)
def test_filter_without_sense_is_refused(world, reader, query, field, message):
    assert refused(reader.get(f"courses/?{query}")) == (400, {field: message})


def test_what_takes_no_parameters_says_so(world, reader, reporter):
    said = {"surplus": "There is no such parameter here."}

    assert refused(reader.get(f"courses/{world.course.code}/?surplus=1")) == (400, said)
    assert refused(reporter.get("reports/figures/?from_on=2026-03-01")) == (
        400,
        {"to_on": "Write a date that exists as YYYY-MM-DD."},
    )
    period = f"from_on=2026-03-01&to_on={date(2027, 3, 2)}"
    assert refused(reporter.get(f"reports/figures/?{period}")) == (
        400,
        {"to_on": "Choose a period of 1 to 366 days."},
    )
    path = f"courses/{world.course.code}/plan/"
    assert list(refused(reader.get(f"{path}?not_before=2026-03-10T09:00"))[1]) == ["not_before"]
    assert list(refused(reader.get(f"{path}?policy=odd"))[1]) == ["policy"]
