"""Roles and clinics in the browser: who sees what, and what a forged request gets."""

import pytest
from playwright.sync_api import expect

from clinics.models import Role
from courses.models import SessionStatus
from courses.services import reassess
from tests.e2e.conftest import NOW, TODAY, add_member
from tests.factories import ClinicFactory, book


@pytest.fixture
def analyst(clinic):
    return add_member(clinic, Role.ANALYST, "Viktors")


@pytest.fixture
def course(make_course):
    course = make_course()
    reassess(course=course, now=NOW)
    return course


@pytest.fixture
def session(course):
    return book(course, TODAY, at=NOW.time().replace(hour=11), now=NOW)


def acting_controls(page):
    """The controls of the page that would change something, by their names."""
    found = page.locator("main form[method=post] button, main a[role=button], main .course-actions a").all()
    return [control.get_attribute("aria-label") or control.text_content().strip() for control in found]


def test_analyst_is_shown_nothing_to_press(open_browser, analyst, receptionist, course, session):
    addresses = [
        "/",
        "/attention/",
        "/courses/",
        f"/courses/{course.code}/",
        f"/clients/{course.client.code}/",
    ]
    seen = {}
    for member in (receptionist, analyst):
        page = open_browser(member)
        for address in addresses:
            page.goto(address)
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            seen[member.role, address] = acting_controls(page)

    assert [address for address in addresses if seen[Role.ANALYST, address]] == []
    assert [address for address in addresses if not seen[Role.RECEPTIONIST, address]] == ["/courses/"]


def test_forged_request_of_an_analyst_is_refused(open_browser, analyst, course, session, watch):
    # Given an analyst's own page, with a valid token of theirs
    watch.expect(403)
    page = open_browser(analyst)
    page.goto("/me/")
    token = page.locator("[name=csrfmiddlewaretoken]").first.get_attribute("value")
    forged = [f"/sessions/{session.code}/arrive/", f"/courses/{course.code}/discontinue/", "/courses/new/"]

    # When it is sent to what an analyst may not do
    answers = {}
    for address in forged:
        sent = """async ([address, token]) => (await fetch(address, {
            method: "POST", headers: {"X-CSRFToken": token, "Content-Type": "application/x-www-form-urlencoded"},
            body: "reason=because&do=prescribe"})).status"""
        answers[address] = page.evaluate(sent, [address, token])

    # Then each is refused, and nothing has changed
    assert answers == dict.fromkeys(forged, 403)
    session.refresh_from_db()
    course.refresh_from_db()
    assert (session.status, course.status) == (SessionStatus.BOOKED, "active")


def test_course_of_another_clinic_does_not_exist(open_browser, course, watch):
    watch.expect(404)
    stranger = add_member(ClinicFactory(name="Another Clinic"), Role.OWNER, "Somebody")
    page = open_browser(stranger)

    answer = page.goto(f"/courses/{course.code}/")
    assert answer.status == 404
    expect(page.get_by_text("Anna Berzina")).to_have_count(0)
    page.goto("/courses/?show=all")
    expect(page.get_by_text("No course")).to_be_visible()
    expect(page.get_by_text("Anna Berzina")).to_have_count(0)


def test_signing_out_closes_the_pages_behind_the_back_button(open_browser, receptionist, course):
    page = open_browser(receptionist)
    page.goto(f"/courses/{course.code}/")
    expect(page.get_by_role("heading", name="Anna Berzina")).to_be_visible()

    page.locator(".rail-foot summary").click()
    page.locator(".rail-foot").get_by_text("Sign out").click()
    main = page.get_by_role("button", name="Sign out")
    if main.count():
        main.first.click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.go_back()
    page.wait_for_load_state()

    expect(page.get_by_text("Anna Berzina")).to_have_count(0)


def test_lost_session_in_the_middle_of_an_action_leads_to_the_login(
    open_browser, receptionist, course, session
):
    page = open_browser(receptionist)
    page.goto("/")
    page.context.clear_cookies(name="session")

    page.get_by_role("button", name="Treated: Anna Berzina").click()

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    session.refresh_from_db()
    assert session.status == SessionStatus.BOOKED
