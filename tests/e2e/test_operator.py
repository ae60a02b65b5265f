"""The operator signs in with a second step and helps somebody who lost theirs."""

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from playwright.sync_api import expect

from tests.e2e.conftest import NOW, PASSWORD, follow
from tests.factories import UserFactory


@pytest.fixture
def secret(transactional_db):
    """The secret of the operator's second step."""
    user = UserFactory(email="op@example.com", password=PASSWORD, is_superuser=True, is_staff=True)
    secret = generate_totp_secret()
    TOTP.activate(user, secret)
    return secret


def test_operator_resets_a_second_step(open_browser, secret, receptionist, find_faults):
    # Given a receptionist who lost the telephone with the second step
    TOTP.activate(receptionist.user, generate_totp_secret())

    # When the operator signs in with password and six digits
    page = open_browser()
    page.goto("/operator/")
    page.get_by_label("E-mail").fill("op@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.locator("[name=code]").fill(format_hotp_value(hotp_value(secret, int(NOW.timestamp()) // 30)))
    page.locator("[name=code]").press("Enter")
    expect(page.get_by_role("heading", name="This installation")).to_be_visible()
    faults = find_faults(page)

    # And resets it, after being asked
    follow(page, page.get_by_role("link", name="Users").first)
    faults += find_faults(page)
    page.get_by_role("row", name=receptionist.user.email).get_by_role("checkbox").check()
    page.locator("[name=action]").select_option(label="Reset the second step")
    page.get_by_role("button", name="Run").or_(page.get_by_role("button", name="Go")).first.click()
    expect(page.get_by_text("the password alone guards them")).to_be_visible()
    assert [*faults, *find_faults(page)] == []
    page.get_by_role("button", name="Reset").click()

    # Then it is gone
    expect(page.get_by_text("1 second step is reset.")).to_be_visible()
    assert not Authenticator.objects.filter(user=receptionist.user).exists()
