"""My course: what comes next, other times for a visit, the next one to book, and who is shown how it goes."""

import re
from datetime import date, time

import pytest
from django.test import Client as Browser

from clients.models import Client
from courses.models import Course, SessionStatus, TreatmentSession
from courses.services import cancel_session, discontinue_course, pause_course
from portal import limits
from reminders.models import Answer
from tests.factories import attend, book, prescribe
from tests.portal.conftest import state_of, words
from tests.reminders.builders import NOW, at

pytestmark = pytest.mark.django_db


def born(visitor, year=1987):
    Client.objects.filter(pk=visitor.client.pk).update(birth_on=date(year, 5, 4))


def open_course(visitor):
    visitor.browser.get(visitor.course_link)
    return visitor.browser.get(f"/c/course/{visitor.link('course').token_hash[:16]}/")


def days_of(response):
    return re.findall(r"<legend>([^<]+)</legend>", response.content.decode())


# ------------------------------------------------------------------------------------------------ moving


def test_visit_moves_to_a_time_that_is_pressed_and_a_second_press_finds_it_moved(visitor):
    visitor.open()
    page = visitor.browser.get(f"{visitor.page}move/")
    fitting, later = page.content.decode().split('class="later"')
    value = re.findall(r'name="slot" value="([^"]+)"', fitting)[0]

    once = visitor.browser.post(f"{visitor.page}move/", {"slot": value}, follow=True)
    twice = visitor.browser.post(f"{visitor.page}move/", {"slot": value}, follow=True)

    # Due from Monday to Wednesday; what lies beyond says what it does.
    assert days_of(page)[:3] == ["Monday, 2 March", "Tuesday, 3 March", "Wednesday, 4 March"]
    assert "later than planned" not in fitting
    assert "1 day later than planned for you." in later
    assert visitor.desk.fresh_session().starts_at == at("2026-03-02 09:00")
    assert "Done. This is your new time." in words(once)
    assert 'class="note good" role="status"' in once.content.decode()
    assert "Monday, 2 March Time 09:00" in words(twice)
    assert [answer.kind for answer in Answer.objects.all()] == ["move"]


def test_two_telephones_choose_differently_and_the_second_is_told(visitor):
    visitor.open()
    other = Browser()
    other.get(visitor.visit_link)
    values = re.findall(r'name="slot" value="([^"]+)"', other.get(f"{visitor.page}move/").content.decode())
    visitor.choose(f"{visitor.page}move/")

    response = other.post(f"{visitor.page}move/", {"slot": values[4]}, follow=True)

    assert "The time was changed after you had opened this page." in words(response)
    assert visitor.desk.fresh_session().starts_at == at("2026-03-02 09:00")


def test_time_that_somebody_took_meanwhile_is_said_and_others_are_shown(visitor):
    visitor.open()
    value = re.findall(
        r'name="slot" value="([^"]+)"', visitor.browser.get(f"{visitor.page}move/").content.decode()
    )[0]
    member = visitor.desk.course.prescribed_by
    book(prescribe(now=NOW, member=member), date(2026, 3, 2), time(9), now=NOW)

    response = visitor.browser.post(f"{visitor.page}move/", {"slot": value}, follow=True)

    assert "That time is no longer free. These are:" in words(response)
    assert value not in response.content.decode()


@pytest.mark.parametrize("value", ["", "x", "of-another-visit"])
def test_only_what_was_offered_for_this_visit_can_be_chosen(visitor, make_visitor, value):
    if value == "of-another-visit":
        other = make_visitor()
        other.open()
        page = other.browser.get(f"{other.page}move/").content.decode()
        value = re.findall(r'name="slot" value="([^"]+)"', page)[0]
    visitor.open()
    before = visitor.desk.fresh_session().starts_at

    response = visitor.browser.post(f"{visitor.page}move/", {"slot": value}, follow=True)

    assert "That time is no longer free." in words(response)
    assert visitor.desk.fresh_session().starts_at == before


def test_visit_that_begins_soon_can_be_cancelled_but_not_moved(visitor, clock):
    clock.move_to(at("2026-03-03 16:00"))
    opened = visitor.open()

    response = visitor.browser.get(f"{visitor.page}move/", follow=True)

    assert "Another time" not in words(opened)
    # Said before anybody looks for it, and said once.
    counted = [
        words(page).count("It begins too soon to be moved here. Call the clinic.")
        for page in (opened, response)
    ]
    assert counted == [1, 1]


# ------------------------------------------------------------------------------------------------ the course


def test_course_shows_what_comes_next_and_leads_to_every_visit(visitor):
    other = book(visitor.desk.course, date(2026, 3, 5), time(10), now=NOW)

    page = open_course(visitor)
    line = f"{visitor.course_page.replace('course', 'visit')}{other.code}/"

    assert "Your visit Please confirm that you are coming. Day Wednesday, 4 March" in words(page)
    assert "After that Thu 5 Mar 10:00–10:45" in words(page)
    own = f"/c/visit/{visitor.link('course').token_hash[:16]}/{other.code}/"
    assert own in page.content.decode()
    visitor.browser.post(f"{own}confirm/", {"version": other.version})
    assert TreatmentSession.objects.get(pk=other.pk).status == SessionStatus.CONFIRMED
    # The link of a visit opens the others of its course as well.
    visitor.open()
    assert visitor.browser.get(line).status_code == 200


def test_link_opens_no_other_course_of_the_same_client(visitor):
    other = prescribe(now=NOW, member=visitor.desk.course.prescribed_by, client=visitor.client)
    session = book(other, date(2026, 3, 6), time(10), now=NOW)
    visitor.open()

    assert visitor.browser.get(f"{visitor.page}{session.code}/").status_code == 404


def test_next_visit_is_booked_by_one_press(visitor):
    cancel_session(session=visitor.desk.session, whose="clinic", by=visitor.desk.by, now=NOW)
    page = open_course(visitor)
    address = f"/c/course/{visitor.link('course').token_hash[:16]}/book/"

    booked = visitor.choose(address)
    again = visitor.browser.get(address, follow=True)

    assert (state_of(page), "Best: Monday, 2 March – Wednesday, 4 March" in words(page)) == (
        "No visit is booked",
        True,
    )
    assert "Your visit is booked. Day Monday, 2 March" in words(booked)
    assert state_of(again) == "Your visit"
    session = TreatmentSession.objects.get(course=visitor.desk.course, status=SessionStatus.BOOKED)
    assert session.starts_at == at("2026-03-02 09:00")


@pytest.mark.parametrize(
    ("state", "heading"),
    [
        ("paused", "Your visits are on hold"),
        ("discontinued", "These visits have ended"),
        ("completed", "You have completed your course"),
        ("erased", "There is nothing here any more"),
    ],
)
def test_each_state_has_its_page_and_nothing_to_book(visitor, state, heading):
    desk = visitor.desk
    cancel_session(session=desk.session, whose="clinic", by=desk.by, now=NOW)
    desk.course.refresh_from_db()
    if state == "paused":
        pause_course(
            course=desk.course, from_on=date(2026, 3, 2), to_on=None, reason="illness", by=desk.by, now=NOW
        )
    elif state == "discontinued":
        discontinue_course(course=desk.course, reason="moved away", by=desk.by, now=NOW)
    elif state == "completed":
        Course.objects.filter(pk=desk.course.pk).update(status="completed", ended_at=NOW)
    else:
        Client.objects.filter(pk=visitor.client.pk).update(erased_at=NOW)

    page = open_course(visitor)
    offered = visitor.browser.get(f"{visitor.course_page}book/", follow=True)

    assert (state_of(page), 'class="button' in page.content.decode()) == (heading, False)
    assert state_of(offered) in (heading, "This link does not work")


# ------------------------------------------------------------------------------------------------ who is shown more


def test_how_it_goes_is_shown_to_whoever_knows_the_year_of_birth(visitor):
    born(visitor)
    attend(visitor.desk.course, [date(2026, 3, 2)])
    neutral = open_course(visitor)
    address = f"/c/course/{visitor.link('course').token_hash[:16]}/"

    wrong = visitor.browser.post(f"{address}year/", {"year": "1986"}, follow=True)
    shown = visitor.browser.post(f"{address}year/", {"year": " 1987 "}, follow=True)

    protocol = visitor.desk.course.protocol
    for page in (neutral, wrong):
        assert protocol.name_en not in page.content.decode()
        assert "<svg" not in page.content.decode()
    assert "That is not the year the clinic knows." in words(wrong)
    assert "Anti-cellulite massage Visits you have had: 1 of 10–15" in words(shown)
    assert "<svg" in shown.content.decode()
    # The proof is the browser's own, and lasts as long as the link is remembered.
    assert protocol.name_en not in Browser().get(visitor.course_link, follow=True).content.decode()
    assert protocol.name_en in visitor.browser.get(visitor.course_link, follow=True).content.decode()


def test_years_cannot_be_tried_through(visitor):
    born(visitor)
    open_course(visitor)
    address = f"/c/course/{visitor.link('course').token_hash[:16]}/year/"

    for _ in range(limits.WRONG_YEARS.most + 1):
        # Right ones are as many as anybody likes.
        assert "<svg" in visitor.browser.post(address, {"year": "1987"}, follow=True).content.decode()
    visitor.browser.cookies.clear()
    open_course(visitor)
    for year in range(1950, 1950 + limits.WRONG_YEARS.most):
        visitor.browser.post(address, {"year": str(year)})
    right = visitor.browser.post(address, {"year": "1987"}, follow=True)

    assert "That was wrong too often." in words(right)
    assert "<svg" not in right.content.decode()


def test_clinic_that_names_treatments_asks_nothing_unless_the_client_wants_it_so(visitor):
    visitor.desk.course.clinic.shows_treatment_in_messages = True
    visitor.desk.course.clinic.save()
    born(visitor)

    shown = open_course(visitor)
    Client.objects.filter(pk=visitor.client.pk).update(detail_level="neutral")
    hidden = open_course(visitor)

    assert "Anti-cellulite massage" in words(shown)
    assert "Anti-cellulite massage" not in words(hidden)
    assert "Year of birth" in words(hidden)


def test_course_page_costs_the_same_with_one_visit_and_with_three(visitor, django_assert_num_queries):
    open_course(visitor)
    address = f"/c/course/{visitor.link('course').token_hash[:16]}/"
    with django_assert_num_queries(12):
        visitor.browser.get(address)
    for day in (5, 6):
        book(visitor.desk.course, date(2026, 3, day), now=NOW)

    with django_assert_num_queries(12):
        visitor.browser.get(address)
