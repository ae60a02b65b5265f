"""The calendar: what it shows of a week and a day, and dropping a session somewhere else."""

import json
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from clinics.models import Absence, Clinic, Closure, OpeningHours, PractitionerHours, Role
from courses.models import SessionStatus, TreatmentSession
from courses.services import confirm_session, move_session
from tests.factories import RoomFactory, StaffMemberFactory, actor_of, book
from tests.staff.conftest import HTMX, NOW, TODAY
from tests.staff.test_today import words_of

RIGA = ZoneInfo("Europe/Riga")
TUESDAY = date(2026, 3, 10)


def drop(browser, session, *, on=TUESDAY, at="15:00", page="", htmx=True, **changes):
    """Post what the page's script posts when a session is dropped."""
    session.refresh_from_db()
    values = {
        "on": on.isoformat(),
        "at": at,
        "minutes": 45,
        "version": session.version,
        "practitioner": str(session.practitioner.code),
        "room": str(session.room.code) if session.room else "",
        "page": page,
    }
    return browser.post(
        f"/calendar/sessions/{session.code}/move/", values | changes, headers=HTMX if htmx else {}
    )


def slot_of(session):
    session.refresh_from_db()
    return f"{session.starts_at.astimezone(RIGA):%d %H:%M}", session.practitioner, session.room


# ---------------------------------------------------------------- the page


def test_week_shows_everybody_with_their_sessions_and_free_time(reception, session):
    words = words_of(reception.get("/calendar/"))

    assert "Calendar Mon 9 Mar – Sun 15 Mar" in words
    assert "Mon 9 Mar Tue 10 Mar Wed 11 Mar Thu 12 Mar Fri 13 Mar Sat 14 Mar Sun 15 Mar Closed" in words
    # Of ten hours one has passed and three quarters are booked.
    assert "Dr Ozola Mon 9 Mar 8 h 15 min free 11:00 –11:45 Anna Berzina Room 1 Tue 10 Mar 10 h free" in words


def test_session_is_a_link_to_the_form_that_moves_it_and_to_its_course_for_who_may_not(
    reception, browser_of, session
):
    move = f'href="/courses/{session.course.code}/sessions/{session.code}/move/?calendar="'
    pages = [
        browser.get("/calendar/").content.decode()
        for browser in (reception, browser_of(Role.PRACTITIONER), browser_of(Role.ANALYST))
    ]

    assert [(move in page, "data-move" in page, "calendar.js" in page) for page in pages] == [
        (True, True, True),
        (False, False, False),
        (False, False, False),
    ]
    assert f'href="/courses/{session.course.code}/"' in pages[1]


def test_week_of_one_practitioner_has_columns_of_hours(reception, prescriber, session):
    page = reception.get(f"/calendar/?practitioner={prescriber.code}").content.decode()

    assert 'class="cal-grid from-h9 till-h19"' in page
    assert page.count('class="cal-day"') == 7
    assert "cal-block tone-quiet at-h11 at-m0 for-h0 for-m45 lane-0 of-1" in page
    assert 'class="cal-now at-h10 at-m0 for-h0 for-m5"' in page


def test_day_has_a_column_for_each_practitioner_and_for_each_room(reception, clinic, session):
    StaffMemberFactory(clinic=clinic, display_name="Janis")
    RoomFactory(clinic=clinic, name="Room 2")

    people = words_of(reception.get("/calendar/?view=day"))
    rooms = words_of(reception.get("/calendar/?view=day&by=room"))

    assert "Dr Ozola 8 h 15 min free 11:00 –11:45 Anna Berzina Room 1 Janis 9 h free" in people
    assert "Room 1 8 h 15 min free 11:00 –11:45 Anna Berzina Dr Ozola Room 2 9 h free" in rooms


def test_session_without_a_room_has_a_column_of_its_own(reception, course, room):
    book(course, TODAY, time(11), now=NOW)

    words = words_of(reception.get("/calendar/?view=day&by=room"))

    assert "Room 1 9 h free No room 11:00 –11:45 Anna Berzina Dr Ozola" in words


def test_closures_absences_and_hours_are_said_and_shaded(reception, clinic, prescriber):
    Closure.objects.create(clinic=clinic, from_on=TUESDAY, to_on=TUESDAY, reason="Repairs")
    away = date(2026, 3, 11)
    Absence.objects.create(clinic=clinic, practitioner=prescriber, from_on=away, to_on=away, reason="Course")
    PractitionerHours.objects.create(
        clinic=clinic, practitioner=prescriber, weekday=4, starts_time=time(8), ends_time=time(12)
    )

    response = reception.get(f"/calendar/?practitioner={prescriber.code}")

    said = (
        "Mon 9 Mar Does not work Tue 10 Mar Closed: Repairs Wed 11 Mar Away: Course "
        "Thu 12 Mar 3 h free Fri 13 Mar Does not work"
    )
    assert said in words_of(response)
    page = response.content.decode()
    assert page.count('class="cal-shut at-h9 at-m0 for-h10 for-m0"') == 6
    assert page.count('class="cal-shut at-h12 at-m0 for-h7 for-m0"') == 1
    # The week of all: what is so for everybody stands at the head of the day.
    board = reception.get("/calendar/").content.decode()
    assert board.count("cal-cell-shut cal-all-shut") == 2
    assert board.count("cal-cell-shut") == 6


def test_cancelled_sessions_are_shown_when_asked(reception, session):
    TreatmentSession.objects.filter(pk=session.pk).update(
        status=SessionStatus.CANCELLED_BY_CLIENT, outcome_at=NOW
    )

    hidden, asked = (words_of(reception.get(f"/calendar/{query}")) for query in ("", "?cancelled=on"))

    assert ("Anna Berzina" in hidden, "Anna Berzina" in asked) == (False, True)
    assert "Mon 9 Mar 9 h free 11:00 –11:45 Anna Berzina" in asked


def test_sessions_planned_without_a_time_are_counted(reception, session):
    TreatmentSession.objects.filter(pk=session.pk).update(
        status=SessionStatus.PLANNED, starts_at=None, ends_at=None
    )

    assert "1 session of these days is planned without a time yet." in words_of(reception.get("/calendar/"))


def test_addresses_beside_the_page_keep_what_is_chosen(reception, prescriber, room):
    chosen = f"practitioner={prescriber.code}"
    week = reception.get(f"/calendar/?on=2026-03-18&{chosen}&cancelled=on").context["links"]
    day = reception.get("/calendar/?view=day&by=room&on=2026-03-18").context["links"]

    assert week["before"] == f"/calendar/?on=2026-03-11&{chosen}&cancelled=on"
    assert week["after"] == f"/calendar/?on=2026-03-25&{chosen}&cancelled=on"
    assert week["today"] == f"/calendar/?{chosen}&cancelled=on"
    assert week["everybody"] == "/calendar/?on=2026-03-18&cancelled=on"
    assert day["after"] == "/calendar/?view=day&by=room&on=2026-03-19"
    assert day["week"] == "/calendar/?by=room&on=2026-03-18"


@pytest.mark.parametrize(
    "query", ["on=tomorrow", "on=9999-12-31", "on=0001-01-01", "view=year", "practitioner=x"]
)
def test_address_that_cannot_be_read_shows_this_week(reception, prescriber, query):
    assert "Calendar Mon 9 Mar – Sun 15 Mar" in words_of(reception.get(f"/calendar/?{query}"))


def test_practitioner_of_another_clinic_is_not_shown(reception, prescriber):
    stranger = StaffMemberFactory(display_name="Stranger")

    assert "Stranger" not in words_of(reception.get(f"/calendar/?practitioner={stranger.code}"))


def test_empty_clinic_is_told_what_the_calendar_needs(browser_of, clinic):
    owner, reader = browser_of(Role.OWNER), browser_of(Role.RECEPTIONIST)
    nobody = words_of(owner.get("/calendar/"))
    OpeningHours.objects.for_clinic(clinic).delete()

    assert "Nobody treats here yet" in nobody
    assert "When is the clinic open? The calendar is drawn from the opening hours" in words_of(
        owner.get("/calendar/")
    )
    assert "An owner of the clinic sets them under Settings." in words_of(reader.get("/calendar/"))


def test_calendar_takes_the_same_queries_for_one_session_and_for_many(
    reception, course, session, room, django_assert_num_queries, django_assert_max_num_queries
):
    addresses = ("/calendar/", "/calendar/?by=room", "/calendar/?view=day")
    counts = []
    for address in addresses:
        with django_assert_max_num_queries(20) as counted:
            reception.get(address)
        counts.append(len(counted.captured_queries))
    first = TreatmentSession.objects.get(pk=session.pk)
    TreatmentSession.objects.bulk_create(_copies(first, course, 400))

    for address, count in zip(addresses, counts, strict=True):
        with django_assert_num_queries(count):
            page = reception.get(address).content.decode()
        assert page.count('class="cal-block') >= 60


def _copies(session, course, number):
    """Return attended-and-missed sessions of the week, of which a course may have any number."""
    monday = datetime.combine(TODAY, time(9), tzinfo=RIGA)
    rows = []
    for n in range(number):
        starts_at = monday + timedelta(days=n % 6, minutes=n // 6 * 5)
        rows.append(
            TreatmentSession(
                clinic_id=session.clinic_id,
                course=course,
                client_id=session.client_id,
                status=SessionStatus.NO_SHOW,
                on=starts_at.date(),
                starts_at=starts_at,
                ends_at=starts_at + timedelta(minutes=45),
                practitioner_id=session.practitioner_id,
                room_id=session.room_id,
                created_at=NOW,
                outcome_at=NOW,
            )
        )
    return rows


# ---------------------------------------------------------------- dragging


def test_window_of_a_booking_follows_from_what_is_before_it(reception, course, session):
    # Attended on the 4th: due from the 5th by the 6th; the second booking follows from the first.
    later = book(course, date(2026, 3, 11), time(11), now=NOW)

    first, second = (
        json.loads(reception.get(f"/calendar/sessions/{one.code}/window/").content)
        for one in (session, later)
    )

    words = "Allowed for session 3: Thu 5 Mar – Fri 6 Mar. That has passed: the sooner, the better."
    assert first == {"words": words, "days": []}
    assert second == {
        "words": "Allowed for session 4: Tue 10 Mar – Wed 11 Mar.",
        "days": ["2026-03-10", "2026-03-11"],
    }


def test_window_leaves_out_days_that_cannot_be_booked(reception, clinic, course, session):
    later = book(course, date(2026, 3, 11), time(11), now=NOW)
    Closure.objects.create(clinic=clinic, from_on=TUESDAY, to_on=TUESDAY)

    answer = json.loads(reception.get(f"/calendar/sessions/{later.code}/window/").content)

    assert answer["days"] == ["2026-03-11"]


def test_dropped_session_moves_and_the_calendar_shows_it(reception, clinic, session):
    other = StaffMemberFactory(clinic=clinic, display_name="Janis")

    response = drop(reception, session, practitioner=str(other.code), page="view=day&on=2026-03-10")

    assert response.status_code == 200
    words = words_of(response)
    assert "Janis 9 h 15 min free 15:00 –15:45 Anna Berzina Room 1" in words
    assert "Anna Berzina: the session was moved." in words
    assert slot_of(session) == ("10 15:00", other, session.room)


def test_drop_without_script_goes_back_to_the_same_calendar(reception, session):
    response = drop(reception, session, htmx=False, page="by=room&on=2026-03-10")

    assert (response.status_code, response["Location"]) == (302, "/calendar/?by=room&on=2026-03-10")


@pytest.mark.parametrize(
    ("where", "why"),
    [
        pytest.param({"at": "18:30"}, "outside the clinic&#x27;s opening hours.", id="after hours"),
        pytest.param({"on": date(2026, 3, 15)}, "The clinic is closed on that day.", id="closed"),
        pytest.param({"on": TODAY, "at": "09:00"}, "That time has passed.", id="past"),
        pytest.param({"at": "later"}, "Enter a valid time.", id="unreadable"),
    ],
)
def test_refused_drop_leaves_the_session_and_says_why(reception, session, where, why):
    was = slot_of(session)

    response = drop(reception, session, **where)

    assert response.status_code == 422
    words = words_of(response)
    assert why in words
    assert "Mon 9 Mar 8 h 15 min free 11:00 –11:45 Anna Berzina" in words
    assert slot_of(session) == was


def test_second_of_two_drops_on_one_slot_is_refused_with_the_reason(reception, make_course, session, room):
    other = book(make_course(given_name="Olga", at=12), TODAY, time(14), now=NOW)

    answers = [drop(reception, one) for one in (session, other)]

    assert [answer.status_code for answer in answers] == [200, 422]
    assert "The practitioner has another booking at that time." in words_of(answers[1])
    assert slot_of(other)[0] == "09 14:00"


def test_session_that_somebody_else_moved_meanwhile_stays_where_they_put_it(reception, prescriber, session):
    seen = session.version
    starts_at = datetime.combine(TUESDAY, time(17), tzinfo=RIGA)
    by = actor_of(prescriber)
    move_session(session=session, starts_at=starts_at, practitioner=prescriber, room=None, by=by, now=NOW)

    response = drop(reception, session, version=seen)

    assert response.status_code == 422
    assert "Somebody changed this session meanwhile. Look where it is now." in words_of(response)
    assert slot_of(session)[0] == "10 17:00"


def test_confirmation_meanwhile_does_not_stop_a_move(reception, prescriber, session):
    seen = session.version
    confirm_session(session=session, by=actor_of(prescriber), now=NOW)

    assert drop(reception, session, version=seen).status_code == 200


def test_clinic_with_odd_steps_snaps_to_the_half_hour_at_most(reception, clinic, session):
    for step, snap in ((15, 15), (20, 10), (240, 30), (7, 1)):
        Clinic.objects.filter(pk=clinic.pk).update(slot_step_minutes=step)
        assert f'data-snap="{snap}"' in reception.get("/calendar/").content.decode()
