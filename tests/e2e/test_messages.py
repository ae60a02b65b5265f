"""Messages and their rules in a browser: what reception and owners do about them, with script and without."""

import re

import pytest
from playwright.sync_api import expect

from clients.models import ContactPoint
from clinics.models import Role
from reminders.models import Reminder, ReminderRule
from reminders.services import seed_rules
from tests.e2e.conftest import NOW, PHONE, TODAY, add_member
from tests.factories import book


@pytest.fixture
def owner(clinic):
    seed_rules(clinic=clinic, now=NOW)
    return add_member(clinic, Role.OWNER, "Ilze")


@pytest.fixture
def row(make_course):
    """The notice of a booking made at this moment."""
    course = make_course()
    book(course, TODAY, NOW.time().replace(hour=14), now=NOW)
    return Reminder.objects.get(course=course, trigger="schedule", state="due")


def state_of(row):
    return Reminder.objects.values_list("state", "decision_reason").get(pk=row.pk)


def test_coming_message_is_found_read_and_stopped(open_browser, receptionist, row):
    # Given a message that goes out in a few minutes
    page = open_browser(receptionist)
    page.goto("/messages/")

    # When reception looks for its client and opens it
    page.get_by_label("Client", exact=True).fill("berzina")
    expect(page).to_have_url(re.compile("search="))
    assert "berzina" not in page.url
    page.locator("#id_to_on").fill("2027-01-01")
    expect(page).to_have_url(re.compile("to_on=2027-01-01"))
    page.get_by_label("Channel").select_option(label="E-mail")
    expect(page).to_have_url(re.compile("channel=email"))
    page.get_by_role("link", name="Schedule").first.click()
    expect(page.get_by_text("As it will read")).to_be_visible()

    # Then it says when it goes, and it can be kept from going, in place
    expect(page.get_by_text("It goes out Mon 9 Mar, 10:03.")).to_be_visible()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Do not send").click()
    expect(page.get_by_text("Not sent: a member of staff stopped it.")).to_be_visible()
    expect(page.get_by_role("button", name="Do not send")).to_have_count(0)
    assert state_of(row) == ("suppressed", "stopped")


def test_uncertain_message_is_settled_from_the_list_of_what_waits(open_browser, receptionist, row):
    # Given a message of which nobody knows whether it arrived
    values = {"state": "uncertain", "decision_reason": "lost_in_flight", "decided_at": NOW}
    Reminder.objects.filter(pk=row.pk).update(**values)
    page = open_browser(receptionist, size=PHONE)
    page.goto("/messages/")

    # When reception goes to what needs a person and says that it arrived
    page.get_by_role("link", name="Needs a person").click()
    expect(page).to_have_url(re.compile("show=waiting"))
    page.get_by_role("link", name="Schedule").click()
    page.get_by_role("button", name="It arrived").click()

    # Then it counts as sent and waits no longer
    expect(page.get_by_text("Recorded as arrived")).to_be_visible()
    assert state_of(row) == ("sent", "")
    page.goto("/messages/?show=waiting")
    expect(page.get_by_role("heading", name="Nothing waits for you")).to_be_visible()


def test_words_of_a_rule_are_seen_while_they_are_typed(open_browser, owner, clinic):
    # Given the reminder of the day before
    rule = ReminderRule.objects.get(clinic=clinic, slug="day-before")
    page = open_browser(owner)
    page.goto(f"/settings/rules/{rule.code}/")
    preview = page.locator("#rule-preview")

    # When the owner writes another subject and puts a placeholder into it
    page.get_by_label("Subject").first.fill("See you at ")
    page.get_by_text("What a text may name").first.click()
    page.locator("[data-insert='{time}']").click()

    # Then the preview says it with a value, in the language that is looked at
    expect(page.get_by_label("Subject").first).to_have_value("See you at {time}")
    expect(preview).to_contain_text("See you at 15:00")
    page.locator("label", has_text="Russian").click()
    expect(preview).not_to_contain_text("See you at 15:00")

    # And a wrong placeholder is named and not saved, a right one is
    page.locator("label", has_text="English").click()
    page.get_by_label("Subject").first.fill("See you at {hour}")
    expect(preview).to_contain_text("There is no placeholder {hour}.")
    page.get_by_label("Subject").first.fill("See you at {time}")
    page.get_by_role("button", name="Save the rule").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    rule.refresh_from_db()
    assert (rule.texts, rule.version) == ({"en": {"subject": "See you at {time}"}}, 2)


def test_rule_is_previewed_and_saved_without_script(open_browser, owner, clinic):
    # Given a browser without script
    rule = ReminderRule.objects.get(clinic=clinic, slug="overdue")
    page = open_browser(owner, java_script_enabled=False)
    page.goto(f"/settings/rules/{rule.code}/")

    # When the owner changes words and looks at the short form
    page.get_by_label("SMS and messengers").first.fill("{name}, please call us.")
    page.locator("#rule-preview label", has_text="SMS").click()
    page.get_by_role("button", name="Preview").last.click()

    # Then the page shows it, keeps what was typed, and saves it
    expect(page.locator("#rule-preview")).to_contain_text("Anna, please call us.")
    page.get_by_role("button", name="Save the rule").click()
    rule.refresh_from_db()
    assert rule.texts == {"en": {"short": "{name}, please call us."}}


def test_rule_is_paused_and_restored_from_its_versions(open_browser, owner, row):
    # Given a rule under which a message waits
    page = open_browser(owner)
    page.goto(f"/settings/rules/{row.rule.code}/")

    # When the owner pauses it
    page.get_by_role("button", name="Pause: 1 message stays behind").click()

    # Then it says what that held, and it can be resumed
    expect(page.get_by_text("The rule is paused: 1 message that waits does not go out.")).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("button", name=re.compile("^Pause"))).to_be_visible()
    expect(page.locator(".version-list li")).to_have_count(3)


def test_address_that_works_again_is_used_again(open_browser, receptionist, row):
    # Given a client whose address was taken out of use
    ContactPoint.objects.update(disabled_at=NOW, disabled_reason="smtp-550")
    page = open_browser(receptionist)
    page.goto("/messages/?show=waiting")

    # When reception follows it to the client and says that it works
    page.get_by_role("link", name="Mend it").click()
    expect(page.get_by_text("As things stand it will not go out").first).to_be_visible()
    page.get_by_role("button", name="Works again").click()

    # Then messages go there again
    expect(page.get_by_text("The address is used again.")).to_be_visible()
    expect(page.get_by_text("As things stand it will not go out")).to_have_count(0)
    assert ContactPoint.objects.get().disabled_at is None


def test_settings_are_found_on_a_phone_and_the_summary_is_asked_for(open_browser, owner):
    # Given the owner's telephone, whose lower bar has no room for settings
    page = open_browser(owner, size=PHONE)
    page.goto("/")

    # When they open their own menu
    page.locator(".topbar summary").click()
    page.locator(".topbar").get_by_role("link", name="Settings").click()

    # Then the settings open, and the profile takes the wish for the morning summary
    expect(page.get_by_role("heading", name="Clinic", level=1)).to_be_visible()
    page.goto("/me/")
    page.get_by_label("Send me the morning summary by e-mail").check()
    page.get_by_role("button", name="Save the wish").click()
    expect(page.get_by_text("The morning summary comes by e-mail.")).to_be_visible()
    owner.refresh_from_db()
    assert owner.gets_digest is True
