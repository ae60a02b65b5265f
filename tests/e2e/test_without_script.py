"""Everything works without script: each form is a page, and each action a form."""

import pytest
from playwright.sync_api import expect

from courses.models import BOOKED_STATUSES, Course, CourseStatus, Reaction, SessionStatus
from courses.services import reassess
from tests.e2e.conftest import NOW, TODAY
from tests.factories import ClientFactory, book


@pytest.fixture
def open_plain(open_browser):
    def open_plain(member):
        return open_browser(member, java_script_enabled=False)

    return open_plain


def test_course_is_prescribed(open_plain, clinic, prescriber, protocol, room):
    # Given a client, and a browser that runs no script
    ClientFactory(clinic=clinic, given_name="Anna", family_name="Berzina", search_text="anna berzina")
    page = open_plain(prescriber)
    page.goto("/courses/new/")

    # When the prescriber finds the client, takes the protocol's phases and looks at the preview
    page.get_by_role("searchbox", name="Client").fill("berz")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("radio", name="Anna Berzina").check()
    page.get_by_label("Protocol").select_option(label="Anti-cellulite massage")
    page.get_by_role("button", name="Take its phases").click()
    expect(page.get_by_role("group", name="Phase 2")).to_be_visible()
    page.get_by_role("button", name="Preview").last.click()
    expect(page.locator(".preview-line")).to_have_count(41)
    assert not Course.objects.exists()
    page.get_by_role("button", name="Prescribe and book all of it").click()

    # Then the course's page is there, all of it booked or planned
    expect(page.get_by_role("heading", name="Anna Berzina")).to_be_visible()
    course = Course.objects.get()
    assert course.status == CourseStatus.ACTIVE
    assert course.sessions.count() == 41
    assert course.sessions.filter(status__in=BOOKED_STATUSES).count() > 15
    expect(page.locator("tr[id^=course-session-]")).to_have_count(41)


def test_attendance_is_recorded(open_plain, receptionist, make_course, room):
    # Given a session of today
    session = book(make_course(), TODAY, at=NOW.time().replace(hour=11), now=NOW, room=room)
    page = open_plain(receptionist)
    page.goto("/")

    # When the client comes, nothing speaks against it, and the treatment is recorded with bruises
    page.get_by_role("button", name="Arrived: Anna Berzina").click()
    expect(page.get_by_text("Does any of these hold today?")).to_be_visible()
    page.get_by_text("None of these").click()
    page.get_by_role("button", name="Treated: Anna Berzina").click()
    page.get_by_label("Bruises").check(force=True)
    page.get_by_label("Pain after").select_option("2")
    page.get_by_role("button", name="Save the treatment").click()

    # Then a pause is proposed, and the day shows the outcome
    expect(page.get_by_role("heading", name="Pause the course?")).to_be_visible()
    page.get_by_text("Do not pause").click()
    expect(page.locator(f"#session-row-{session.code}")).to_contain_text("Attended")
    session.refresh_from_db()
    assert (session.status, session.reaction, session.pain_after) == (
        SessionStatus.ATTENDED,
        Reaction.BRUISES,
        2,
    )


def test_worklist_is_filtered_and_a_call_recorded(open_plain, receptionist, make_course):
    course = make_course()
    reassess(course=course, now=NOW)
    page = open_plain(receptionist)
    page.goto("/attention/")

    page.get_by_role("combobox", name="Finding").select_option(label="Overdue")
    page.get_by_role("button", name="Show").click()
    rows = page.locator("[id^=flag-row-]")
    expect(rows).to_have_count(1)
    rows.get_by_role("button", name="Call: Anna Berzina").click()
    page.get_by_label("Not reached").check(force=True)
    page.get_by_role("button", name="Save the call").click()

    flag = course.flags.get(kind="overdue", resolved_at=None)
    expect(page.locator(f"#flag-row-{flag.code}")).to_contain_text("Jana: not reached")
    expect(page.get_by_role("combobox", name="Finding")).to_have_value("overdue")
    assert flag.calls.get().outcome == "not_reached"
