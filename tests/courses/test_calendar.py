"""The clinic's calendar, and assessments by time: same transaction, same answer, same number of queries."""

from datetime import date, time, timedelta

import pytest

from audit.models import AuditEvent
from clinics.models import Absence, Clinic, Closure, OpeningHours
from courses.models import Course, Flag
from courses.services import (
    add_absence,
    add_closure,
    reassess,
    reassess_clinic,
    reassess_due,
    remove_absence,
    remove_closure,
    set_opening_hours,
)
from tests.courses.build import MONDAY, RIGA, assert_in_line, at, march, open_kinds, refused, resolved
from tests.factories import book, prescribe

pytestmark = pytest.mark.django_db


def test_closure_flags_the_bookings_on_it_and_going_resolves_them(course, by):
    book(course, march(3), now=MONDAY)

    closure = add_closure(clinic=course.clinic, from_on=march(3), to_on=march(3), by=by, now=MONDAY)
    assert open_kinds(course) == ["misbooked"]
    assert_in_line(course, now=MONDAY)
    gone = Closure.objects.get(pk=closure.pk)
    remove_closure(closure=closure, by=by, now=MONDAY)

    assert ("misbooked", "calendar") in resolved(course)
    assert Clinic.objects.get().calendar_version == 3
    assert list(
        AuditEvent.objects.filter(subject_kind="clinic").order_by("pk").values_list("action", flat=True)
    ) == [
        "clinic.closure_added",
        "clinic.closure_removed",
    ]
    with refused("closure_gone"):
        remove_closure(closure=gone, by=by, now=MONDAY)


def test_absence_entered_twice_is_on_record_once(member, by):
    days = {"from_on": march(3), "to_on": march(4)}
    add_absence(practitioner=member, **days, by=by, now=MONDAY)

    with refused("absence_exists", "from_on"):
        add_absence(practitioner=member, **days, by=by, now=MONDAY)
    add_absence(practitioner=member, from_on=march(3), to_on=march(5), by=by, now=MONDAY)

    assert list(Absence.objects.values_list("to_on", flat=True).order_by("to_on")) == [march(4), march(5)]


def test_absence_makes_plans_stale_and_can_be_taken_back(course, member, by):
    absence = add_absence(practitioner=member, from_on=march(3), to_on=march(4), by=by, now=MONDAY)
    gone = Absence.objects.get(pk=absence.pk)
    remove_absence(absence=absence, by=by, now=MONDAY)

    assert (Absence.objects.count(), Clinic.objects.get().calendar_version) == (0, 3)
    with refused("absence_gone"):
        remove_absence(absence=gone, by=by, now=MONDAY)


def test_impossible_ranges_are_refused(clinic, member, by):
    for first, last, code in (
        (march(3), march(2), "range_upside_down"),
        (march(3), date(2027, 3, 5), "range_too_long"),
    ):
        with refused(code, "to_on"):
            add_closure(clinic=clinic, from_on=first, to_on=last, by=by, now=MONDAY)
        with refused(code, "to_on"):
            add_absence(practitioner=member, from_on=first, to_on=last, by=by, now=MONDAY)
    with refused("text_too_long", "reason"):
        add_closure(clinic=clinic, from_on=march(3), to_on=march(3), by=by, now=MONDAY, reason="x" * 121)


def test_new_hours_replace_the_old_and_close_the_other_weekdays(course, by):
    book(course, march(7), now=MONDAY)
    weekdays = [(day, time(10), time(18)) for day in range(1, 6)]

    set_opening_hours(clinic=course.clinic, hours=weekdays, by=by, now=MONDAY)

    assert list(OpeningHours.objects.values_list("weekday", "opens_time", "closes_time")) == weekdays
    assert "misbooked" in open_kinds(course)
    assert_in_line(course, now=MONDAY)


@pytest.mark.parametrize(
    ("hours", "code"),
    [
        ([], "never_open"),
        ([(8, time(9), time(10))], "unknown_weekday"),
        ([(0, time(9), time(10))], "unknown_weekday"),
        ([(1, time(10), time(10))], "range_upside_down"),
        ([(1, time(9), time(12)), (1, time(11), time(13))], "hours_overlap"),
    ],
)
def test_impossible_hours_are_refused(clinic, by, hours, code):
    with refused(code, "hours"):
        set_opening_hours(clinic=clinic, hours=hours, by=by, now=MONDAY)


def test_time_alone_is_noticed_at_the_clinics_midnight(course):
    # Booked, so that no flag's days grow in between.
    book(course, march(4), now=MONDAY)
    course.refresh_from_db()
    assert course.next_check_on == march(5)
    midnight = at(march(5), 0)

    assert reassess_due(now=midnight - timedelta(seconds=1)) == 0
    assert reassess_due(now=midnight) == 1
    assert reassess_due(now=midnight) == 0
    assert_in_line(course, now=midnight)


@pytest.mark.parametrize("turn", [date(2026, 3, 29), date(2026, 10, 25)])
def test_midnight_holds_on_days_when_clocks_change(member, turn):
    course = prescribe(member=member, start_on=turn - timedelta(days=2), now=at(turn - timedelta(days=2)))
    days = [turn - timedelta(days=1)]
    for _ in range(3):
        reassess_due(now=at(days[-1], 0))
        course.refresh_from_db()
        assert course.assessed_on == days[-1]
        days.append(course.next_check_at.astimezone(RIGA).date())
        assert course.next_check_at == at(days[-1], 0)

    assert days == sorted(set(days))


def test_course_that_raises_is_put_off_and_blocks_nobody(course, member, monkeypatch, caplog):
    other = prescribe(member=member)
    now = at(march(5), 0)
    original = reassess

    def fails_for_one(*, course, now, reason="time"):
        if course.pk != other.pk:
            raise RuntimeError("broken")
        return original(course=course, now=now, reason=reason)

    monkeypatch.setattr("courses.services.assessing.reassess", fails_for_one)
    assert reassess_due(now=now) == 1

    course.refresh_from_db()
    assert course.next_check_at == now + timedelta(hours=1)
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert_in_line(other, now=now)


@pytest.mark.parametrize("count", [1, 3])
def test_reassessing_takes_the_same_queries_with_one_session_and_three(
    course, django_assert_num_queries, count
):
    for day in range(3, 3 + count):
        book(course, march(day), now=MONDAY)
    row = Course.objects.select_related("clinic").get(pk=course.pk)

    # Calendar twice, phases, ends, restarts, pauses, sessions, conditions; then the flags.
    with django_assert_num_queries(9):
        reassess(course=row, now=MONDAY)


def test_reassessing_a_clinic_takes_the_same_reads_for_one_course_and_three(
    member, django_assert_max_num_queries, monkeypatch
):
    monkeypatch.setattr("courses.services.calendar.course_changed.send", lambda **arguments: [])
    for _ in range(3):
        prescribe(member=member)

    # Eleven to find and read them all, one for each course's flags.
    with django_assert_max_num_queries(14):
        assert reassess_clinic(member.clinic, now=MONDAY) == 3


def test_reassessing_twice_changes_nothing(course):
    before = list(Flag.objects.values()), list(Course.objects.values())
    row = Course.objects.select_related("clinic").get(pk=course.pk)

    reassess(course=row, now=MONDAY)

    assert (list(Flag.objects.values()), list(Course.objects.values())) == before
