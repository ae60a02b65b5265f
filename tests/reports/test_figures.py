"""The figures of each report, counted once more by a plain walk over the rows of a clinic with a random history."""

from collections import Counter
from datetime import date, timedelta
from statistics import median

import pytest

from clinics.models import OpeningHours
from courses.convert import assess_course
from courses.models import Course, Flag, FlagKind, TreatmentSession
from reports.catalogue import CATALOGUE
from reports.core import Fate, Share, week_of, weeks_ahead
from reports.selectors import Scope
from reports.selectors.adherence import VerdictTally, by_key, verdict_tallies
from reports.selectors.drift import drift_of
from reports.selectors.forecast import maintenance_forecast
from reports.selectors.load import practitioner_loads
from reports.selectors.missed import Outcomes, missed_by_hour
from reports.selectors.reminding import reminder_effect
from reports.selectors.retention import course_fates
from tests.reports.history import COUNTED, HISTORY, PERIOD, RIGA, TODAY

pytestmark = pytest.mark.django_db


def sessions_of(scope):
    """Return the sessions that a filter leaves, whatever their day, with their course."""
    rows = TreatmentSession.objects.filter(clinic=scope.clinic).select_related("course__protocol")
    return [row for row in rows if is_wanted(scope, row.course, row.practitioner_id)]


def courses_of(scope):
    rows = Course.objects.filter(clinic=scope.clinic).select_related("clinic", "client", "protocol")
    return [row for row in rows if is_wanted(scope, row, row.practitioner_id)]


def is_wanted(scope, course, practitioner_id):
    return (scope.protocol is None or course.protocol.slug == scope.protocol.slug) and (
        scope.practitioner is None or practitioner_id == scope.practitioner.pk
    )


def outcomes_of(scope):
    return [row for row in sessions_of(scope) if row.on in PERIOD and row.status in COUNTED]


def test_adherence_is_that_of_the_assessments(scope):
    expected = Counter()
    for course in Course.objects.filter(clinic=scope.clinic).select_related("clinic", "client", "protocol"):
        given = {row.on: row for row in course.sessions.filter(status="attended")}
        if not course.is_open:
            continue
        for gap in assess_course(course, today=TODAY).gaps:
            who = given[gap.on].practitioner_id
            if gap.on in PERIOD and is_wanted(scope, course, who):
                key = course.protocol_id, who, gap.on.replace(day=1)
                expected[*key, gap.verdict] += 1
                expected[*key, f"{gap.verdict}_days"] += gap.days

    found = Counter()
    for row in verdict_tallies(scope):
        for name in ("on_time", "early", "late", "early_days", "late_days"):
            found[row.protocol, row.practitioner, row.month, name] += getattr(row.tally, name)

    assert +found == +expected
    assert found.total() > 10


def test_tallies_of_a_key_are_added_up():
    rows = [
        ("a", VerdictTally(1, 2, 3, 4, 5)),
        ("b", VerdictTally(late=1)),
        ("a", VerdictTally(1, 1, 1, 1, 1)),
    ]

    assert by_key(rows) == {"a": VerdictTally(2, 3, 4, 5, 6), "b": VerdictTally(late=1)}
    assert by_key(rows)["a"].on_time_share == Share(2, 9)


def test_retention_follows_every_course_that_began(scope):
    expected = Counter()
    for course in courses_of(scope):
        if course.start_on in PERIOD:
            attended = course.attended_count
            is_gone = course.status == "discontinued" or (course.state == "lapsed" and course.is_open)
            expected[attended, is_gone] += 1

    found = course_fates(scope)

    assert Counter({(fate.sessions, fate.is_dropped): fate.count for fate in found}) == expected
    assert all(isinstance(fate, Fate) for fate in found)


def test_missed_sessions_lie_at_the_hours_of_the_clinics_clock(scope):
    expected = Counter()
    for row in outcomes_of(scope):
        if row.starts_at:
            local = row.starts_at.astimezone(RIGA)
            expected[(local.isoweekday(), local.hour), row.status] += 1

    found = missed_by_hour(scope)

    assert {
        (key, name): count
        for key, outcomes in found.items()
        for name in COUNTED
        if (count := getattr(outcomes, name))
    } == expected


def test_findings_are_timed_until_they_no_longer_hold(scope):
    began = [
        flag
        for flag in Flag.objects.filter(clinic=scope.clinic).select_related("course__protocol")
        if flag.opened_at.astimezone(RIGA).date() in PERIOD
        and is_wanted(scope, flag.course, flag.course.practitioner_id)
    ]

    found = drift_of(scope)

    assert (found.all.opened, found.all.still_open) == (len(began), sum(not f.resolved_at for f in began))
    for kind in FlagKind.values:
        of_kind = [flag for flag in began if flag.kind == kind]
        days = [
            (flag.resolved_at.astimezone(RIGA).date() - flag.opened_at.astimezone(RIGA).date()).days
            for flag in of_kind
            if flag.resolved_at
        ]
        tally = found.by_kind.get(kind)
        assert (tally is None) == (not of_kind)
        assert tally is None or (tally.resolved, tally.median_days) == (
            len(days),
            median(days) if days else None,
        )
    assert {key: tally.opened for key, tally in found.by_cause.items()} == Counter(
        (flag.kind, flag.cause) for flag in began
    )
    assert found.by_reason == Counter(flag.resolved_reason for flag in began if flag.resolved_at)


def test_effect_of_reminders_puts_each_session_in_one_group(scope):
    groups, sent, held = Counter(), Counter(), Counter()
    for row in outcomes_of(scope):
        if not row.starts_at:
            continue
        name = {"sent": "reminded", "held_out": "held_out"}.get(row.reminding, "not_reminded")
        groups["confirmed" if row.confirmed_at else name, row.status] += 1
        if row.reminding == "sent":
            sent[row.status] += 1
        elif row.reminding == "held_out":
            held[row.status] += 1

    found = reminder_effect(scope)

    assert {
        (name, status): count
        for name, outcomes in found.groups.items()
        for status in COUNTED
        if (count := getattr(outcomes, status))
    } == groups
    assert (found.reminded, found.held_out) == (Outcomes(**sent), Outcomes(**held))


def test_forecast_carries_every_course_forward(scope):
    weeks = weeks_ahead(TODAY, 6)
    booked, to_book, coming = Counter(), Counter(), Counter()
    for course in courses_of(scope):
        if not course.is_open or course.due_from_on is None:
            continue
        ahead = [row.on for row in course.sessions.filter(status="booked").order_by("on") if row.on >= TODAY]
        phases = list(course.revisions.last().phases.all())
        phase = phases[course.phase_position]
        if phase.kind == "maintenance":
            booked.update(week_of(on) for on in ahead if on <= weeks.to_on)
            on = max([TODAY, course.due_from_on, *(last + timedelta(days=14) for last in ahead[-1:])])
            while on <= min(weeks.to_on, course.projected_end_on):
                to_book[week_of(on)] += 1
                on += timedelta(days=14)
        else:
            beyond = [on for on in ahead if on > course.projected_end_on]
            booked.update(week_of(on) for on in beyond if on <= weeks.to_on)
            first = course.projected_end_on + timedelta(days=14)
            expected = [first + timedelta(days=14 * n) for n in range(7)]
            coming.update(week_of(on) for on in expected[len(beyond) :] if on <= weeks.to_on)

    found = maintenance_forecast(scope, weeks)

    assert (found.booked, found.to_book, found.coming) == (booked, to_book, coming)
    assert (booked + to_book + coming).total() > 0


def test_load_is_measured_against_every_minute_worked(scope):
    hours = {1: (9, 19), 2: (9, 19), 3: (9, 19), 4: (9, 19), 5: (9, 19), 6: (9, 19)}
    stored = {row.weekday: (row.opens_time.hour, row.closes_time.hour) for row in OpeningHours.objects.all()}
    assert stored == {day: span for day, span in hours.items() if day in stored}
    expected = {}
    for person in scope.clinic.staff_members.filter(display_name__in=["Anna", "Boris"]):
        if scope.practitioner and person != scope.practitioner:
            continue
        working = 0
        for n in range(PERIOD.day_count):
            on = PERIOD.from_on + timedelta(days=n)
            is_closed = date(2026, 4, 3) <= on <= date(2026, 4, 6) or on.isoweekday() not in stored
            if is_closed or (person.display_name == "Anna" and on <= date(2026, 3, 12)):
                continue
            opens, closes = stored[on.isoweekday()]
            if person.display_name == "Anna":
                working += 60 * (closes - opens)
            elif on.isoweekday() in (1, 3, 5):
                working += int(60 * (min(closes, 13.5) - max(opens, 8)))
        booked = attended = 0
        for row in sessions_of(scope):
            if row.on not in PERIOD or row.practitioner_id != person.pk:
                continue
            length = (row.ends_at - row.starts_at).seconds // 60 if row.starts_at else 0
            booked += length if row.status in ("booked", *COUNTED) else 0
            attended += (length or row.minutes) if row.status == "attended" else 0
        expected[person.pk] = (working, booked, attended)

    found = {
        load.practitioner.pk: (load.working, load.booked, load.attended) for load in practitioner_loads(scope)
    }

    assert found == expected


@pytest.mark.parametrize("slug", CATALOGUE)
def test_report_of_a_history_has_rows_as_wide_as_their_heads(slug, db):
    report = CATALOGUE[slug].build(Scope(HISTORY.cast(), PERIOD, TODAY))

    assert not report.is_empty
    assert all(len(row) == len(table.columns) for table in report.tables for row in table.rows)
    assert any(table.rows for table in report.tables)
    names = [table.name for table in report.tables]
    assert len(names) == len(set(names))
