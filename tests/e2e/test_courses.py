"""The course list is searched, filtered and taken out as a file of exactly what is shown."""

import csv
import io
import re

import openpyxl
import pytest
from playwright.sync_api import expect

from clinics.models import Role
from courses.models import Course
from courses.services import discontinue_course, reassess
from tests.e2e.conftest import NOW, add_member
from tests.factories import actor_of


@pytest.fixture
def owner(clinic):
    return add_member(clinic, Role.OWNER, "Ilze")


@pytest.fixture
def courses(make_course, prescriber):
    """Three running courses, one of which has only begun, and a stopped one."""
    made = [
        make_course(),
        make_course("Olga", "Zaiceva", at=12),
        make_course("=cmd()", "Bērziņa-Kalniņa", attended=(), at=14),
        make_course("Inga", "Berzina", attended=(2,), at=15),
    ]
    discontinue_course(course=made[3], by=actor_of(prescriber), now=NOW, reason="Moved away")
    for course in made[:3]:
        reassess(course=course, now=NOW)
    return made


def shown_codes(page):
    links = page.locator("#courses tbody th a").all()
    return [link.get_attribute("href").split("/")[2] for link in links]


def taken_out(page, label):
    page.get_by_text("Export", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("link", name=label).click()
    return download.value


def test_search_and_filters_narrow_the_list_and_stay_in_the_address(open_browser, owner, courses):
    page = open_browser(owner)
    page.goto("/courses/")
    rows = page.locator("#courses tbody tr")
    expect(rows).to_have_count(3)

    page.get_by_role("searchbox", name="Client").press_sequentially("berz", delay=20)
    expect(rows).to_have_count(1)
    page.get_by_label("State").select_option(label="All")
    expect(rows).to_have_count(2)
    page.reload()

    expect(rows).to_have_count(2)
    expect(page.get_by_role("searchbox", name="Client")).to_have_value("berz")
    assert set(shown_codes(page)) == {str(courses[0].code), str(courses[3].code)}


@pytest.mark.parametrize(
    ("address", "text"), [("/courses/", ""), ("/courses/?show=all&order=-client", ""), ("/courses/", "zaic")]
)
def test_files_hold_exactly_what_is_shown(open_browser, owner, courses, address, text):
    page = open_browser(owner)
    page.goto(address)
    if text:
        page.get_by_role("searchbox", name="Client").fill(text)
        expect(page.locator("#courses tbody tr")).to_have_count(1)
        expect(page).to_have_url(re.compile("search="))
        assert text not in page.url
    shown = shown_codes(page)
    assert shown != []

    as_csv = taken_out(page, "CSV")
    as_xlsx = taken_out(page, "Excel (XLSX)")

    table = list(csv.reader(io.StringIO(as_csv.path().read_bytes().decode("utf-8-sig"))))
    sheet = openpyxl.load_workbook(io.BytesIO(as_xlsx.path().read_bytes())).active
    cells = [list(row) for row in sheet.iter_rows(values_only=True)]
    assert (as_csv.suggested_filename, as_xlsx.suggested_filename) == (
        "courses-2026-03-09.csv",
        "courses-2026-03-09.xlsx",
    )
    assert [row[0] for row in table[1:]] == [row[0] for row in cells[1:]] == shown
    assert table[0] == cells[0]
    by_code = {str(course.code): course for course in Course.objects.select_related("client")}
    given, family, attended = map(table[0].index, ("Given name", "Family name", "Attended"))
    for line, row in zip(table[1:], cells[1:], strict=True):
        course = by_code[line[0]]
        assert line[family] == row[family] == course.client.family_name
        assert int(line[attended]) == row[attended] == course.attended_count
        # A name that looks like a formula stays a text in both.
        assert line[given].lstrip("'") == course.client.given_name
        assert row[given] == course.client.given_name


def test_menu_beside_a_search_stays_open(open_browser, owner, courses):
    page = open_browser(owner)
    page.goto("/courses/")
    page.get_by_role("searchbox", name="Client").fill("zaic")
    expect(page).to_have_url(re.compile("search="))

    # To leave the field is no change of what is searched for.
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_text("Export", exact=True).click()
    page.wait_for_timeout(500)

    assert asked == []
    expect(page.get_by_role("link", name="CSV")).to_be_visible()


def test_sorting_follows_a_click_and_says_so(open_browser, owner, courses):
    page = open_browser(owner)
    page.goto("/courses/")
    expect(page.locator("#courses tbody tr")).to_have_count(3)

    page.get_by_role("columnheader", name="Client").get_by_role("link").click()
    expect(page.locator("th[aria-sort=ascending]")).to_have_text("Client")
    rising = shown_codes(page)
    page.get_by_role("columnheader", name="Client").get_by_role("link").click()

    expect(page.locator("th[aria-sort=descending]")).to_have_text("Client")
    assert shown_codes(page) == rising[::-1]


def test_filters_are_saved_as_a_view_and_chosen_again(open_browser, owner, courses, find_faults):
    page = open_browser(owner)
    page.goto("/courses/")

    page.get_by_label("State").select_option(label="All")
    page.get_by_text("Save this view").click()
    page.get_by_label("Name of the view").fill("Everything")
    assert find_faults(page) == []
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_role("link", name="Everything")).to_have_attribute("aria-current", "true")
    page.goto("/courses/")
    expect(page.locator("#courses tbody tr")).to_have_count(3)
    page.get_by_role("link", name="Everything").click()
    expect(page.locator("#courses tbody tr")).to_have_count(4)
