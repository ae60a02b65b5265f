"""Needs attention is worked like a call list: each finding is acted on in its place."""

import re
from datetime import date

import pytest
from playwright.sync_api import expect

from courses.models import CallOutcome, Flag, FlagCall, FlagKind
from courses.services import reassess
from tests.e2e.conftest import NOW


@pytest.fixture
def overdue(make_course):
    """Two courses that were due by Friday and are overdue on Monday, by their clients' family names."""
    courses = {"Berzina": make_course(), "Zaiceva": make_course("Olga", "Zaiceva", at=12)}
    for course in courses.values():
        reassess(course=course, now=NOW)
    return {
        name: Flag.objects.get(course=course, kind=FlagKind.OVERDUE, resolved_at=None)
        for name, course in courses.items()
    }


def row_of(page, flag):
    return page.locator(f"#flag-row-{flag.code}")


def test_call_is_recorded_in_place(open_browser, receptionist, overdue):
    # Given an overdue client on the list
    flag = overdue["Berzina"]
    page = open_browser(receptionist)
    page.goto("/attention/")
    row = row_of(page, flag)
    expect(row).to_contain_text("2 days overdue")

    # When reception saves the call without its outcome, then with it
    row.get_by_role("button", name="Call: Anna Berzina").click()
    row.get_by_label("Note").fill("Back on Thursday")
    row.get_by_role("button", name="Save the call").click()
    expect(row.locator("input[name=outcome]:invalid").first).to_be_attached()
    assert not FlagCall.objects.exists()
    row.get_by_text("Call later").click()
    row.get_by_label("Ask again on").fill("2026-03-12")
    row.get_by_role("button", name="Save the call").click()

    # Then the line says so where it stands, and the finding sleeps until that day
    expect(row.locator(".flag-history")).to_contain_text("Back on Thursday")
    expect(row).to_contain_text("Put off until")
    call = FlagCall.objects.get(flag=flag)
    assert (call.outcome, call.note, call.next_on) == (
        CallOutcome.CALL_LATER,
        "Back on Thursday",
        date(2026, 3, 12),
    )


def test_finding_is_acknowledged_and_put_off_and_found_again(open_browser, receptionist, overdue):
    flag = overdue["Berzina"]
    page = open_browser(receptionist)
    page.goto("/attention/")
    row = row_of(page, flag)

    row.locator("summary").click()
    row.get_by_role("button", name="Acknowledge").click()
    expect(row).to_contain_text("Acknowledged by Jana")
    row.locator("summary").click()
    row.get_by_role("link", name="Put off").click()
    row.get_by_label("Put off until").fill("2026-03-16")
    row.get_by_role("button", name="Put off").click()
    expect(row).to_contain_text("Put off until Mon 16 Mar")

    page.reload()
    expect(row_of(page, overdue["Zaiceva"])).to_be_visible()
    expect(row).to_have_count(0)
    page.get_by_role("combobox", name="Show").select_option(label="Put off")
    expect(row).to_be_visible()
    flag.refresh_from_db()
    assert (flag.acknowledged_by, flag.snoozed_until_on) == (receptionist, date(2026, 3, 16))


def test_filters_live_in_the_address_and_survive_a_reload(open_browser, receptionist, overdue):
    page = open_browser(receptionist)
    page.goto("/attention/")
    all_rows = page.locator("[id^=flag-row-]")
    count = Flag.objects.filter(resolved_at=None).count()
    expect(all_rows).to_have_count(count)

    page.get_by_role("combobox", name="Finding").select_option(label="Overdue")
    expect(all_rows).to_have_count(2)
    page.get_by_role("combobox", name="Severity").select_option(label="Warning")
    expect(page).to_have_url(re.compile("severity=warning&kind=overdue"))
    page.reload()

    expect(all_rows).to_have_count(2)
    expect(page.get_by_role("combobox", name="Finding")).to_have_value("overdue")
    expect(page.get_by_role("combobox", name="Severity")).to_have_value("warning")
    page.go_back()
    expect(page.get_by_role("combobox", name="Severity")).to_have_value("")
    expect(page.get_by_role("combobox", name="Finding")).to_have_value("overdue")


def test_keyboard_walks_the_list_and_opens_a_call(open_browser, receptionist, overdue):
    page = open_browser(receptionist)
    page.goto("/attention/?kind=overdue")
    first, second = (page.locator("[id^=flag-row-]").nth(number) for number in (0, 1))

    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(second.get_by_role("button", name="Call")).to_be_focused()
    page.keyboard.press("k")
    expect(first.get_by_role("button", name="Call")).to_be_focused()
    page.keyboard.press("Enter")

    expect(first.get_by_text("How did the call end?")).to_be_visible()
    expect(second.get_by_text("How did the call end?")).to_have_count(0)


def test_several_findings_are_selected_by_key_and_put_off_together(
    open_browser, receptionist, overdue, find_faults
):
    page = open_browser(receptionist)
    page.goto("/attention/?kind=overdue")

    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys of this list")).to_be_visible()
    assert find_faults(page) == []
    page.keyboard.press("Escape")
    for key in ("j", "x", "j", "x"):
        page.keyboard.press(key)
    expect(page.locator("[data-pick-count]")).to_have_text("selected: 2")
    expect(page.get_by_label("All on this page")).to_be_checked()
    page.get_by_role("textbox", name="Put off until").fill("2026-03-16")
    page.get_by_role("button", name="Put off until").click()

    expect(page.get_by_text("2 findings put off.")).to_be_visible()
    expect(page.locator("[id^=flag-row-]")).to_have_count(0)
    assert {flag.snoozed_until_on for flag in Flag.objects.filter(kind="overdue")} == {date(2026, 3, 16)}


def test_keyboard_goes_on_where_selected_findings_were(open_browser, receptionist, overdue):
    page = open_browser(receptionist)
    page.goto("/attention/?kind=overdue")

    page.keyboard.press("j")
    page.keyboard.press("x")
    page.get_by_role("button", name="Put off until").click()

    expect(page.get_by_text("1 finding put off.")).to_be_visible()
    expect(page.locator("[id^=flag-row-]").get_by_role("button", name="Call")).to_be_focused()
