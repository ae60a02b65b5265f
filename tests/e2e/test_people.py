"""An owner adds somebody and reads in the log that it was done: on a telephone and without script."""

import re

import pytest
from playwright.sync_api import expect

from clinics.models import Role
from tests.e2e.conftest import PHONE, add_member


@pytest.fixture
def owner(clinic):
    return add_member(clinic, Role.OWNER, "Ilze")


def test_person_is_added_and_loses_access_on_a_phone_without_script(open_browser, owner, watch):
    # Given an owner with a telephone that runs no script
    watch.expect(422)
    page = open_browser(owner, size=PHONE, java_script_enabled=False)
    page.goto("/")
    page.locator("summary.whoami:visible").click()
    page.get_by_role("link", name="Settings").click()
    page.get_by_role("link", name="People").click()

    # When a person is added with an address that is taken, then with another one
    page.get_by_role("link", name="Add a person").click()
    page.get_by_label("Name").fill("Eva Liepa")
    page.get_by_label("E-mail").fill(owner.user.email)
    page.get_by_label("Role").select_option("Practitioner")
    page.get_by_role("button", name="Add and send the link").click()
    expect(page.locator(".field-error")).to_contain_text("is on the list already")
    page.get_by_label("E-mail").fill("eva@example.com")
    page.get_by_role("button", name="Add and send the link").click()

    # Then the list shows them as invited, and the log what was done
    expect(page.get_by_text("The link to sign in went to their e-mail address.")).to_be_visible()
    page.get_by_role("link", name="Eva Liepa").click()
    page.get_by_role("button", name="Take the access away").click()
    expect(page.get_by_role("heading", name="Without access")).to_be_visible()
    page.get_by_role("link", name="Audit log").click()
    expect(page.locator(".audit-row .audit-what").first).to_contain_text("Access taken away")


def test_log_follows_its_filters_while_they_are_chosen(open_browser, owner, make_course):
    make_course("Olga", "Zaiceva")
    page = open_browser(owner)
    page.goto("/settings/audit/")

    page.locator("#id_action").select_option("Prescribed")

    asked = "?action=course.prescribed&by=&from_on=&to_on="
    expect(page.locator(".audit-row")).to_have_count(1)
    expect(page).to_have_url(re.compile(re.escape(asked)))
    export = page.get_by_role("link", name="Export as CSV")
    expect(export).to_have_attribute("href", f"/settings/audit/export/{asked}")


def test_working_hours_narrow_the_clinics_on_the_calendar(open_browser, owner, prescriber):
    # Given the page of a practitioner who works as long as the clinic
    page = open_browser(owner)
    page.goto(f"/settings/people/{prescriber.code}/")
    expect(page.get_by_text("The same as the clinic's.")).to_be_visible()

    # When the owner enters Tuesday afternoon
    page.get_by_role("link", name="Change", exact=True).click()
    page.get_by_label("Tuesday, begins").first.fill("14:00")
    page.get_by_label("Tuesday, ends").first.fill("16:00")
    page.get_by_role("button", name="Save").click()

    # Then it stands there, and the calendar knows no other time
    expect(page.get_by_text("Tuesday: 14:00–16:00")).to_be_visible()
    page.goto("/calendar/")
    row = page.get_by_role("row", name=re.compile("Dr Ozola"))
    expect(row).to_contain_text("2 h free")
    expect(row.get_by_text("Does not work")).to_have_count(5)
