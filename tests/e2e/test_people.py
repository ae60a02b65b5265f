"""An owner adds somebody and takes their access away: on a telephone and without script."""

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

    # Then the list shows them as invited
    expect(page.get_by_text("The link to sign in went to their e-mail address.")).to_be_visible()
    page.get_by_role("link", name="Eva Liepa").click()
    page.get_by_role("button", name="Take the access away").click()
    expect(page.get_by_role("heading", name="Without access")).to_be_visible()
    expect(page.get_by_text("Eva Liepa has no access any more.")).to_be_visible()
