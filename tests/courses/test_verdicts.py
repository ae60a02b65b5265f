"""Verdicts of attended sessions, kept in their rows: those of the assessment, and only written when they change."""

import pytest

from courses.models import Course, TreatmentSession
from courses.services import correct_session, discontinue_course, fill_verdicts, record_attendance
from courses.services.assessing import reassess
from tests.courses.build import MONDAY, at, fresh_course, march, stored_verdicts
from tests.factories import actor_of, attend, book, prescribe

pytestmark = pytest.mark.django_db


@pytest.fixture
def course():
    """Attended on 2 and 4 March, and on the 10th, three open days late: booked late or not at all."""
    course = prescribe(now=MONDAY)
    attend(course, [march(2), march(4), march(10)])
    return course


def test_verdicts_are_those_of_the_gaps(course):
    assert stored_verdicts(course) == [
        (march(2), "on_time", 0, ""),
        (march(4), "on_time", 0, ""),
        (march(10), "late", 3, "scheduling"),
    ]


def test_correction_of_history_corrects_the_verdicts_behind_it(course):
    second = course.sessions.get(on=march(4))

    correct_session(session=second, status="no_show", by=actor_of(course.prescribed_by), now=at(march(10)))

    assert stored_verdicts(course) == [(march(2), "on_time", 0, ""), (march(10), "late", 5, "client")]


def test_course_that_was_discontinued_is_kept_right_too(course):
    by = actor_of(course.prescribed_by)
    session = book(course, march(11), now=at(march(10)))
    discontinue_course(course=fresh_course(course), by=by, now=at(march(12)), reason="moved")
    session.refresh_from_db()

    record_attendance(session=session, by=by, now=at(march(12)))

    assert stored_verdicts(course)[-1] == (march(11), "on_time", 0, "")


def test_verdicts_that_stand_are_not_written_again(course):
    course = fresh_course(course)
    reassess(course=course, now=at(march(11)))
    TreatmentSession.objects.filter(course=course).update(verdict="early")

    reassess(course=course, now=at(march(11)))

    assert {verdict for _, verdict, _, _ in stored_verdicts(course)} == {"early"}


def test_rows_from_before_there_were_verdicts_are_filled_and_nothing_else_changes(course):
    expected = stored_verdicts(course)
    before = Course.objects.filter(pk=course.pk).values().get()
    TreatmentSession.objects.filter(course=course).update(verdict="", verdict_days=0, late_cause="")
    Course.objects.filter(pk=course.pk).update(verdict_digest="")

    fill_verdicts(fresh_course(course), now=at(march(20)))

    assert stored_verdicts(course) == expected
    assert Course.objects.filter(pk=course.pk).values().get() == before


def test_recording_writes_the_verdict_in_the_same_breath(course):
    session = book(course, march(12), now=at(march(10)))

    record_attendance(session=session, by=actor_of(course.prescribed_by), now=at(march(12), 19))

    assert stored_verdicts(course)[-1] == (march(12), "on_time", 0, "")
