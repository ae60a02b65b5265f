"""The day: what it shows, and what each button does with and without htmx."""

import re
from datetime import date, time

import pytest
from django.utils import timezone

from clinics.models import Role
from courses.models import Pause, RecordedContraindication, SessionStatus, TreatmentSession
from courses.services import confirm_session, pause_course, record_no_show
from tests.factories import ProtocolFactory, StaffMemberFactory, actor_of, book, prescribe
from tests.staff.conftest import HTMX, NOW, START, THURSDAY, TODAY


def words_of(response):
    """Return the text of a response without markup, white space squeezed."""
    text = re.sub(r"<(script|style|svg)\b.*?</\1>|<[^>]+>", " ", response.content.decode(), flags=re.DOTALL)
    return " ".join(text.split())


def url(session, verb):
    return f"/sessions/{session.code}/{verb}/"


def status_of(session):
    return TreatmentSession.objects.values_list("status", flat=True).get(pk=session.pk)


# ---------------------------------------------------------------- the page


def test_day_shows_the_session_with_its_number_and_state(reception, session):
    response = reception.get("/")

    words = words_of(response)
    assert response.status_code == 200
    assert "Today Monday 9 March 2026 1 expected" in words
    assert "11:00 45 min Anna Berzina" in words
    assert "Session 3 of 10–15 · Anti-cellulite massage Dr Ozola Room 1 Not confirmed" in words


def test_day_without_sessions_teaches(reception):
    words = words_of(reception.get("/"))

    assert "A quiet day." in words
    assert "No sessions on this day Sessions appear here as they are booked" in words


def test_day_of_the_address_is_shown(reception, course, room):
    book(course, date(2026, 3, 11), time(15, 30), now=NOW, room=room)

    words = words_of(reception.get("/?on=2026-03-11"))

    assert "Wednesday 11 March 2026 1 expected" in words
    assert "15:30 45 min Anna Berzina" in words


def test_second_booking_counts_on_from_the_first(reception, course, session):
    book(course, date(2026, 3, 11), time(15, 30), now=NOW)

    assert "Session 4 of 10–15" in words_of(reception.get("/?on=2026-03-11"))


def test_attended_session_keeps_its_own_number(reception, course):
    assert "Session 1 of 10–15" in words_of(reception.get("/?on=2026-03-02"))
    assert "Session 2 of 10–15" in words_of(reception.get("/?on=2026-03-04"))


def test_wrong_day_in_the_address_shows_today(reception, session):
    assert "Today Monday 9 March 2026" in words_of(reception.get("/?on=2026-02-30"))


def test_day_of_one_practitioner(reception, session, prescriber):
    shown = words_of(reception.get(f"/?practitioner={prescriber.code}"))
    TreatmentSession.objects.filter(pk=session.pk).update(practitioner=None)
    hidden = words_of(reception.get(f"/?practitioner={prescriber.code}"))

    assert "Anna Berzina" in shown
    assert "Anna Berzina" not in hidden


def test_unrecorded_bookings_of_past_days_stand_on_top(reception, course):
    book(course, date(2026, 3, 6), time(10), now=THURSDAY)

    words = words_of(reception.get("/"))

    assert "What happened here?" in words
    assert "Fri 6 Mar 10:00 45 min Anna Berzina" in words
    assert "Not recorded" in words


def test_line_of_a_past_day_names_the_day_only_beside_others(reception, course):
    session = book(course, date(2026, 3, 6), time(10), now=THURSDAY)
    past = "http://testserver/?on=2026-03-06"

    day = words_of(reception.get("/?on=2026-03-06"))
    on_its_day = reception.post(url(session, "miss"), headers={**HTMX, "HX-Current-URL": past})
    reception.post(url(session, "undo"), headers=HTMX)
    on_today = reception.post(url(session, "miss"), headers={**HTMX, "HX-Current-URL": "http://testserver/"})

    assert "Fri 6 Mar" not in day.split("Everybody")[-1]
    assert (day.count("10:00 45 min Anna"), day.count("Fri 6 Mar 10:00")) == (1, 0)
    assert "Fri 6 Mar 10:00" not in words_of(on_its_day)
    assert "Fri 6 Mar 10:00 45 min Anna" in words_of(on_today)


def test_analyst_sees_the_day_without_buttons(browser_of, session):
    analyst = browser_of(Role.ANALYST).get("/").content.decode()
    receptionist = browser_of(Role.RECEPTIONIST).get("/").content.decode()

    assert url(session, "arrive") in receptionist
    assert url(session, "arrive") not in analyst


def test_who_only_treats_begins_with_their_own_day(log_in, clinic, session, prescriber):
    member = StaffMemberFactory(clinic=clinic, role=Role.PRACTITIONER)
    browser = log_in(member)

    own, everybody = browser.get("/"), browser.get("/?practitioner=")
    TreatmentSession.objects.filter(pk=session.pk).update(practitioner=member)

    assert "No sessions for this practitioner" in words_of(own)
    assert 'href="?practitioner="' in own.content.decode()
    assert "Anna Berzina" in words_of(everybody)
    assert "Anna Berzina" in words_of(browser.get("/"))


def test_who_treats_alone_sees_what_has_no_practitioner_yet(log_in, course, session, prescriber):
    prescriber.role = Role.PRACTITIONER
    prescriber.save()
    TreatmentSession.objects.filter(pk=session.pk).update(practitioner=None)

    assert "Anna Berzina" in words_of(log_in(prescriber).get("/"))


def test_practitioner_records_but_does_not_cancel(browser_of, session):
    page = browser_of(Role.PRACTITIONER).get("/").content.decode()

    assert url(session, "attend") in page
    assert url(session, "cancel") not in page


def test_day_takes_the_same_queries_for_one_session_and_for_three(
    reception, make_course, django_assert_num_queries
):
    book(make_course(family_name="A", at=9), TODAY, time(13), now=NOW)
    reception.get("/")
    with django_assert_num_queries(QUERIES_OF_A_DAY):
        reception.get("/")

    book(make_course(family_name="B", at=12), TODAY, time(12), now=NOW)
    book(make_course(family_name="C", at=14), TODAY, time(14), now=NOW)
    book(make_course(family_name="D", at=16), date(2026, 3, 6), time(14), now=THURSDAY)

    with django_assert_num_queries(QUERIES_OF_A_DAY):
        reception.get("/")


# Login session, user, membership, day, old bookings, phases, flags, messages, confirmations, treating members, counts,
# and both numbers of the menu.
QUERIES_OF_A_DAY = 12


def test_health_data_is_not_kept_by_caches(reception, session):
    response = reception.get("/")

    assert response["Cache-Control"] == "no-store"
    assert "HX-Request" in response["Vary"]


# ---------------------------------------------------------------- one click


def test_arrival_is_recorded_and_the_questions_come(reception, session):
    response = reception.post(url(session, "arrive"), headers=HTMX)

    words = words_of(response)
    assert response.status_code == 200
    assert status_of(session) == SessionStatus.ARRIVED
    assert "Here since 10:00" in words
    assert "Does any of these hold today?" in words
    assert "Influenza" in words
    assert "Tuberculosis" not in words
    assert "Anna Berzina: is here." in words
    assert f'id="session-row-{session.code}"' in response.content.decode()
    assert "<html" not in response.content.decode()


def test_arrival_without_script_leads_to_the_questions(reception, session):
    response = reception.post(url(session, "arrive"))

    assert response.status_code == 302
    assert response["Location"] == url(session, "screen")
    assert "Does any of these hold today?" in words_of(reception.get(response["Location"]))


def test_arrival_without_temporary_conditions_asks_nothing(reception, prescriber, room):
    protocol = ProtocolFactory(clinic=prescriber.clinic, conditions={"tuberculosis": "permanent"})
    course = prescribe(now=START, member=prescriber, protocol=protocol)
    session = book(course, TODAY, time(11), now=NOW)

    response = reception.post(url(session, "arrive"))

    assert response["Location"] == f"/#session-row-{session.code}"


def test_condition_at_arrival_is_recorded_and_proposes_a_pause(reception, session):
    response = reception.post(
        url(session, "screen"), {"conditions": ["influenza"], "to_on": "2026-03-14"}, headers=HTMX
    )

    found = RecordedContraindication.objects.get()
    assert (found.condition, found.from_on, found.to_on) == ("influenza", TODAY, date(2026, 3, 14))
    page = response.content.decode()
    assert "Pause the course?" in page
    assert 'value="2026-03-14"' in page
    assert re.search(r'value="illness"[^>]*checked', page)


def test_condition_without_an_end_is_refused(reception, session):
    response = reception.post(url(session, "screen"), {"conditions": ["influenza"]}, headers=HTMX)

    assert response.status_code == 422
    assert "Give the day until which it will probably hold." in words_of(response)
    assert RecordedContraindication.objects.count() == 0


def test_no_condition_records_nothing(reception, session):
    response = reception.post(url(session, "screen"), {}, headers=HTMX)

    assert response.status_code == 200
    assert RecordedContraindication.objects.count() == 0


def test_proposed_pause_is_taken(reception, session):
    reception.post(url(session, "pause"), {"reason": "illness", "to_on": "2026-03-14"}, headers=HTMX)

    pause = Pause.objects.get()
    assert (pause.from_on, pause.to_on, pause.reason) == (TODAY, date(2026, 3, 14), "illness")


def test_pause_that_ends_before_it_begins_is_refused(reception, session):
    response = reception.post(
        url(session, "pause"), {"reason": "illness", "to_on": "2026-03-01"}, headers=HTMX
    )

    assert response.status_code == 422
    assert "The pause ends before it begins." in words_of(response)


def test_attendance_keeps_how_it_went(reception, session):
    sent = {"minutes": "40", "reaction": "redness", "pain_before": "6", "pain_after": "2", "note": "calmer"}

    response = reception.post(url(session, "attend"), sent, headers=HTMX)

    session.refresh_from_db()
    assert session.status == SessionStatus.ATTENDED
    assert (session.minutes, session.reaction, session.pain_before, session.pain_after) == (
        40,
        "redness",
        6,
        2,
    )
    assert "Redness · pain 6 → 2 · calmer" in words_of(response)
    assert "1 treated" in words_of(response)


def test_attendance_form_starts_from_the_booked_length(reception, session):
    page = reception.get(url(session, "attend"), headers=HTMX).content.decode()

    assert re.search(r'name="minutes" value="45"', page)


def test_attendance_without_script_comes_back_to_the_day(reception, session):
    response = reception.post(url(session, "attend"), {"reaction": "none"})

    assert response.status_code == 302
    assert response["Location"] == f"/#session-row-{session.code}"
    assert status_of(session) == SessionStatus.ATTENDED


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_attendance_out_of_range_shows_the_form_again(reception, session, headers):
    response = reception.post(url(session, "attend"), {"reaction": "none", "minutes": "0"}, headers=headers)

    assert response.status_code == 422
    assert "Ensure this value is greater than or equal to 1." in words_of(response)
    assert status_of(session) == SessionStatus.BOOKED


def test_bruises_propose_a_pause_from_tomorrow(reception, session):
    response = reception.post(url(session, "attend"), {"reaction": "bruises"}, headers=HTMX)
    assert "Pause the course?" in words_of(response)

    reception.post(url(session, "pause"), {"reason": "bruises", "to_on": "2026-03-14"}, headers=HTMX)

    assert Pause.objects.get().from_on == date(2026, 3, 10)


def test_practitioner_is_told_whom_to_ask_for_a_pause(browser_of, session):
    response = browser_of(Role.PRACTITIONER).post(
        url(session, "attend"), {"reaction": "bruises"}, headers=HTMX
    )

    words = words_of(response)
    assert "Ask the reception or the prescriber to pause the course." in words
    assert "Pause the course?" not in words


def test_attendance_on_a_paused_day_proposes_to_end_the_pause(reception, session, prescriber):
    pause_course(
        course=session.course, from_on=TODAY, to_on=None, reason="illness", by=actor_of(prescriber), now=NOW
    )

    response = reception.post(url(session, "attend"), {"reaction": "none"}, headers=HTMX)

    assert "End the pause?" in words_of(response)
    reception.post(url(session, "resume"), headers=HTMX)
    assert not Pause.objects.filter(to_on=None).exists()


def test_no_show_is_recorded_and_undone(reception, session):
    reception.post(url(session, "miss"), headers=HTMX)
    assert status_of(session) == SessionStatus.NO_SHOW

    response = reception.post(url(session, "undo"), headers=HTMX)

    assert status_of(session) == SessionStatus.BOOKED
    assert "Anna Berzina: back to booked." in words_of(response)


@pytest.mark.parametrize(
    ("whose", "status"),
    [("client", SessionStatus.CANCELLED_LATE), ("clinic", SessionStatus.CANCELLED_BY_CLINIC)],
)
def test_cancellation_says_by_whom(reception, session, whose, status):
    reception.post(url(session, "cancel"), {"whose": whose}, headers=HTMX)

    assert status_of(session) == status


def test_confirmation_by_telephone(reception, session):
    response = reception.post(url(session, "confirm"), headers=HTMX)

    assert status_of(session) == SessionStatus.CONFIRMED
    assert "Confirmed" in words_of(response)


@pytest.mark.parametrize("verb", ["arrive", "miss", "confirm"])
def test_refused_click_shows_the_line_as_it_is_and_says_why(reception, session, prescriber, verb):
    record_no_show(session=session, by=actor_of(prescriber), now=NOW)

    response = reception.post(url(session, verb), headers=HTMX)

    assert response.status_code == 422
    assert "No-show" in words_of(response)
    assert status_of(session) == SessionStatus.NO_SHOW
    assert "tone-serious" in response.content.decode().rpartition("hx-swap-oob")[2]


def test_refused_click_without_script_says_why_on_the_day(reception, session, prescriber):
    record_no_show(session=session, by=actor_of(prescriber), now=NOW)

    response = reception.post(url(session, "miss"), follow=True)

    assert response.status_code == 200
    assert "toast-note tone-serious" in response.content.decode()


def test_lost_login_sends_the_whole_page_to_the_login(client, session):
    headers = {**HTMX, "HX-Current-URL": "http://testserver/?on=2026-03-09"}

    response = client.post(url(session, "arrive"), headers=headers)

    assert response["HX-Redirect"] == "/accounts/login/?next=%2F%3Fon%3D2026-03-09"
    assert status_of(session) == SessionStatus.BOOKED


def test_confirmed_session_says_so(reception, session, prescriber):
    confirm_session(session=session, by=actor_of(prescriber), now=timezone.now())

    assert "Room 1 Confirmed" in words_of(reception.get("/"))
