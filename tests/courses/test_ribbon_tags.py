"""The ribbon in a page: small, harmless, in the reader's language, and read in a constant number of queries."""

import re
from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.utils import translation

from clinics.core import ClinicCalendar
from courses.core.assess import assess
from courses.core.ribbon import RibbonFacts, gather_ribbon
from courses.core.types import Cadence, PauseSpan, PhaseSpec, Prescription, SessionRecord
from courses.ribbon_words import facts_in_words, summary_of
from courses.ribbons import load_ribbons
from courses.services import discontinue_course
from courses.templatetags.ribbon import ribbon_large, ribbon_strip
from tests.factories import StaffMemberFactory, actor_of, book, prescribe

START = date(2026, 3, 2)
INTENSIVE = PhaseSpec("intensive", Cadence.of(1, 1, 2), 10, 15, None, None, 1, 14)
MAINTENANCE = PhaseSpec("maintenance", Cadence.of(1, 14, 14), None, None, None, 365, 3, 42)


def make_facts(*, reason: str = "bruises") -> RibbonFacts:
    """A year: an intensive phase, a pause, a late one, a missed one, and maintenance with bookings."""
    days = [*range(0, 16, 2), *range(22, 36, 2), *(36 + 14 * n for n in range(1, 14))]
    records = [SessionRecord(START + timedelta(day), "attended") for day in days]
    records += [
        SessionRecord(START + timedelta(16), "no_show"),
        SessionRecord(START + timedelta(17), "cancelled_by_clinic"),
        SessionRecord(START + timedelta(232), "booked"),
        SessionRecord(START + timedelta(246), "confirmed"),
    ]
    pauses = (PauseSpan(START + timedelta(18), START + timedelta(20), reason),)
    prescription, calendar = Prescription(START, (INTENSIVE, MAINTENANCE)), ClinicCalendar([7])
    today = START + timedelta(222)
    assessment = assess(prescription, records, pauses, (), calendar, 3, today=today)
    return gather_ribbon(prescription, records, pauses, calendar, assessment, today=today)


def test_strip_of_a_whole_year_is_below_two_kilobytes():
    with translation.override("ru"):
        strip = ribbon_strip(make_facts())

    assert 500 < len(strip.encode()) < 2048


def test_strip_says_its_summary():
    strip = ribbon_strip(make_facts())

    assert strip.startswith('<svg class="ribbon-strip"')
    assert "<title>28 sessions attended; 2 late; 1 missed; 2 booked; projected end" in strip


def test_large_ribbon_comes_in_three_widths_with_names_of_their_own():
    large = ribbon_large(make_facts(), "mine")

    assert re.findall(r'viewBox="0 0 (\d+) ', large) == ["1040", "680", "340"]
    assert re.findall(r'<title id="([a-z-]+)"', large) == [
        "mine-wide-title",
        "mine-middle-title",
        "mine-narrow-title",
    ]
    assert len(set(re.findall(r'id="([^"]+)"', large))) == 6


def test_ribbon_has_neither_styles_nor_scripts_nor_colours():
    svg = ribbon_large(make_facts()) + ribbon_strip(make_facts())

    assert "style" not in svg
    assert "fill=" not in svg
    assert "stroke=" not in svg
    assert "script" not in svg


def test_words_of_people_are_escaped():
    large = ribbon_large(make_facts(reason="<b>&"))

    assert "<b>" not in large
    assert "paused: &lt;b&gt;&amp;" in large


def test_text_alternative_says_every_fact_in_the_order_of_time():
    lines = facts_in_words(make_facts())

    assert lines[:3] == [
        "Mon 2 Mar: attended on time, session 1",
        "Mon 2 Mar: phase intensive begins",
        "Wed 4 Mar: attended on time, session 2",
    ]
    assert "Wed 18 Mar: did not come" in lines
    assert "Thu 19 Mar: cancelled by the clinic" in lines
    assert "Fri 20 Mar to Sun 22 Mar: paused: bruises" in lines
    assert "Mon 6 Apr: phase maintenance begins" in lines
    assert "Tue 20 Oct: booked, session 14" in lines
    assert "Tue 3 Nov: confirmed, session 15" in lines
    assert "Window of session 16: Tue 17 Nov" in lines
    assert lines[-1] == "Projected end Mon 5 Apr 2027"
    assert len(lines) == 28 + 4 + 1 + 2 + 3 + 1


@pytest.mark.parametrize(("language", "words"), [("en", "paused: bruises"), ("ru", "пауза: синяки")])
def test_ribbon_speaks_the_readers_language(language, words):
    with translation.override(language):
        assert words in ribbon_large(make_facts())


def test_summary_of_a_course_not_begun():
    prescription, calendar = Prescription(START, (INTENSIVE,)), ClinicCalendar([7])
    today = START - timedelta(3)
    assessment = assess(prescription, (), (), (), calendar, 3, today=today)

    facts = gather_ribbon(prescription, (), (), calendar, assessment, today=today)

    assert summary_of(facts) == (
        "0 sessions attended; next: Mon 2 Mar to Wed 4 Mar; projected end Fri 3 Apr, session 15"
    )


@pytest.mark.django_db
def test_ribbons_of_many_courses_cost_as_many_queries_as_of_one(django_assert_max_num_queries):
    now = datetime(2026, 3, 9, 8, tzinfo=UTC)
    member = StaffMemberFactory()
    courses = [prescribe(member=member) for _ in range(3)]
    for number, course in enumerate(courses):
        book(course, date(2026, 3, 10), time(10 + number), now=now)
    load_ribbons(courses, now=now)

    with django_assert_max_num_queries(11) as one:
        load_ribbons(courses[:1], now=now)
    with django_assert_max_num_queries(len(one.captured_queries)):
        ribbons = load_ribbons(courses, now=now)

    assert [ribbons[course.pk].marks[0].on for course in courses] == [date(2026, 3, 10)] * 3


@pytest.mark.django_db
def test_ribbon_of_a_stopped_course_ends_on_the_day_it_was_stopped():
    now = datetime(2026, 3, 9, 22, 30, tzinfo=UTC)  # the 10th in Riga
    member = StaffMemberFactory()
    course = prescribe(member=member)
    discontinue_course(course=course, reason="moved away", by=actor_of(member), now=now)

    facts = load_ribbons([course], now=now)[course.pk]

    assert (facts.end.on, facts.end.kind) == (date(2026, 3, 10), "stopped")
