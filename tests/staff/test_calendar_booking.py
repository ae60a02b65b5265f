"""Booking from a free place of the calendar: whose course, what it does to it, and when exactly."""

from datetime import date, time, timedelta
from urllib.parse import parse_qs, parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import pytest

from clinics.models import Role
from tests.factories import ClinicFactory, RoomFactory, StaffMemberFactory, book
from tests.staff.conftest import NOW, TODAY
from tests.staff.lists import look_for
from tests.staff.test_today import words_of

RIGA = ZoneInfo("Europe/Riga")
TUESDAY = date(2026, 3, 10)


def gaps_of(response):
    """Return when each free time of the columns shown begins, as its address says."""
    return [
        {name: values[0] for name, values in parse_qs(urlsplit(gap.url).query).items()}
        for column in response.context["grid"].columns
        for gap in column.gaps
    ]


def slot(prescriber, **changes):
    """Return what the form of a course posts for Tuesday at three."""
    return {
        "on": "2026-03-10",
        "at": "15:00",
        "minutes": "60",
        "practitioner": str(prescriber.code),
        "room": "",
        "judged": "2026-03-10",
    } | changes


# ---------------------------------------------------------------- where it begins


def test_free_times_lead_to_a_booking_for_who_may_book(reception, browser_of, prescriber, session):
    page = f"/calendar/?view=day&practitioner={prescriber.code}"

    gaps = gaps_of(reception.get(page))

    # It is ten; booked is from eleven to a quarter to twelve.
    assert [(gap["on"], gap["at"], gap["practitioner"]) for gap in gaps] == [
        ("2026-03-09", "10:00", str(prescriber.code)),
        ("2026-03-09", "11:45", str(prescriber.code)),
    ]
    assert gaps[0]["page"] == f"view=day&practitioner={prescriber.code}"
    assert gaps_of(browser_of(Role.PRACTITIONER).get(page)) == []
    assert gaps_of(reception.get(f"{page}&on=2026-03-06")) == []


def test_free_time_of_a_week_and_of_a_room_is_a_link_that_says_its_day(reception, prescriber, room, session):
    week = reception.get("/calendar/").content.decode()
    rooms = reception.get("/calendar/?view=day&by=room&on=2026-03-10")

    assert 'title="Book Tue 10 Mar"' in week
    assert [gap.get("room") for gap in gaps_of(rooms)] == [str(room.code)]


def test_short_sessions_are_drawn_high_enough_to_be_hit_and_cover_none(reception, make_course):
    for name, at in (("Anna", time(11)), ("Olga", time(11, 10))):
        session = book(make_course(given_name=name, attended=()), TODAY, at, now=NOW, minutes=10)

    page = reception.get("/calendar/?view=day").content.decode()

    assert "at-h11 at-m0 for-h0 for-m20 lane-0 of-2" in page
    assert "at-h11 at-m10 for-h0 for-m20 lane-1 of-2" in page
    assert session.ends_at - session.starts_at == timedelta(minutes=10)


# ---------------------------------------------------------------- whose it is


def test_courses_whose_window_holds_the_day_come_first_and_others_say_what_it_does(
    reception, make_course, prescriber
):
    # Anna: attended on the 4th, overdue. Olga: on the 4th, and booked on the 9th, so due from Tuesday. Inga: booked on Tuesday.
    make_course()
    olga, inga = (
        make_course(given_name=name, at=at, attended=(2, 4)) for name, at in (("Olga", 12), ("Inga", 14))
    )
    book(olga, TODAY, time(14), now=NOW)
    book(inga, TUESDAY, time(16), now=NOW)

    answer = reception.get(f"/calendar/book/?on=2026-03-10&at=15:00&practitioner={prescriber.code}")

    assert [line.name for line in answer.context["inside"]] == ["Olga Berzina"]
    words = words_of(answer)
    assert "Tue 10 Mar, 15:00 · Dr Ozola" in words
    assert "Allowed for session 4: Tue 10 Mar – Wed 11 Mar." in words
    assert "Anna Berzina" in words.split("Others, with what it does to their course")[1]
    assert "Tue 10 Mar is 3 open days after the window." in words
    assert "Inga Berzina" not in words


def test_search_finds_a_client_and_keeps_the_place(reception, make_course, prescriber):
    make_course()
    make_course(given_name="Olga", at=12)
    place = f"on=2026-03-10&at=15%3A00&practitioner={prescriber.code}&page=view%3Dday"
    kept = dict(parse_qsl(place))

    addresses = [look_for(reception, "/calendar/book/", q, **kept) for q in ("olga", "zzz")]
    found, nobody = map(reception.get, addresses)

    (line,) = found.context["inside"] + found.context["others"]
    assert line.name == "Olga Berzina"
    assert line.url.endswith(place)
    assert "Nobody by that name has a course to book" in words_of(nobody)


def test_clinic_without_courses_is_told_where_sessions_come_from(browser_of, clinic):
    reader, owner = (words_of(browser_of(role).get("/calendar/book/")) for role in ("receptionist", "owner"))

    assert "No course can be booked on this day Sessions belong to a course." in reader
    assert ("Prescribe a course" in reader, "Prescribe a course" in owner) == (False, True)


def test_choice_takes_the_same_queries_for_one_course_and_for_three(
    reception, make_course, django_assert_num_queries, django_assert_max_num_queries
):
    make_course()
    reception.get("/calendar/book/?on=2026-03-10")
    with django_assert_max_num_queries(30) as counted:
        reception.get("/calendar/book/?on=2026-03-10")
    make_course(given_name="Olga", at=12)
    make_course(given_name="Inga", at=14)

    with django_assert_num_queries(len(counted.captured_queries)):
        page = reception.get("/calendar/book/?on=2026-03-10")
    assert len(page.context["others"]) == 3


# ---------------------------------------------------------------- when exactly


def test_form_starts_from_the_place_the_prescribed_length_and_a_free_room(
    reception, clinic, course, session, room, prescriber
):
    free = RoomFactory(clinic=clinic, name="Room 2")
    place = f"at=11:15&practitioner={prescriber.code}"

    taken, later = (
        reception.get(f"/calendar/book/{course.code}/?on={on}&{place}").context["form"].initial
        for on in ("2026-03-09", "2026-03-10")
    )

    assert taken["room"] == free.code
    assert later == {
        "on": TUESDAY,
        "at": "11:15",
        "minutes": 60,
        "practitioner": prescriber.code,
        "room": room.code,
        "judged": "2026-03-10",
        "booked": "2026-03-09",
    }


def test_booking_comes_back_to_the_calendar_it_was_seen_on(reception, course, session, prescriber, room):
    page = f"/calendar/book/{course.code}/?on=2026-03-10&page=view%3Dday%26by%3Droom"

    response = reception.post(page, slot(prescriber, room=str(room.code)))

    assert (response.status_code, response["Location"]) == (302, "/calendar/?view=day&by=room&on=2026-03-10")
    booked = course.sessions.get(on=TUESDAY)
    assert f"{booked.starts_at.astimezone(RIGA):%H:%M}" == "15:00"
    assert (booked.practitioner, booked.room, booked.is_pinned) == (prescriber, room, True)
    assert "Anna Berzina: The session is booked." in words_of(reception.get(response["Location"]))


def test_address_to_come_back_to_is_never_another_site(reception, course, session, prescriber):
    page = f"/calendar/book/{course.code}/?on=2026-03-10&page=//example.com/"

    assert reception.post(page, slot(prescriber))["Location"] == "/calendar/?on=2026-03-10"


def test_day_outside_the_window_is_said_before_it_is_booked(reception, course, session, prescriber):
    page = f"/calendar/book/{course.code}/?on=2026-03-10"
    friday = slot(prescriber, on="2026-03-13")

    asked = reception.post(page, friday)

    assert asked.status_code == 422
    assert "Fri 13 Mar is 2 open days after the window." in words_of(asked)
    assert not course.sessions.filter(on=date(2026, 3, 13)).exists()
    told = asked.context["form"].data["judged"]
    assert reception.post(page, friday | {"judged": told}).status_code == 302
    assert course.sessions.filter(on=date(2026, 3, 13)).exists()


@pytest.mark.parametrize(
    ("typed", "field", "why"),
    [
        pytest.param({"at": "18:30"}, "at", "That is outside the clinic's opening hours.", id="after hours"),
        pytest.param({"at": "11:30"}, "practitioner", "has another booking at that time.", id="taken"),
        pytest.param({"at": ""}, "at", "This field is required.", id="no time"),
        pytest.param({"minutes": "0"}, "minutes", "greater than or equal to 1.", id="no length"),
    ],
)
def test_refused_booking_keeps_what_was_typed_and_names_the_field(
    reception, course, session, make_course, prescriber, typed, field, why
):
    book(make_course(given_name="Olga", at=12), TUESDAY, time(11), now=NOW)

    page = f"/calendar/book/{course.code}/?on=2026-03-10"
    response = reception.post(page, slot(prescriber, **typed))

    assert response.status_code == 422
    assert why in " ".join(response.context["form"].errors[field])
    for name, value in typed.items():
        assert response.context["form"].data[name] == value
    assert not course.sessions.filter(on=TUESDAY).exists()


# ---------------------------------------------------------------- moving from the calendar


def test_move_begun_on_the_calendar_comes_back_to_it(reception, course, session, prescriber):
    move = f"/courses/{course.code}/sessions/{session.code}/move/"
    seen = "?calendar=view%3Dday%26on%3D2026-03-10"
    values = {name: value for name, value in slot(prescriber).items() if name != "judged"}

    link = reception.get("/calendar/?view=day&on=2026-03-09").content.decode()
    form = reception.get(move + seen)
    response = reception.post(move, values | {"calendar": form.context["calendar"]})

    assert f'href="{move}?calendar=view%3Dday"' in link
    assert 'href="/calendar/?view=day&amp;on=2026-03-10"' in form.content.decode()
    assert response["Location"] == "/calendar/?view=day&on=2026-03-10"
    # From the course it comes back to the course.
    assert reception.post(move, values | {"at": "16:00"})["Location"] == f"/courses/{course.code}/"


def test_place_of_another_clinic_is_as_if_it_were_not_named(reception, course):
    stranger = StaffMemberFactory(clinic=ClinicFactory(), display_name="Stranger")

    answer = reception.get(f"/calendar/book/?on=2026-03-10&practitioner={stranger.code}")

    assert "Stranger" not in words_of(answer)
