"""Search by keyboard: the slash opens it anywhere, arrows choose, Enter opens; it works without script too."""

from playwright.sync_api import expect

from tests.e2e.conftest import PHONE


def test_receptionist_finds_a_client_without_the_mouse(open_browser, receptionist, make_course, find_faults):
    course = make_course()
    make_course("Olga", "Berzina", at=12)
    page = open_browser(receptionist)
    page.goto("/attention/")
    # The way back puts a new body in place, in which the key still works.
    page.get_by_role("combobox", name="Severity").select_option(label="Warning")
    page.wait_for_url("**/attention/?*")
    page.go_back()
    expect(page.get_by_role("combobox", name="Severity")).to_have_value("")

    page.keyboard.press("/")
    page.keyboard.type("berz", delay=20)
    field = page.get_by_role("combobox", name="Search for a client")
    expect(page.locator("#search-list [role=option]")).to_have_count(4)
    expect(field).to_have_attribute("aria-activedescendant", "search-clients-1")
    assert find_faults(page) == []
    page.keyboard.press("ArrowUp")
    expect(field).to_have_attribute("aria-activedescendant", "search-courses-2")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    page.wait_for_url(f"**/clients/{course.client.code}/")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_telephone_without_script_finds_a_client(open_browser, receptionist, make_course):
    course = make_course()
    page = open_browser(receptionist, size=PHONE, java_script_enabled=False)
    page.goto("/")

    page.locator(".search-icon").click()
    page.get_by_role("combobox").fill("berz")
    page.get_by_role("button", name="Find").click()

    assert page.url.endswith("/search/")
    page.locator("#search-list [role=option]").first.click()
    assert page.url.endswith(f"/clients/{course.client.code}/")
