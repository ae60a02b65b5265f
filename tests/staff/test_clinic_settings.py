"""Settings of the clinic itself: details, hours, closures, public holidays, rooms; what they hit is said first."""

from datetime import date, time

import pytest
import time_machine
from django.utils import translation

from audit.models import AuditEvent
from clinics.models import Clinic, Closure, OpeningHours, Role, Room, User
from courses.models import Flag
from courses.services import add_closure
from tests.factories import ClinicFactory, RoomFactory, actor_of, book
from tests.staff.conftest import NOW, TODAY
from tests.staff.test_today import words_of

DETAILS, HOURS = "/settings/clinic/", "/settings/hours/"
CLOSURES, ROOMS = "/settings/closures/", "/settings/rooms/"
HOLIDAYS = f"{CLOSURES}holidays/"
# The session of the fixture is today, Monday 9 March, at eleven.
ON_IT = {"from_on": "2026-03-09", "to_on": "2026-03-10", "reason": "Repairs"}


@pytest.fixture
def owner(browser_of):
    return browser_of(Role.OWNER)


def typed(page, **changes):
    """What the form of a page would send as it stands, with some fields typed anew."""
    form = page.context["form"]
    shown = {name: form[name].value() for name in form.fields}
    return {name: "" if value is None else value for name, value in {**shown, **changes}.items()}


def actions():
    found = AuditEvent.objects.filter(subject_kind="clinic").order_by("pk")
    return list(found.values_list("action", flat=True))


# ---------------------------------------------------------------- details


def test_details_are_saved_and_written_down_without_names(owner, clinic):
    page = owner.get(DETAILS)

    answer = owner.post(
        DETAILS, typed(page, name=" Jauna ", phone="67 222 333", notice_hours=48, country="LV"), follow=True
    )

    clinic.refresh_from_db()
    assert (clinic.name, clinic.phone, clinic.notice_hours) == ("Jauna", "67 222 333", 48)
    assert "The clinic&#x27;s details are saved." in answer.content.decode()
    event = AuditEvent.objects.get(action="clinic.details_changed")
    assert (event.old, event.new) == (
        {"notice_hours": 24},
        {"fields": ["name", "notice_hours", "phone"], "notice_hours": 48},
    )


def test_wrong_details_are_named_at_their_fields_and_kept(owner, clinic):
    page = owner.get(DETAILS)

    answer = owner.post(DETAILS, typed(page, name=" ", phone="call us", booking_lead_days=61))

    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["name", "booking_lead_days"]
    answer = owner.post(DETAILS, typed(page, phone="call us"))
    assert list(answer.context["form"].errors) == ["phone"]
    assert 'value="call us"' in answer.content.decode()


def test_details_that_somebody_else_changed_are_not_lost(owner, clinic):
    page = owner.get(DETAILS)
    Clinic.objects.update(address="Tallinas iela 2", notice_hours=12)

    answer = owner.post(DETAILS, typed(page, notice_hours=48))

    assert answer.status_code == 422
    assert answer.context["form"].errors == {
        "notice_hours": ["Somebody has meanwhile changed this to “12”. Save again to put yours in place."]
    }
    owner.post(DETAILS, typed(answer))
    # What was not touched here stays as the other has left it.
    assert Clinic.objects.values_list("address", "notice_hours").get() == ("Tallinas iela 2", 48)


def test_zone_changes_until_the_first_course(owner, clinic, make_course):
    page = owner.get(DETAILS)
    owner.post(DETAILS, typed(page, time_zone="Europe/Tallinn"))
    first = Clinic.objects.get().time_zone
    stale = owner.get(DETAILS)
    make_course()

    owner.post(DETAILS, typed(stale, time_zone="Europe/Riga"))

    assert (first, Clinic.objects.get().time_zone) == ("Europe/Tallinn", "Europe/Tallinn")
    assert "It stays: there are courses" in words_of(owner.get(DETAILS))


def test_another_lead_assesses_the_courses_anew(owner, clinic, course):
    Flag.objects.all().delete()
    page = owner.get(DETAILS)

    owner.post(DETAILS, typed(page, booking_lead_days=30))

    assert Flag.objects.filter(course=course, resolved_at=None).exists()


# ---------------------------------------------------------------- hours


def test_hours_take_a_break_and_a_closed_day(owner, clinic):
    page = owner.get(HOURS)
    week = {
        "closes_1_0": "13:00",
        "opens_1_1": "14:00",
        "closes_1_1": "20:00",
        "opens_6_0": "",
        "closes_6_0": "",
    }

    owner.post(HOURS, typed(page, **week))

    rows = OpeningHours.objects.values_list("weekday", "opens_time", "closes_time")
    assert list(rows[:3]) == [(1, time(9), time(13)), (1, time(14), time(20)), (2, time(9), time(19))]
    assert not rows.filter(weekday=6).exists()
    assert actions() == ["clinic.hours_changed"]
    # A third pair of fields waits once two are used.
    assert owner.get(HOURS).context["form"].places == range(3)


def test_wrong_hours_are_named_on_their_day(owner, clinic):
    page = owner.get(HOURS)
    week = {"closes_1_0": "", "closes_2_0": "08:00", "opens_3_1": "18:00", "closes_3_1": "20:00"}

    answer = owner.post(HOURS, typed(page, **week))

    errors = {line["label"]: line["errors"] for line in answer.context["form"].lines() if line["errors"]}
    assert (answer.status_code, errors) == (
        422,
        {
            "Monday": ["Give both times of a span, or neither."],
            "Tuesday": ["The end must come after the beginning."],
            "Wednesday": ["Two spans of this day overlap."],
        },
    )


def test_hours_say_what_is_booked_outside_before_they_are_saved(owner, session):
    page = owner.get(HOURS)

    asked = owner.post(HOURS, typed(page, opens_1_0="12:00"))
    before = OpeningHours.objects.get(weekday=1).opens_time
    owner.post(HOURS, typed(asked))

    assert (asked.status_code, asked.context["booked"], before) == (200, 1, time(9))
    assert "1 coming session is booked outside these hours." in words_of(asked)
    assert OpeningHours.objects.get(weekday=1).opens_time == time(12)


def test_hours_of_a_stale_page_say_so(owner, clinic):
    page = owner.get(HOURS)
    OpeningHours.objects.filter(weekday=2).delete()

    stale = owner.post(HOURS, typed(page, closes_1_0="15:00"))
    owner.post(HOURS, typed(stale))

    assert stale.status_code == 422
    assert "Somebody has meanwhile changed the hours." in words_of(stale)
    assert OpeningHours.objects.filter(weekday=2).exists()


# ---------------------------------------------------------------- closures


def test_closure_says_what_it_hits_before_it_is_saved(owner, session):
    asked = owner.post(CLOSURES, ON_IT)
    before = Closure.objects.count()
    answer = owner.post(CLOSURES, typed(asked), follow=True)

    assert (asked.status_code, asked.context["booked"], before) == (200, 1, 0)
    assert "1 booked session falls on these days." in words_of(asked)
    assert "1 booked session waits to be moved: see Needs attention." in words_of(answer)
    assert [(line.closure.reason, line.booked, line.is_now) for line in answer.context["coming"]] == [
        ("Repairs", 1, True)
    ]
    assert Flag.objects.filter(kind="misbooked", resolved_at=None).count() == 1


def test_closure_asks_again_when_bookings_have_come(owner, session, make_course):
    asked = owner.post(CLOSURES, ON_IT)
    book(make_course(given_name="Olga", at=12), date(2026, 3, 10), time(15), now=NOW)

    again = owner.post(CLOSURES, typed(asked))
    # What was said of some days says nothing of others, though as many are booked on them.
    others = owner.post(CLOSURES, typed(again, from_on="2026-03-08"))

    assert (again.context["booked"], others.context["booked"], Closure.objects.count()) == (2, 2, 0)


def test_one_day_needs_no_last_and_the_same_twice_is_refused(owner, clinic):
    owner.post(CLOSURES, {"from_on": "2026-05-04"})
    twice = owner.post(CLOSURES, {"from_on": "2026-05-04"})
    wrong = owner.post(CLOSURES, {"from_on": "2026-05-04", "to_on": "2026-05-01", "reason": "kept"})

    assert Closure.objects.values_list("from_on", "to_on").get() == (date(2026, 5, 4), date(2026, 5, 4))
    assert (twice.status_code, list(twice.context["form"].errors)) == (422, ["from_on"])
    assert list(wrong.context["form"].errors) == ["to_on"]
    assert 'value="kept"' in wrong.content.decode()


def test_removed_closure_stands_in_the_form_and_removing_twice_says_so(owner, clinic, prescriber):
    closure = add_closure(
        clinic=clinic, from_on=TODAY, to_on=TODAY, reason="Repairs", by=actor_of(prescriber), now=NOW
    )
    address = f"{CLOSURES}{closure.code}/remove/"

    answer = owner.post(address, follow=True)
    twice = owner.post(address, follow=True)

    assert not Closure.objects.exists()
    assert 'value="Repairs"' in answer.content.decode()
    assert "This closure is gone already." in words_of(twice)


def test_list_costs_the_same_however_long(
    owner, clinic, django_assert_num_queries, django_assert_max_num_queries
):
    Closure.objects.create(clinic=clinic, from_on=date(2026, 5, 4), to_on=date(2026, 5, 4))
    owner.get(CLOSURES)
    with django_assert_max_num_queries(12) as counted:
        owner.get(CLOSURES)
    for day in (date(2026, 5, 5), date(2026, 2, 5)):
        Closure.objects.create(clinic=clinic, from_on=day, to_on=day)

    with django_assert_num_queries(len(counted.captured_queries)):
        owner.get(CLOSURES)


# ---------------------------------------------------------------- public holidays


def test_in_autumn_the_rest_of_the_year_comes_before_the_next(browser_of, clinic):
    with time_machine.travel("2026-11-30 08:00Z", tick=False):
        owner = browser_of(Role.OWNER)
        rest = owner.get(HOLIDAYS)
        Closure.objects.create(clinic=clinic, from_on=date(2026, 12, 24), to_on=date(2026, 12, 31))
        coming = owner.get(HOLIDAYS)
        listed = owner.get(CLOSURES)

    assert [line.on.day for line in rest.context["lines"]] == [24, 25, 26, 31]
    assert (rest.context["year"], coming.context["year"]) == (2026, 2027)
    assert listed.context["years"].initial == {"year": 2027}


def test_holidays_are_seen_first_and_closed_at_one_press(owner, clinic, course):
    book(course, date(2026, 5, 4), time(11), now=NOW)
    Closure.objects.create(clinic=clinic, from_on=date(2026, 12, 24), to_on=date(2026, 12, 26))

    page = owner.get(f"{HOLIDAYS}?year=2026")
    lines = {line.on: line for line in page.context["lines"]}
    shown = {
        "year": 2026,
        "on": [on.isoformat() for on, line in lines.items() if line.is_chosen],
        **{f"booked_{on.isoformat()}": line.booked for on, line in lines.items()},
    }
    answer = owner.post(HOLIDAYS, shown, follow=True)

    may, easter, eve = lines[date(2026, 5, 4)], lines[date(2026, 4, 5)], lines[date(2026, 12, 24)]
    assert (may.name, may.booked, may.is_chosen) == ("Restoration of Independence Day", 1, True)
    # A Sunday needs no closure, and what is closed already none more.
    assert (easter.is_free_weekday, easter.is_chosen, eve.is_closed, eve.is_chosen) == (
        True,
        False,
        True,
        False,
    )
    assert min(lines) > TODAY
    assert Closure.objects.count() == 1 + len(shown["on"])
    assert actions() == ["clinic.closure_added"] * len(shown["on"])
    assert Clinic.objects.get().calendar_version == 2
    assert "1 booked session waits to be moved" in words_of(answer)


def test_holidays_are_read_in_the_readers_language_and_kept_in_the_clinics(owner, clinic, prescriber):
    Closure.objects.create(
        clinic=clinic, from_on=date(2026, 11, 19), to_on=date(2026, 11, 20), reason="Christmas Day"
    )
    User.objects.update(language="ru")

    seen = owner.get(f"{HOLIDAYS}?year=2026")
    owner.post(HOLIDAYS, {"year": 2026, "on": ["2026-11-18"], "booked_2026-11-18": "0"})
    coming = owner.get(CLOSURES).context["coming"]
    week = words_of(owner.get("/calendar/?on=2026-11-18"))

    name = "День провозглашения Латвийской Республики"
    assert {line.on: line.name for line in seen.context["lines"]}[date(2026, 11, 18)] == name
    assert Closure.objects.get(from_on=date(2026, 11, 18)).reason == "Republic of Latvia Proclamation Day"
    # What is no name of that day is what somebody wrote.
    assert [line.reason for line in coming] == [name, "Christmas Day"]
    assert f"Закрыто: {name}" in week


def test_holidays_ask_again_when_bookings_have_come(owner, clinic, course):
    book(course, date(2026, 5, 4), time(11), now=NOW)

    answer = owner.post(HOLIDAYS, {"year": 2026, "on": ["2026-05-04"], "booked_2026-05-04": "0"})

    assert (answer.status_code, Closure.objects.count()) == (422, 0)
    assert "The bookings on these days have changed meanwhile." in words_of(answer)
    assert [line.on.isoformat() for line in answer.context["lines"] if line.is_chosen] == ["2026-05-04"]


@pytest.mark.parametrize(
    ("country", "query", "words"),
    [
        ("", "", "No country named"),
        ("ZZ", "", "None known"),
        ("LV", "?year=1999", "Public holidays of 2026"),
        ("LV", "?year=x", "Public holidays of 2026"),
    ],
)
def test_holidays_teach_where_there_are_none(owner, clinic, country, query, words):
    Clinic.objects.update(country=country)

    assert words in words_of(owner.get(f"{HOLIDAYS}{query}", follow=True))


# ---------------------------------------------------------------- rooms


def test_room_is_added_renamed_retired_and_used_again(owner, clinic):
    owner.post(ROOMS, {"name": " Blue "})
    room = Room.objects.get()
    address = f"{ROOMS}{room.code}/"

    owner.post(f"{address}rename/", {"name": "Green"})
    owner.post(f"{address}retire/")
    retired = owner.get(ROOMS)
    owner.post(f"{address}retire/")
    owner.post(f"{address}reopen/")

    assert [line["room"].name for line in retired.context["retired"]] == ["Green"]
    assert Room.objects.values_list("name", "is_active").get() == ("Green", True)
    assert actions() == [
        "clinic.room_added",
        "clinic.room_renamed",
        "clinic.room_retired",
        "clinic.room_reopened",
    ]


def test_room_names_are_taken_once_and_say_by_whom(owner, clinic, room):
    old = RoomFactory(clinic=clinic, name="Old", is_active=False)

    taken = owner.post(ROOMS, {"name": room.name})
    retired = owner.post(f"{ROOMS}{room.code}/rename/", {"name": old.name})

    assert taken.context["form"].errors == {"name": ["There is a room of this name already."]}
    assert retired.status_code == 422
    assert retired.context["lines"][0]["form"].errors == {
        "name": ["A retired room has this name. Take that one into use again, or choose another name."]
    }
    assert 'value="Old"' in retired.content.decode()


def test_room_with_coming_sessions_says_so_before_it_is_retired(owner, session, room):
    address = f"{ROOMS}{room.code}/retire/"

    asked = owner.post(address)
    before = Room.objects.get().is_active
    owner.post(address, {"known_bookings": "1"})

    assert "1 coming session is booked in this room." in words_of(asked)
    assert (before, Room.objects.get().is_active) == (True, False)
    session.refresh_from_db()
    assert session.room == room


# ---------------------------------------------------------------- words


def test_pages_read_in_russian(owner, clinic, session, room):
    member = clinic.staff_members.get(role=Role.OWNER)
    member.user.language = "ru"
    member.user.save()
    ClinicFactory()

    # A request leaves its language behind, which the next test must not find.
    with translation.override("en"):
        page = "".join(words_of(owner.get(one)) for one in (DETAILS, HOURS, CLOSURES, HOLIDAYS, ROOMS))
        page += words_of(owner.post(CLOSURES, ON_IT)) + words_of(owner.post(f"{ROOMS}{room.code}/retire/"))

    assert "Часы работы" in page
    assert [
        word
        for word in (
            "Opening",
            "Close",
            "Retire",
            "booked",
            "Rename",
            "Save",
            "Blank",
            "holiday",
            "Time zone",
        )
        if word in page
    ] == []
