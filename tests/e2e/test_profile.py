"""The second step at sign-in: found on the profile, set up with an app, asked for at the next sign-in."""

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import expect

from tests.e2e.conftest import NOW, PASSWORD, PHONE, WIDE, overflow


def code_of_the_app(secret, *, at):
    """The six digits that an authenticator app shows for the secret at that moment."""
    return format_hotp_value(hotp_value(secret, int(at.timestamp()) // 30))


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_second_step_is_set_up_from_the_profile_and_asked_for(open_browser, prescriber, find_faults, size):
    seen = {}

    def look(name, page):
        seen[name] = (find_faults(page), overflow(page))

    # Given a member who looks for it on the profile
    page = open_browser(prescriber, size=size)
    page.goto("/")
    page.locator("summary.whoami:visible").click()
    page.locator("a:visible", has_text="Profile").click()
    section = page.get_by_role("region", name="Second step at sign-in")
    expect(section).to_contain_text("Off")

    # When they set it up: password first, then what the app shows
    section.get_by_role("link", name="Set up the second step").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    secret = page.locator("#authenticator_secret").input_value()
    look("set up", page)
    page.locator("[name=code]").fill(code_of_the_app(secret, at=NOW))
    page.get_by_role("button", name="Activate").click()

    # Then the recovery codes are shown once, and the profile says that it is on
    codes = page.locator("#recovery_codes").input_value().split()
    assert len(set(codes)) == 10
    look("codes", page)
    page.get_by_role("link", name="Back to your profile").click()
    expect(section).to_contain_text("On")
    expect(section).to_contain_text("10 of 10 codes are left.")
    look("profile", page)

    # And the next sign-in asks for it
    stranger = open_browser(size=size)
    stranger.goto("/me/")
    stranger.get_by_label("E-mail").fill(prescriber.user.email)
    stranger.get_by_label("Password").fill(PASSWORD)
    stranger.get_by_role("button", name="Sign in").click()
    expect(stranger.get_by_role("heading", name="Second step")).to_be_visible()
    look("sign-in", stranger)
    stranger.locator("[name=code]").fill(codes[0])
    stranger.get_by_role("button", name="Sign in").click()
    expect(stranger.get_by_role("region", name="Second step at sign-in")).to_contain_text(
        "9 of 10 codes are left."
    )
    assert seen == {name: ([], 0) for name in ("set up", "codes", "profile", "sign-in")}
