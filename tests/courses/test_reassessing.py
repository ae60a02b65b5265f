"""Every running course assessed again: what differs is found and mended, what does not is left alone."""

from concurrent.futures import Future
from dataclasses import replace
from datetime import date, timedelta
from io import StringIO
from unittest.mock import Mock

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from courses import convert
from courses.management import fan_out
from courses.models import Course, CourseStatus, Flag, TreatmentSession
from courses.services import (
    discontinue_course,
    pause_course,
    reassess,
    record_contraindication,
    restart_course,
)
from courses.services.reassessing import RUNNING, Reassessed, find_differing, reassess_running
from courses.signals import course_changed
from tests.courses.build import MONDAY, all_rows, assert_in_line, at, march
from tests.factories import attend, prescribe

pytestmark = pytest.mark.django_db

FOREVER = 10**12


@pytest.fixture
def announced():
    """The courses that were announced as changed."""
    heard = []

    def hear(*, course_id, **_):
        heard.append(course_id)

    course_changed.connect(hear)
    yield heard
    course_changed.disconnect(hear)


def run(now=MONDAY, **options):
    return list(reassess_running(first=0, last=FOREVER, now=now, **options))


def everything():
    return Course.objects.filter(status__in=RUNNING)


def test_answers_that_hold_are_left_alone(course, announced):
    before = all_rows()

    assert run() == [Reassessed(1, 0)]
    assert all_rows() == before
    assert announced == []


def test_a_later_day_brings_what_the_tick_would(course, announced):
    now = at(march(10))

    assert run(now) == [Reassessed(1, 1)]

    assert_in_line(course, now=now)
    assert announced == [course.pk]
    assert run(now) == [Reassessed(1, 0)]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("state", "lapsed"),
        ("due_by_on", march(30)),
        ("slippage_days", 99),
        ("attended_count", 7),
        ("on_time_rate", 0.5),
        ("next_check_at", None),
        ("status", "paused"),
    ],
)
def test_wrong_column_is_found_and_mended(course, column, value):
    Course.objects.filter(pk=course.pk).update(**{column: value})

    assert run() == [Reassessed(1, 1)]
    assert_in_line(course, now=MONDAY)
    assert run() == [Reassessed(1, 0)]


@pytest.mark.parametrize(
    "change",
    [
        {"days": 99},
        {"severity": "notice"},
        {"evidence": {"limit": 99}},
        {"since_on": march(1)},
        {"cause": "clinic"},
    ],
)
def test_wrong_flag_is_found_and_mended(course, change):
    reassess(course=course, now=at(march(10)))
    flag = Flag.objects.get(course=course, kind="overdue", resolved_at=None)
    Flag.objects.filter(pk=flag.pk).update(**change)

    assert run(at(march(10))) == [Reassessed(1, 1)]
    flag.refresh_from_db()
    assert flag.days != 99
    assert_in_line(course, now=at(march(10)))


def test_missing_and_needless_flags_are_found(course):
    flag = Flag.objects.get(course=course, kind="unbooked")
    flag.delete()
    assert run() == [Reassessed(1, 1)]

    Flag.objects.filter(course=course).update(kind="misbooked")
    assert run() == [Reassessed(1, 1)]
    assert_in_line(course, now=MONDAY)


def test_dry_run_finds_and_writes_nothing(course):
    Course.objects.filter(pk=course.pk).update(state="lapsed")
    before = all_rows()

    assert run(is_dry=True) == [Reassessed(1, 1)]
    assert all_rows() == before


def test_courses_that_are_over_and_of_other_clinics_are_left(course, by, foreign_member):
    other = prescribe(member=foreign_member)
    over = prescribe(member=course.prescribed_by)
    discontinue_course(course=over, by=by, now=MONDAY, reason="moved away")
    Course.objects.update(slippage_days=99)

    assert run(clinic=course.clinic) == [Reassessed(1, 1)]
    kept = Course.objects.filter(slippage_days=99).order_by("pk")
    assert list(kept) == [other, over]


@pytest.mark.slow
def test_facts_in_bulk_are_those_of_one_by_one(course, by):
    attend(course, [march(2), march(3), march(5)])
    session = TreatmentSession.objects.filter(course=course).first()
    TreatmentSession.objects.filter(pk=session.pk).update(treatments=["massage", "exercise_therapy"])
    pause_course(course=course, from_on=march(10), to_on=march(12), reason="travel", by=by, now=at(march(6)))
    restart_course(course=course, on=march(13), by=by, now=at(march(13)), reason="after a break")
    record_contraindication(
        client=course.client,
        condition="influenza",
        from_on=march(14),
        to_on=march(15),
        by=by,
        now=at(march(13)),
    )
    other = prescribe(member=course.prescribed_by, client=course.client, start_on=date(2026, 3, 4))

    rows = list(everything().select_related("clinic").order_by("pk"))
    one_by_one = convert.load_facts(rows)
    keys = list(map(convert.course_key, rows))
    calendars = convert.load_calendars([course.clinic])
    leads = {course.clinic_id: course.clinic.booking_lead_days}
    bulk = convert.load_facts_by_key(keys, calendars, leads, within=everything())

    def in_order(facts):
        return replace(
            facts,
            sessions=tuple(sorted(facts.sessions, key=str)),
            practice=tuple(sorted(facts.practice, key=str)),
        )

    assert [row.pk for row in rows] == [course.pk, other.pk]
    assert one_by_one[course.pk].practice[0].treatments == ("massage", "exercise_therapy")
    assert one_by_one[course.pk].contraindications
    assert {pk: in_order(facts) for pk, facts in bulk.items()} == {
        pk: in_order(facts) for pk, facts in one_by_one.items()
    }


@pytest.mark.slow
def test_many_courses_take_no_more_queries_than_one(course):
    def count():
        with CaptureQueriesContext(connection) as queries:
            assert find_differing(everything(), now=MONDAY) == []
        return len(queries)

    one = count()
    prescribe(member=course.prescribed_by)
    prescribe(member=course.prescribed_by)

    assert count() == one <= 13


def test_course_that_ended_meanwhile_is_left_to_its_verb(course, by, monkeypatch):
    Course.objects.filter(pk=course.pk).update(state="lapsed")
    found = find_differing(everything(), now=MONDAY)

    def find_then_end(courses, *, now):
        discontinue_course(course=course, by=by, now=now, reason="moved away")
        return found

    monkeypatch.setattr("courses.services.reassessing.find_differing", find_then_end)
    run()

    course.refresh_from_db()
    assert course.status == CourseStatus.DISCONTINUED
    assert not Flag.objects.filter(course=course, resolved_at=None).exists()


# ---------------------------------------------------------------- the command


def told(*arguments):
    said = StringIO()
    call_command("reassess", *arguments, stdout=said)
    return said.getvalue().splitlines()


def test_command_checks_then_writes(course, monkeypatch):
    monkeypatch.setattr("courses.management.commands.reassess.keep_garbage", lambda: None)
    Course.objects.filter(pk=course.pk).update(slippage_days=99)

    assert told("--all", "--check") == ["1 courses assessed, 1 differ."]
    assert told("--clinic", str(course.clinic.code)) == ["1 courses assessed, 1 written."]
    assert told("--all", "--check") == ["1 courses assessed, 0 differ."]


def test_command_refuses_what_makes_no_sense(course):
    with pytest.raises(CommandError, match="--workers must lie from 1 to 32"):
        told("--all", "--workers", "0")
    with pytest.raises(CommandError, match="no clinic has this code"):
        told("--clinic", str(course.code))
    with pytest.raises(CommandError, match="one of the arguments --all --clinic is required"):
        told()


class Pool:
    """In the place of processes: each piece of work is done at once, and counted."""

    done: list = []

    def __init__(self, workers, **options):
        assert workers == 2

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def submit(self, work, first, last, **options):
        self.done.append((first, last))
        future = Future()
        future.set_result(work(first, last, **options))
        return future


def test_work_is_shared_out_in_ranges_that_leave_nobody_out(course, monkeypatch):
    others = [prescribe(member=course.prescribed_by, start_on=march(2) + timedelta(days=n)) for n in range(2)]
    ids = sorted([course.pk, *(other.pk for other in others)])
    monkeypatch.setattr(fan_out, "_RANGE", 2)
    monkeypatch.setattr(fan_out, "ProcessPoolExecutor", Pool)
    monkeypatch.setattr(fan_out, "connections", Mock())
    Pool.done = []

    parts = list(fan_out.reassess_all(now=MONDAY, workers=2, clinic=course.clinic))

    assert Pool.done == [(ids[0], ids[1]), (ids[2], ids[2])]
    assert sorted(part.assessed for part in parts) == [1, 2]
