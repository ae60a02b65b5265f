"""Channels are set up, tested and read about, on every screen and without script."""

import json
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from audit.services import SYSTEM
from clinics.models import Role
from reminders.channels.registry import account_scope
from reminders.models import ChannelHealth, KeptMessage
from reminders.services.accounts import save_account
from tests.e2e.conftest import NOW, PHONE, WIDE, add_member, overflow
from tests.factories import ClientFactory

TWILIO = {"account_sid": "AC" + "0a" * 16, "auth_token": "T0kenT0kenT0kenT0ken", "source": "+37120000099"}


@pytest.fixture
def owner(clinic):
    return add_member(clinic, Role.OWNER, "Ilze")


@pytest.fixture
def pages(clinic, owner, settings):
    """A channel held back, one kept here, one that was refused, messages of two kinds; gives the addresses."""
    settings.DEMO = True
    sms = save_account(
        clinic=clinic, channel="sms", provider_key="twilio", answers=TWILIO, by=SYSTEM, now=NOW
    ).account
    hook = save_account(
        clinic=clinic, channel="webhook", provider_key="webhook", by=SYSTEM, now=NOW,
        answers={"url": f"https://{'a-very-long-name.' * 8}example.com/patients/reminders/in?from=clinic"},
    ).account  # fmt: skip
    save_account(clinic=clinic, channel="telegram", provider_key="kept", answers={}, by=SYSTEM, now=NOW)
    ChannelHealth.objects.create(
        scope=account_scope(sms), clinic=clinic, failure_count=7, last_error_code="http-401",
        open_until=NOW + timedelta(minutes=7),
    )  # fmt: skip
    text = "Visit tomorrow, Tuesday 10 March, 15:00. https://clinic.example/c/abcdefghijklmnopqrstuvwxyz0123456789"
    bubble, mail = (
        KeptMessage.objects.create(
            clinic=clinic, channel=channel, from_header="Kalnina Clinic", to_header=to, subject="Your visit",
            text=text, kept_at=NOW, attachments=files, headers={"List-Unsubscribe": "<https://e.example/u>"},
        )
        for channel, to, files in (
            ("telegram", "4242424242", []),
            ("email", "anna@example.com", [["visit.ics", "text/calendar", "BEGIN:VCALENDAR"]]),
        )
    )  # fmt: skip
    client = ClientFactory(clinic=clinic)
    return [
        "/settings/channels/",
        "/settings/channels/new/?channel=whatsapp",
        "/settings/channels/new/?channel=whatsapp&provider=whatsapp",
        f"/settings/channels/{sms.code}/",
        f"/settings/channels/{sms.code}/?provider=sinch",
        f"/settings/channels/{hook.code}/",
        f"/clients/{client.code}/",
        "/demo/mailbox/",
        "/demo/mailbox/?channel=whatsapp",
        f"/demo/mailbox/{bubble.code}/",
        f"/demo/mailbox/{mail.code}/",
    ]


@pytest.mark.parametrize(
    ("size", "scheme", "language"), [(WIDE, "dark", "ru"), (PHONE, "light", "en")], ids=["wide", "phone"]
)
def test_pages_are_open_to_everybody_and_fit(open_browser, owner, pages, find_faults, size, scheme, language):
    owner.user.language = language
    owner.user.save()
    page = open_browser(owner, size=size, color_scheme=scheme)

    faults = {}
    for address in pages:
        page.set_viewport_size(size)
        assert page.goto(address).status == 200, address
        faults[address] = find_faults(page)
        for screen in (size, PHONE if size == WIDE else WIDE):
            page.set_viewport_size(screen)
            if (px := overflow(page)) > 0:
                faults[address].append(f"{px} px too wide for {screen['width']}")

    found = {address: list(dict.fromkeys(listed)) for address, listed in faults.items() if listed}
    assert json.dumps(found, indent=1) == "{}"


def test_channel_is_set_up_and_tested_without_script(open_browser, owner, settings):
    # Given an owner in a browser that runs no script
    settings.DEMO = True
    page = open_browser(owner, java_script_enabled=False)
    page.goto("/settings/rules/")

    # When SMS is set up by the menu, kept here, and tested
    page.get_by_role("navigation", name="Settings").get_by_role("link", name="Channels").click()
    page.locator("#channel-sms").get_by_role("link", name="Set up").click()
    page.get_by_role("link", name="Keep here, send nothing").click()
    page.get_by_role("button", name="Set up").click()
    expect(page.get_by_text("Saved. Now send a test message.")).to_be_visible()
    page.get_by_label("Telephone").fill("+371 20 000 001")
    page.get_by_role("button", name="Send the test").click()

    # Then the page says that it went, the mailbox shows it as a bubble, and the list that all is well
    expect(page.get_by_text("The test message was accepted.")).to_be_visible()
    page.goto("/demo/mailbox/?channel=sms")
    page.get_by_role("link", name="+37120000001").click()
    expect(page.locator(".bubble")).to_contain_text("Test message of Kalnina Clinic.")
    page.goto("/settings/channels/")
    expect(page.locator("#channel-sms .state")).to_have_text("On")


def test_wrong_answers_are_said_at_their_fields_without_script(open_browser, owner, watch):
    watch.expect(422)
    page = open_browser(owner, java_script_enabled=False)
    page.goto("/settings/channels/new/?channel=sms&provider=twilio")

    page.get_by_label("Account SID").fill("nonsense")
    page.get_by_label("Auth token").fill(TWILIO["auth_token"])
    page.get_by_role("button", name="Set up").click()

    expect(page.get_by_label("Account SID")).to_have_value("nonsense")
    expect(page.get_by_label("Auth token")).to_have_value("")
    expect(page.locator(".field-error")).to_have_count(2)
    expect(page.get_by_label("Sender's number")).to_have_attribute("aria-invalid", "true")
