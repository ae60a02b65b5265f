"""Pausing, resuming, and taking a pause back."""

from datetime import date, timedelta

import pytest
from django.utils import translation

from audit.models import AuditEvent
from courses.errors import CourseError
from courses.models import Pause
from courses.services import is_pause_too_long, pause_course, reassess_due, remove_pause, resume_course
from tests.courses.build import MONDAY, actions, assert_in_line, at, march, open_kinds, refused, resolved
from tests.factories import book

pytestmark = pytest.mark.django_db


def pause(course, by, first=2, last=6, **options):
    return pause_course(
        course=course,
        from_on=march(first),
        to_on=march(last) if last else None,
        reason=options.pop("reason", "bruises"),
        by=by,
        now=options.pop("now", MONDAY),
        **options,
    )


def test_pause_is_written_and_the_status_follows(course, by):
    found = pause(course, by, note=" left arm ")

    assert Pause.objects.filter(pk=found.pk).values().get() == {
        "id": found.pk,
        "code": found.code,
        "clinic_id": course.clinic_id,
        "course_id": course.pk,
        "from_on": march(2),
        "to_on": march(6),
        "reason": "bruises",
        "note": "left arm",
        "created_at": MONDAY,
    }
    course.refresh_from_db()
    assert (course.status, course.state) == ("paused", "paused")
    assert actions(course) == ["course.prescribed", "course.paused"]
    assert_in_line(course, now=MONDAY)


def test_why_a_course_is_paused_stays_out_of_the_audit_trail(course, by):
    pause(course, by, reason="bleeding", note="after the operation")

    event = AuditEvent.objects.get(action="course.paused")
    assert (event.old, event.new) == ({}, {"from_on": "2026-03-02", "to_on": "2026-03-06"})


def test_status_goes_active_again_when_the_pause_is_over(course, by):
    pause(course, by)

    reassess_due(now=at(march(6), 23, 59))
    course.refresh_from_db()
    assert course.status == "paused"
    reassess_due(now=at(march(7), 0))

    course.refresh_from_db()
    assert (course.status, course.assessed_on) == ("active", march(7))
    assert_in_line(course, now=at(march(7), 0))


def test_booking_inside_a_new_pause_is_flagged(course, by):
    book(course, march(4), now=MONDAY)

    pause(course, by)

    assert open_kinds(course) == ["misbooked"]


def test_pause_resolves_what_it_forgives(course, by):
    now = at(march(9), 9)
    reassess_due(now=now)
    assert open_kinds(course) == ["overdue"]

    pause(course, by, first=2, last=None, now=now)

    assert ("overdue", "paused") in resolved(course)
    assert_in_line(course, now=now)


@pytest.mark.parametrize(
    ("first", "last", "reason", "code", "field"),
    [
        (march(3), march(2), "bruises", "range_upside_down", "to_on"),
        (march(3), date(9999, 12, 31), "bruises", "range_too_long", "to_on"),
        (date(9000, 1, 1), None, "bruises", "date_far_away", "from_on"),
        (march(3), march(4), "boredom", "unknown_reason", "reason"),
    ],
)
def test_impossible_pauses_are_refused(course, by, first, last, reason, code, field):
    with refused(code, field):
        pause_course(course=course, from_on=first, to_on=last, reason=reason, by=by, now=MONDAY)


@pytest.mark.parametrize(("first", "last"), [(1, 4), (6, 6), (3, 5), (1, 9), (6, None)])
def test_overlapping_pauses_are_refused(course, by, first, last):
    pause(course, by, first=4, last=6)

    with refused("pause_overlaps", "from_on"):
        pause(course, by, first=first, last=last)


def test_refused_overlap_says_since_when_as_people_write_it(course, by):
    pause(course, by, first=4, last=6)

    with pytest.raises(CourseError) as caught, translation.override("ru"):
        pause(course, by, first=6, last=9)

    said = str(caught.value.fields["from_on"])
    assert said == "Курс уже на паузе с ср, 4 мар. Измените ту паузу."


def test_pauses_may_touch(course, by):
    pause(course, by, first=4, last=6)
    pause(course, by, first=1, last=3)
    pause(course, by, first=7, last=None)

    assert list(course.pauses.values_list("from_on", "to_on")) == [
        (march(1), march(3)),
        (march(4), march(6)),
        (march(7), None),
    ]


def test_long_note_is_refused(course, by):
    with refused("text_too_long", "note"):
        pause(course, by, note="x" * 201)


def test_resuming_ends_an_open_pause_the_day_before(course, by):
    pause(course, by, last=None)
    now = at(march(5), 9)

    resume_course(course=course, on=march(5), by=by, now=now)

    assert course.pauses.get().to_on == march(4)
    course.refresh_from_db()
    assert course.status == "active"
    assert_in_line(course, now=now)


def test_resuming_on_the_first_day_removes_the_pause(course, by):
    pause(course, by, first=2)

    resume_course(course=course, on=march(2), by=by, now=MONDAY)

    assert list(course.pauses.all()) == []


def test_resuming_twice_is_refused(course, by):
    pause(course, by)
    resume_course(course=course, on=march(4), by=by, now=MONDAY)

    with refused("not_paused", "on"):
        resume_course(course=course, on=march(4), by=by, now=MONDAY)


def test_pause_is_taken_back_once(course, by):
    found = pause(course, by)

    remove_pause(pause=found, by=by, now=MONDAY)

    course.refresh_from_db()
    assert (course.status, list(course.pauses.all())) == ("active", [])
    again = Pause(pk=found.pk, course=course, clinic=course.clinic, from_on=march(2), to_on=march(6))
    with refused("pause_gone"):
        remove_pause(pause=again, by=by, now=MONDAY)


def test_pause_beyond_the_clinics_longest_asks_for_a_review(course, by):
    longest = course.clinic.longest_pause_days
    closed = pause(course, by, first=2, last=None)

    day = march(2) + timedelta(days=longest - 1)
    assert not is_pause_too_long(closed, now=at(day))
    assert is_pause_too_long(closed, now=at(day + timedelta(days=1)))
