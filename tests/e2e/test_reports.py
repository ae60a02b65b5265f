"""An analyst looks at a month, then at another one, and takes the figures away."""

from playwright.sync_api import expect

from clinics.models import Role
from tests.e2e.conftest import PHONE, add_member


def test_figures_follow_the_period_and_are_taken_away(open_browser, clinic, make_course):
    # Given a course of March
    make_course()
    page = open_browser(add_member(clinic, Role.ANALYST, "Eva"))
    page.goto("/")
    page.get_by_role("link", name="Reports").click()
    expect(page.get_by_text("2 of 2 sessions")).to_be_visible()

    # When the analyst looks at the month before
    page.get_by_role("link", name="Last month").click()

    # Then nothing had happened; a period typed shows the first day alone
    expect(page.get_by_role("heading", name="Nothing happened in this period")).to_be_visible()
    page.get_by_label("From day").fill("2026-03-02")
    page.get_by_label("To day").fill("2026-03-02")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("1 of 1 sessions")).to_be_visible()

    # And exactly that is sent as a file
    page.locator("summary", has_text="Export").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="These figures, CSV").click()
    assert download.value.suggested_filename == "figures-2026-03-02-2026-03-02.csv"


def test_report_is_looked_at_narrowed_and_taken_away(open_browser, clinic, make_course, find_faults, watch):
    # Given a course of March with sessions on the 2nd and 4th
    course = make_course()
    page = open_browser(add_member(clinic, Role.ANALYST, "Eva"))
    page.goto("/reports/?from_on=2026-03-01&to_on=2026-03-09")

    # When the analyst looks closer at adherence
    page.get_by_role("link", name="Adherence").click()

    # Then a chart stands beside the table that it is drawn from
    expect(page.get_by_role("heading", name="By month")).to_be_visible()
    expect(page.get_by_role("img", name="Sessions by month: the table has the same figures")).to_be_visible()
    row = page.locator("#table-months tbody tr")
    assert row.all_inner_texts() == ["March 2026\t2\t2\t0\t0\t100 %\t0\t–"]
    assert find_faults(page) == []

    # And of the practitioner who gave them it says the same, under an address of its own
    page.get_by_role("combobox", name="Practitioner").select_option(label=course.practitioner.display_name)
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("2 of 2 sessions with a window").first).to_be_visible()
    assert f"practitioner={course.practitioner.code}" in page.url

    # And the table is sent as it stands, the period and the filter kept, from a menu that a telephone shows whole
    page.set_viewport_size(PHONE)
    page.locator("summary", has_text="Export").click()
    menu = page.locator(".menu-items", has_text="By month, CSV").bounding_box()
    assert 0 <= menu["x"] <= menu["x"] + menu["width"] <= PHONE["width"]
    with page.expect_download() as download:
        page.get_by_role("link", name="By month, CSV").click()
    assert download.value.suggested_filename == "adherence-months-2026-03-01-2026-03-09.csv"

    # And the other reports are asked for the same days
    page.get_by_role("link", name="Retention").click()
    expect(page.locator("#table-steps tbody tr").first).to_contain_text("1 came")
    assert "from_on=2026-03-01" in page.url
