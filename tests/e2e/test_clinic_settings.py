"""The clinic's own settings are found and changed, on a telephone and without script."""

from datetime import date, time

import pytest
from playwright.sync_api import expect

from clinics.models import Closure, OpeningHours, Role
from tests.e2e.conftest import NOW, PHONE, add_member, overflow
from tests.factories import book


@pytest.fixture
def owner(clinic):
    return add_member(clinic, Role.OWNER, "Ilze")


def test_holidays_of_the_country_are_closed_on_a_telephone(open_browser, owner, make_course):
    # Given a session that is booked on a public holiday
    book(make_course(), date(2026, 5, 4), time(11), now=NOW)
    page = open_browser(owner, size=PHONE)
    page.goto("/")

    # When the owner finds the closures by the menu, looks at the year's holidays and closes
    page.locator(".topbar summary").click()
    page.locator(".topbar").get_by_role("link", name="Settings").click()
    page.get_by_role("navigation", name="Settings").get_by_role("link", name="Closures").click()
    page.get_by_role("button", name="Show the holidays").click()
    expect(page.get_by_role("heading", name="Public holidays of 2026")).to_be_visible()
    expect(page.locator(".holiday-row", has_text="Restoration of Independence")).to_contain_text(
        "1 booked session"
    )
    assert overflow(page) <= 0
    page.get_by_role("button", name="Close on these days").click()

    # Then they stand in the list, and what is hit leads to where it is moved
    expect(page.get_by_text("1 booked session waits to be moved")).to_be_visible()
    assert Closure.objects.filter(from_on=date(2026, 5, 4)).exists()
    page.get_by_role("link", name="1 booked session").click()
    expect(page.get_by_role("heading", name="Absence or closure")).to_be_visible()


def test_hours_and_a_closure_are_set_without_script(open_browser, owner):
    page = open_browser(owner, java_script_enabled=False)
    page.goto("/settings/hours/")

    # When Saturday gets a break, and Easter Monday is closed
    page.get_by_label("Saturday, closes").first.fill("13:00")
    page.get_by_label("Saturday, opens").last.fill("14:00")
    page.get_by_label("Saturday, closes").last.fill("16:00")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The opening hours are saved.")).to_be_visible()
    page.get_by_role("link", name="Closures").click()
    page.get_by_label("First day").fill("2026-04-06")
    page.get_by_role("button", name="Close", exact=True).click()

    # Then both hold
    expect(page.get_by_text("The closure is saved.")).to_be_visible()
    assert list(OpeningHours.objects.filter(weekday=6).values_list("opens_time", "closes_time")) == [
        (time(9), time(13)),
        (time(14), time(16)),
    ]
    assert Closure.objects.values_list("from_on", "to_on").get() == (date(2026, 4, 6), date(2026, 4, 6))
