"""An analyst looks at a month, then at another one, and takes the figures away."""

from playwright.sync_api import expect

from clinics.models import Role
from tests.e2e.conftest import add_member


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
