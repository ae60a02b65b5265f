"""Small help for templates: what a line may not break, and dates in the reader's order from one place."""

import re
from datetime import date

import pytest
from django.conf import settings
from django.utils import translation

from clinics.dates import reading_dates
from clinics.models import Role
from staff.templatetags.interface import day, full_day, unbroken
from tests.staff.test_today import words_of


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("every day", "every day"),
        ("10–15 sessions", '<span class="nowrap">10–15</span> sessions'),
        (
            "every 1–2 days, 30–60 minutes",
            'every <span class="nowrap">1–2</span> days, <span class="nowrap">30–60</span> minutes',
        ),
        ("Mon 9 Mar", "Mon 9 Mar"),
        (
            "Mon 9 Mar – Tue 10 Mar",
            '<span class="nowrap">Mon 9 Mar –</span> <span class="nowrap">Tue 10 Mar</span>',
        ),
        ("<b> – <i>", '<span class="nowrap">&lt;b&gt; –</span> <span class="nowrap">&lt;i&gt;</span>'),
        ("<b>1–2</b>", '&lt;b&gt;<span class="nowrap">1–2</span>&lt;/b&gt;'),
    ],
)
def test_unbroken(text, shown):
    assert unbroken(text) == shown


@pytest.mark.parametrize(
    ("language", "order", "shown"),
    [
        ("en", "", ("Mon 9 Mar", "Tue 9 Mar 2027", "Monday 9 March 2026")),
        ("en", "month-first", ("Mon, Mar 9", "Tue, Mar 9, 2027", "Monday, March 9, 2026")),
        ("en", "iso", ("Mon 2026-03-09", "Tue 2027-03-09", "Monday 2026-03-09")),
        ("ru", "", ("пн, 9 мар", "вт, 9 мар 2027", "понедельник, 9 марта 2026")),
        # In Russian nobody writes the month first.
        ("ru", "month-first", ("пн, 9 мар", "вт, 9 мар 2027", "понедельник, 9 марта 2026")),
        ("ru", "iso", ("пн 2026-03-09", "вт 2027-03-09", "понедельник 2026-03-09")),
    ],
)
def test_date_has_its_weekday_in_the_readers_order(language, order, shown):
    today = date(2026, 3, 9)

    with translation.override(language), reading_dates(order):
        words = (day(today, today), day(date(2027, 3, 9), today), full_day(today))

    assert words == shown


def test_short_may_takes_its_case_in_russian():
    with translation.override("ru"):
        assert day(date(2027, 5, 1), date(2027, 3, 9)) == "сб, 1 мая"


def test_order_is_chosen_in_the_profile_and_kept_by_every_page(browser_of, course):
    browser = browser_of(Role.RECEPTIONIST)
    assert "How dates are written Mon 9 Mar Mon, Mar 9 Mon 2026-03-09" in words_of(browser.get("/me/"))
    assert browser.post("/me/dates/", {"date_order": "month-first"}).status_code == 302

    pages = {
        address: words_of(browser.get(address)) for address in ("/calendar/", "/", f"/courses/{course.code}/")
    }

    assert "Calendar Mon, Mar 9 – Sun, Mar 15" in pages["/calendar/"]
    assert "Today Monday, March 9, 2026" in pages["/"]
    course_page = pages[f"/courses/{course.code}/"]
    assert "Wed, Mar 4" in course_page
    assert re.findall(r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d+ \w{3}", course_page) == []
    assert browser.post("/me/dates/", {"date_order": "sideways"}).status_code == 302
    assert "Today Monday 9 March 2026" in words_of(browser.get("/"))


def test_no_page_writes_a_date_of_its_own():
    root = settings.BASE_DIR
    templates = [
        path for face in ("staff", "components") for path in (root / "templates" / face).rglob("*.html")
    ]
    found = {
        (path.name, form)
        for path in templates
        for form in re.findall(r"""\|date:["']([^"']+)["']""", path.read_text(encoding="utf-8"))
    }
    # For machines: a field's value, an element's datetime. For people: seconds, beside a date of the one place.
    assert {form for _name, form in found} == {"Y-m-d", "c", "H:i:s"}

    sources = [path for app in ("staff", "courses") for path in (root / app).rglob("*.py")]
    own = [
        path.name for path in sources if re.search(r"strftime|dateformat", path.read_text(encoding="utf-8"))
    ]
    assert sorted(own) == ["interface.py", "ribbon_words.py"]
