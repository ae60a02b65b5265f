"""A course's page: replanned side by side, never over somebody else's change, never onto a taken slot."""

from datetime import UTC, date, datetime, time

import pytest
from playwright.sync_api import expect

from courses.models import PlanRevision, TreatmentSession
from courses.services import add_closure, apply_plan, move_session, propose_plan
from tests.e2e.conftest import NOW, TODAY
from tests.factories import actor_of, book


@pytest.fixture
def course(make_course, prescriber, room):
    """A course with all that is left of it booked, from today on."""
    course = make_course()
    return plan_all(course, prescriber)


def plan_all(course, member):
    proposal = propose_plan(course=course, now=NOW)
    apply_plan(course=course, proposal=proposal, by=actor_of(member), now=NOW)
    course.refresh_from_db()
    return course


def bookings(course):
    return list(
        TreatmentSession.objects.filter(course=course, status="booked")
        .order_by("on")
        .values_list("on", flat=True)
    )


def test_replan_shows_old_and_new_side_by_side_and_applies_them(
    open_browser, receptionist, prescriber, clinic, course
):
    # Given a booked course, and a closure added since
    before = bookings(course)
    closed = (date(2026, 3, 10), date(2026, 3, 12))
    by = actor_of(prescriber)
    add_closure(clinic=clinic, from_on=closed[0], to_on=closed[1], by=by, now=NOW, reason="Repairs")
    page = open_browser(receptionist)
    page.goto(f"/courses/{course.code}/")

    # When reception looks at a new plan
    page.get_by_role("link", name="Replan").first.click()

    # Then old and new stand side by side, and nothing has changed yet
    table = page.locator("table.compare").first
    moved = table.locator("tr.compare-moved").first
    expect(moved.locator(".compare-label")).to_have_text("moves")
    expect(moved.locator(".compare-old")).to_contain_text("Mar")
    assert bookings(course) == before

    # When they apply it
    page.get_by_role("button", name="Apply this plan").click()

    # Then the page and the rows have it, with one revision more and nothing on a closed day
    expect(page.get_by_role("status")).to_contain_text("The new plan is booked.")
    after = bookings(course)
    assert [on for on in after if closed[0] <= on <= closed[1] or on.isoweekday() == 7] == []
    assert len(after) == len(before)
    assert PlanRevision.objects.filter(course=course).count() == 2
    first = next(on for on in after if on > closed[1])
    expect(
        page.locator("tr[id^=course-session-]").filter(has_text=f"{first:%a} {first.day} Mar")
    ).to_have_count(1)


def test_proposal_that_others_overtook_is_not_applied(open_browser, receptionist, prescriber, course, watch):
    # Given a proposal on the screen
    watch.expect(422)
    page = open_browser(receptionist)
    page.goto(f"/courses/{course.code}/")
    page.get_by_role("link", name="Replan").first.click()
    expect(page.get_by_role("button", name="Apply this plan")).to_be_visible()

    # When somebody else moves a session meanwhile, and then it is applied
    session = course.sessions.filter(status="booked").order_by("on")[1]
    session.refresh_from_db()
    moved_to = datetime.combine(session.on, time(15), tzinfo=session.starts_at.tzinfo)
    move_session(
        session=session,
        starts_at=moved_to,
        practitioner=prescriber,
        room=session.room,
        by=actor_of(prescriber),
        now=NOW,
    )
    page.get_by_role("button", name="Apply this plan").click()

    # Then the page says so and shows the new proposal; the other's change stands
    expect(page.get_by_role("alert")).to_have_text(
        "The course or the calendar has changed since. Look at the new proposal."
    )
    session.refresh_from_db()
    assert session.starts_at == moved_to
    assert PlanRevision.objects.filter(course=course).count() == 1
    page.get_by_role("button", name="Apply this plan").click()
    expect(page.get_by_role("status")).to_contain_text("The new plan is booked.")
    session.refresh_from_db()
    assert session.starts_at == moved_to


def test_decision_on_a_page_that_has_gone_stale_is_refused_and_the_reason_stays(
    open_browser, prescriber, course, watch
):
    # Given two prescribers with the same form
    watch.expect(422)
    pages = [open_browser(prescriber) for _ in range(2)]
    for page in pages:
        page.goto(f"/courses/{course.code}/")
        page.get_by_text("More", exact=True).click()
        page.locator(".course-actions").get_by_role("link", name="Stop the course").click()
        page.get_by_label("Why").fill("Moved to another town")

    # When both press
    for page in pages:
        page.get_by_role("button", name="Stop the course").click()

    # Then the second is told, and has lost nothing of what was typed
    expect(pages[0].get_by_role("status")).to_contain_text("The course was stopped.")
    expect(pages[1].get_by_role("alert")).to_be_visible()
    expect(pages[1].get_by_label("Why")).to_have_value("Moved to another town")


def test_session_is_not_moved_onto_a_taken_slot(
    open_browser, receptionist, prescriber, room, course, make_course, watch
):
    # Given another client's session with the same practitioner
    watch.expect(422)
    other = make_course("Olga", "Zaiceva", attended=())
    session = course.sessions.filter(status="booked").order_by("on")[2]
    was, taken_on = session.starts_at, session.on
    book(other, taken_on, time(18), now=NOW, practitioner=prescriber, room=room)
    page = open_browser(receptionist)
    page.goto(f"/courses/{course.code}/")

    # When reception moves a session there
    page.locator(f"#course-session-{session.code}").get_by_role("link", name="Move").click()
    page.get_by_label("Day", exact=True).fill(taken_on.isoformat())
    page.get_by_label("Time", exact=True).fill("18:00")
    page.get_by_role("button", name="Move", exact=True).click()

    # Then it is refused with the reason, and what was typed stays
    said = page.locator("#course-panel .field-error, #course-panel [role=alert]")
    expect(said).to_have_text("The practitioner has another booking at that time.")
    expect(page.get_by_label("Day", exact=True)).to_have_value(taken_on.isoformat())
    expect(page.get_by_label("Time", exact=True)).to_have_value("18:00")
    session.refresh_from_db()
    assert session.starts_at == was

    # When they choose a free time instead
    page.get_by_label("Time", exact=True).fill("16:00")
    page.get_by_role("button", name="Move", exact=True).click()

    # Then it moves
    expect(page.get_by_role("status")).to_contain_text("The session was moved.")
    session.refresh_from_db()
    assert session.starts_at == datetime.combine(taken_on, time(14), tzinfo=UTC)


def test_next_session_is_booked_inside_the_window_in_one_click(open_browser, receptionist, make_course, room):
    course = make_course()
    page = open_browser(receptionist)
    page.goto(f"/courses/{course.code}/")

    page.get_by_role("link", name="Book next session").first.click()
    offer = page.locator(".offer-day").first
    expect(offer).to_be_visible()
    offer.locator("button").first.click()

    expect(page.get_by_role("status")).to_contain_text("booked")
    session = course.sessions.get(status="booked")
    assert session.on >= TODAY
    expect(page.locator(f"#course-session-{session.code}")).to_be_visible()
