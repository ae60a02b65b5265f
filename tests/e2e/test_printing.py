"""Today and a course on paper: A4, without menus and buttons, with everything that a page folds away."""

import re
from datetime import date, timedelta

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import NOW, TODAY
from tests.factories import book


@pytest.fixture
def course(make_course, room):
    """A course with more sessions ahead than its page shows at once."""
    course = make_course()
    for days in range(12):
        on = TODAY + timedelta(days=days)
        if on.isoweekday() < 7:
            book(course, on, NOW.time().replace(hour=11), now=NOW, room=room)
    return course


def paper(page):
    """Print a page; return how many sheets it takes and how large they are in points, then show it as printed."""
    sheets = page.pdf(prefer_css_page_size=True)
    page.emulate_media(media="print")
    sizes = set(re.findall(rb"/MediaBox ?\[0 0 ([\d.]+) ([\d.]+)\]", sheets))
    return len(re.findall(rb"/Type ?/Page\b", sheets)), [
        tuple(round(float(one)) for one in size) for size in sizes
    ]


def test_today_and_a_course_are_printed_on_paper(open_browser, receptionist, course):
    page = open_browser(receptionist, color_scheme="dark")

    # The day: one sheet of A4 with who comes, and nothing to press
    page.goto("/")
    expect(page.get_by_role("button", name="Print the day")).to_be_visible()
    assert paper(page) == (1, [(595, 842)])
    expect(page.get_by_text("Printed Mon 9 Mar")).to_be_visible()
    expect(page.get_by_text("Anna Berzina")).to_be_visible()
    expect(page.get_by_role("link", name="Calendar")).to_have_count(0)
    expect(page.get_by_role("button")).to_have_count(0)
    # Dark pages would be printed in light grey.
    assert page.locator("h1").evaluate("(one) => getComputedStyle(one).color") == "rgb(0, 0, 0)"

    # The course: its ribbon and every session, those that the screen folds away too
    page.emulate_media(media="null")
    page.goto(f"/courses/{course.code}/")
    last = page.get_by_role("row", name=re.compile("Fri 20 Mar, 11"))
    expect(last).to_be_hidden()
    sheets, sizes = paper(page)
    assert (sheets <= 2, sizes) == (True, [(595, 842)])
    expect(last).to_be_visible()
    expect(page.locator(".ribbon-chart:visible")).to_have_count(1)
    expect(page.get_by_role("button")).to_have_count(0)
    assert course.sessions.filter(on=date(2026, 3, 20)).exists()
