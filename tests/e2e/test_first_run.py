"""From a login without a clinic to the first booked course: nobody reads a manual, the pages lead."""

import re

from playwright.sync_api import expect

from clinics.models import Clinic, Closure
from courses.models import BOOKED_STATUSES, Course
from tests.e2e.conftest import follow, overflow
from tests.factories import UserFactory


def founder():
    """Somebody who can sign in and works nowhere yet, as open_browser() takes them."""

    class Founder:
        user = UserFactory(email="ilze@example.com")

    return Founder


def next_step(page, title):
    """Follow the guide's next step, which is the one named."""
    page.goto("/")
    follow(page, page.get_by_role("link", name=re.compile(f"^Do this.*{title}$")))


def test_owner_founds_a_clinic_and_books_its_first_course(open_browser, transactional_db, find_faults, watch):
    # Given somebody who is signed in and works nowhere yet
    watch.expect(403)
    page = open_browser(founder())
    page.goto("/")
    follow(page, page.get_by_role("link", name="Found a clinic"))
    assert find_faults(page) == []

    # When they found a clinic
    page.get_by_label("Name of the clinic").fill("Clinic by the Sea")
    page.get_by_label("Country").select_option(label="Latvia")
    page.get_by_label("Your name").fill("Ilze")
    page.get_by_label("I treat clients myself").check()
    page.get_by_role("button", name="Found the clinic").click()

    # Then the guide names what comes next; hours and who treats are there
    expect(page.get_by_text("2 of 7 done")).to_be_visible()
    assert (find_faults(page), overflow(page)) == ([], 0)

    # When they follow it: holidays, a room, protocols
    next_step(page, "Public holidays")
    page.get_by_role("button", name="Close on these days").click()
    next_step(page, "Rooms")
    page.get_by_label("Name of the room").fill("Room 1")
    page.get_by_role("button", name="Add").click()
    next_step(page, "Protocols")
    assert find_faults(page) == []
    page.get_by_role("button", name="Take these over").click()

    # And the first client
    next_step(page, "The first client")
    page.get_by_label("Given name").fill("Anna")
    page.get_by_role("button", name="Register the client").click()
    expect(page.get_by_text("Setting up: 6 of 7 done.")).to_be_visible()

    # And the first course, of which every date is seen before it is saved
    next_step(page, "The first course")
    page.get_by_role("radio", name="Anna").check()
    page.get_by_label("Protocol").select_option(label="Anti-cellulite massage")
    expect(page.get_by_role("group", name="Phase 2")).to_be_visible()
    page.get_by_role("button", name="Preview", exact=True).last.click()
    expect(page.locator(".preview-line").first).to_be_visible()
    page.get_by_role("button", name="Prescribe and book all of it").click()
    expect(page.get_by_role("status")).to_contain_text("Prescribed and booked.")

    # Then it is booked, and the guide is at its end
    course = Course.objects.get()
    assert course.sessions.filter(status__in=BOOKED_STATUSES).exists()
    assert Closure.objects.exists()
    page.goto("/")
    expect(page.get_by_role("heading", name="The clinic is set up")).to_be_visible()
    page.get_by_role("button", name="Put the guide away").click()
    expect(page.get_by_role("heading", name="The clinic is set up")).to_have_count(0)
    assert not Clinic.objects.get().is_being_set_up
