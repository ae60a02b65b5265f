"""The page of one visit: what it shows, and what its buttons do, however often and from wherever pressed."""

import re
from datetime import date, time, timedelta

import pytest
from django.test import Client as Browser

from audit.models import AuditEvent
from clients.models import Client
from clinics.models import Role
from courses.errors import CourseError
from courses.models import SessionStatus
from courses.services import (
    cancel_session,
    discontinue_course,
    move_session,
    pause_course,
    record_arrival,
    record_no_show,
)
from reminders.models import Answer, Reminder
from tests.factories import StaffMemberFactory, book
from tests.portal.conftest import state_of, words
from tests.reminders.builders import NOW, at
from tests.staff.conftest import BACKEND

pytestmark = pytest.mark.django_db


def buttons(response):
    return re.findall(r'<(?:button|a) class="button[^"]*"[^>]*>([^<]+)<', response.content.decode())


def move(desk, when="2026-03-05 09:00"):
    return move_session(
        session=desk.fresh_session(),
        starts_at=at(when),
        practitioner=desk.session.practitioner,
        room=None,
        by=desk.by,
        now=NOW,
    )


# ------------------------------------------------------------------------------------------------ what it shows


def test_page_says_when_and_where_and_asks(visitor):
    response = visitor.open()

    clinic = visitor.desk.course.clinic
    assert words(response) == (
        f"{clinic.name} Your visit Please confirm that you are coming. Day Wednesday, 4 March "
        f"Time 15:00–15:45 Where {clinic.name} Brivibas iela 1, Riga Confirm "
        "Another time I cannot come Would you come earlier? Tell me when an earlier time becomes free All my visits"
    )
    assert 'href="tel:+37120000000"' in response.content.decode()


def test_page_speaks_the_clients_language_whatever_the_browser_asks(visitor):
    Client.objects.filter(pk=visitor.client.pk).update(language="ru")

    response = visitor.browser.get(visitor.visit_link, follow=True, headers={"accept-language": "en"})

    assert state_of(response) == "Ваш визит"
    assert "Среда, 4 марта" in words(response)
    assert '<html lang="ru">' in response.content.decode()
    assert response["Content-Language"] == "ru"


def test_page_names_neither_client_nor_treatment_nor_practitioner(visitor):
    text = visitor.open().content.decode()

    course = visitor.desk.course
    hidden = [
        course.client.given_name,
        course.client.family_name,
        course.protocol.name_en,
        visitor.desk.session.practitioner.display_name,
        str(course.code),
        str(visitor.desk.session.code),
    ]
    assert "15:00" in text
    assert [word for word in hidden if word in text] == []


def test_clinic_may_show_the_treatment_and_how_to_prepare(visitor):
    course = visitor.desk.course
    course.clinic.shows_treatment_in_messages = True
    course.clinic.save()
    course.protocol.preparation_en = "Do not eat for two hours.\nDrink water."
    course.protocol.save()

    said = words(visitor.open())

    assert "Treatment Anti-cellulite massage" in said
    assert "How to prepare Do not eat for two hours. Drink water." in said


def test_client_in_another_zone_is_told_whose_time_it_is(visitor):
    Client.objects.filter(pk=visitor.client.pk).update(time_zone="America/New_York")

    assert "15:00–15:45 (Riga time)" in words(visitor.open())


def test_client_in_another_zone_is_told_so_once_above_a_list_of_times(visitor):
    visitor.open()
    book(visitor.desk.course, date(2026, 3, 6), time(10), now=NOW)
    book(visitor.desk.course, date(2026, 3, 9), time(10), now=NOW)
    addresses = (f"{visitor.page}move/", visitor.course_page)
    at_home = [words(visitor.browser.get(address)) for address in addresses]

    Client.objects.filter(pk=visitor.client.pk).update(time_zone="America/New_York")
    away = [words(visitor.browser.get(address)) for address in addresses]

    assert [page.count("Times are local: Riga.") for page in (*at_home, *away)] == [0, 0, 1, 1]
    # The visit itself, which a page may show alone, names the clock beside its time.
    assert [page.count("(Riga time)") for page in away] == [1, 1]


# ------------------------------------------------------------------------------------------------ confirming


def test_confirming_shows_at_once_to_client_and_staff(visitor):
    visitor.open()

    response = visitor.press("confirm")

    assert state_of(response) == "You have confirmed"
    assert buttons(response) == ["Another time", "I cannot come"]
    assert visitor.desk.fresh_session().status == SessionStatus.CONFIRMED
    answer = Answer.objects.get()
    assert (answer.kind, answer.via, answer.channel) == ("confirm", "link", "email")
    assert answer.reminder == Reminder.objects.get(pk=visitor.desk.row("day-before").pk)


def test_staff_see_the_confirmation_on_the_day(visitor, clock):
    visitor.open()
    visitor.press("confirm")
    clock.move_to(at("2026-03-04 09:00"))
    staff = Browser()
    member = StaffMemberFactory(clinic=visitor.desk.course.clinic, role=Role.RECEPTIONIST)
    staff.force_login(member.user, backend=BACKEND)

    assert "Confirmed" in staff.get("/").content.decode()


def test_second_press_and_second_telephone_change_nothing(visitor):
    visitor.open()
    other = Browser()
    other.get(visitor.visit_link)
    visitor.press("confirm")

    responses = [visitor.press("confirm"), visitor.press("confirm", browser=other)]

    assert [state_of(response) for response in responses] == ["You have confirmed"] * 2
    assert Answer.objects.count() == 1
    assert AuditEvent.objects.filter(action="course.session_confirmed").count() == 1


def test_visit_moved_since_it_was_opened_shows_its_new_time_and_asks_again(visitor):
    visitor.open()
    seen = visitor.desk.session.version
    move(visitor.desk)

    response = visitor.press("confirm", version=seen)
    again = visitor.press("confirm")

    assert "The time was changed after you had opened this page." in words(response)
    assert "Thursday, 5 March Time 09:00–09:45" in words(response)
    assert (state_of(response), state_of(again)) == ("Your visit", "You have confirmed")


def test_link_of_a_moved_visit_shows_it_as_it_is_now(visitor):
    move(visitor.desk)

    assert "Thursday, 5 March Time 09:00–09:45" in words(visitor.open())


def test_conflict_with_the_clinic_asks_to_press_again(visitor, monkeypatch):
    def lose(**_):
        raise CourseError("Busy.", code="busy")

    visitor.open()
    monkeypatch.setattr("portal.visits.confirm_by_client", lose)

    response = visitor.press("confirm")

    assert "The clinic was changing this visit at the same moment. Press again." in words(response)


@pytest.mark.parametrize("version", ["", "x", "9" * 400, "-1"])
def test_odd_versions_are_survived(visitor, version):
    visitor.open()

    assert visitor.press("confirm", {"version": version}).status_code == 200


# ------------------------------------------------------------------------------------------------ cancelling


def test_cancelling_asks_first_and_keeps_the_reason(visitor):
    visitor.open()
    asked = visitor.browser.get(f"{visitor.page}cancel/")
    before = visitor.desk.fresh_session().status

    response = visitor.press("cancel", {"reason": "I am ill."})

    session = visitor.desk.fresh_session()
    assert (state_of(asked), before) == ("Cancel this visit?", SessionStatus.BOOKED)
    assert "cancelled late" not in words(asked)
    assert (session.status, session.cancel_reason) == (SessionStatus.CANCELLED_BY_CLIENT, "I am ill.")
    assert (state_of(response), buttons(response)) == ("You have cancelled this visit", ["Choose a time"])


def test_cancelling_late_says_so_before(visitor, clock):
    clock.move_to(visitor.desk.session.starts_at - timedelta(hours=23))
    visitor.open()

    asked = visitor.browser.get(f"{visitor.page}cancel/")
    visitor.press("cancel")

    assert "The visit begins in less than 24 hours. The clinic counts it as cancelled late." in words(asked)
    assert visitor.desk.fresh_session().status == SessionStatus.CANCELLED_LATE


def test_second_cancelling_changes_nothing(visitor):
    visitor.open()
    responses = [visitor.press("cancel"), visitor.press("cancel")]

    assert [state_of(response) for response in responses] == ["You have cancelled this visit"] * 2
    assert Answer.objects.count() == 1


@pytest.mark.parametrize("reason", ["x" * 201, "a\x00b"])
def test_reason_that_does_not_fit_is_said(visitor, reason):
    visitor.open()

    response = visitor.press("cancel", {"reason": reason})

    assert response.status_code == 422
    assert 'class="error"' in response.content.decode()
    assert visitor.desk.fresh_session().status == SessionStatus.BOOKED


def test_reason_is_shown_as_text_wherever_it_comes_back(visitor):
    visitor.open()

    response = visitor.press("cancel", {"reason": "<script>alert(1)</script>" * 9})

    assert response.status_code == 422
    assert "<script" not in response.content.decode()


def test_confirmed_visit_can_still_be_cancelled(visitor):
    visitor.open()
    visitor.press("confirm")

    assert state_of(visitor.press("cancel")) == "You have cancelled this visit"


# ------------------------------------------------------------------------------------------------ what else may be


def cancelled_by_clinic(desk):
    cancel_session(session=desk.session, whose="clinic", by=desk.by, now=NOW)


def paused(desk):
    day = date(2026, 3, 4)
    pause_course(course=desk.course, from_on=day, to_on=day, reason="travel", by=desk.by, now=NOW)


def discontinued(desk):
    discontinue_course(course=desk.course, reason="moved away", by=desk.by, now=NOW)
    type(desk.session).objects.filter(pk=desk.session.pk).update(
        status="booked", outcome_at=None, cancel_reason=""
    )


def erased(desk):
    Client.objects.filter(pk=desk.course.client_id).update(erased_at=NOW)


def arrived(desk):
    record_arrival(session=desk.session, by=desk.by, now=at("2026-03-04 14:50"))


def missed(desk):
    record_no_show(session=desk.session, by=desk.by, now=at("2026-03-04 18:00"))


@pytest.mark.parametrize(
    ("change", "when", "heading"),
    [
        (paused, "2026-03-02 09:00", "This visit is on hold"),
        (discontinued, "2026-03-02 09:00", "This visit can no longer be changed here"),
        (erased, "2026-03-02 09:00", "There is nothing here any more"),
        (arrived, "2026-03-04 14:55", "You have arrived"),
        (None, "2026-03-04 15:00", "This visit has already begun"),
        (missed, "2026-03-04 19:00", "This visit is over"),
    ],
)
def test_each_state_has_its_page_without_buttons_and_takes_no_answer(visitor, clock, change, when, heading):
    if change is not None:
        change(visitor.desk)
    clock.move_to(at(when))
    before = visitor.desk.fresh_session().status

    opened = visitor.open()
    pressed = (
        [visitor.press("cancel")] if change is paused else [visitor.press("confirm"), visitor.press("cancel")]
    )

    assert (state_of(opened), buttons(opened)) == (heading, [])
    if change is not paused:
        assert [state_of(response) for response in pressed] == [heading] * 2
        assert visitor.desk.fresh_session().status == before
        assert not Answer.objects.filter(refusal="").exists()


@pytest.mark.parametrize("whose", ["clinic", "client"])
def test_cancelled_visit_leads_to_another_time_only_where_one_can_be_booked(visitor, whose):
    cancel_session(session=visitor.desk.session, whose=whose, by=visitor.desk.by, now=NOW)
    free = visitor.open()
    offered = visitor.browser.get(re.search(r'href="([^"]+/book/)"', free.content.decode())[1])
    pressed = [visitor.press("confirm"), visitor.press("cancel")]

    book(visitor.desk.course, date(2026, 3, 6), time(10), now=NOW)
    others = visitor.browser.get(visitor.page)

    assert (buttons(free), "You can choose another time." in words(free)) == (["Choose a time"], True)
    assert state_of(offered) == "Choose a time"
    assert {state_of(page) for page in pressed} == {state_of(free)}
    assert not Answer.objects.filter(refusal="").exists()
    assert (buttons(others), "If you need another time, call the clinic." in words(others)) == ([], True)


def test_erased_client_is_shown_no_time(visitor):
    erased(visitor.desk)

    said = words(visitor.open())

    assert "erased" in said
    assert "15:00" not in said
    assert "March" not in said


def test_page_to_cancel_leads_back_when_there_is_nothing_to_cancel(visitor):
    visitor.open()
    cancelled_by_clinic(visitor.desk)

    response = visitor.browser.get(f"{visitor.page}cancel/", follow=True)

    assert state_of(response) == "The clinic has cancelled this visit"


def test_link_opens_until_a_day_after_the_visit(visitor, clock):
    end = visitor.desk.session.ends_at + timedelta(hours=24)
    clock.move_to(end - timedelta(seconds=1))
    assert state_of(visitor.open()) == "This visit has already begun"

    clock.move_to(end)

    shown = visitor.open(), visitor.browser.get(visitor.page), visitor.press("confirm")
    assert [(page.status_code, state_of(page)) for page in shown] == [(410, "This link has expired")] * 3
    assert Browser().get(visitor.page).status_code == 404


def test_visit_that_was_cancelled_with_its_course_offers_no_other_time(visitor):
    discontinue_course(course=visitor.desk.course, reason="moved away", by=visitor.desk.by, now=NOW)

    page = visitor.open()

    assert state_of(page) == "This visit does not take place"
    assert "The course that it belongs to has ended." in words(page)
    assert "You can choose another time" not in words(page)
