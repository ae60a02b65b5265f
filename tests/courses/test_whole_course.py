"""One course from its prescription to its end, every row checked at every step."""

from datetime import date

import pytest

from courses.models import Flag
from courses.services import (
    apply_plan,
    cancel_session,
    confirm_session,
    pause_course,
    propose_plan,
    reassess_due,
    record_arrival,
    record_attendance,
    record_no_show,
    resume_course,
    set_target,
)
from tests.courses.build import MONDAY, actions, assert_in_line, at, fresh_course, march, open_kinds
from tests.factories import intensive, prescribe

pytestmark = pytest.mark.django_db


def told(course):
    """Return day and status of every session, oldest first."""
    rows = course.sessions.order_by("on", "pk").values_list("on", "status")
    return [(on.day, status) for on, status in rows]


def replan(course, by, now):
    proposal = propose_plan(course=fresh_course(course), now=now)
    apply_plan(course=course, proposal=proposal, by=by, now=now)
    assert_in_line(course, now=now)


def test_course_from_prescription_to_completion(member, by):
    phases = [intensive(sessions_min=3, sessions_max=4)]
    course = prescribe(member=member, phases=phases)
    assert (course.status, course.state, open_kinds(course)) == ("active", "due", ["unbooked"])

    replan(course, by, MONDAY)
    assert told(course) == [(2, "booked"), (3, "booked"), (4, "booked"), (5, "booked")]
    assert open_kinds(course) == []

    first, second, *_rest = course.sessions.order_by("on")
    confirm_session(session=first, by=by, now=MONDAY)
    record_arrival(session=first, by=by, now=at(march(2), 9))
    record_attendance(session=first, by=by, now=at(march(2), 10), minutes=45, reaction="none")
    course.refresh_from_db()
    assert (course.attended_count, course.session_number, course.due_from_on, course.due_by_on) == (
        1,
        2,
        march(3),
        march(4),
    )

    record_no_show(session=second, by=by, now=at(march(3), 20))
    replan(course, by, at(march(3), 20))
    assert told(course)[:2] == [(2, "attended"), (3, "no_show")]
    assert len([status for _day, status in told(course) if status == "booked"]) == 3

    pause_course(course=course, from_on=march(4), to_on=None, reason="bruises", by=by, now=at(march(4), 8))
    course.refresh_from_db()
    assert (course.status, course.state, open_kinds(course)) == ("paused", "paused", ["misbooked"])
    for row in course.sessions.filter(status="booked"):
        cancel_session(session=row, whose="clinic", by=by, now=at(march(4), 8))
    assert open_kinds(course) == []

    resume_course(course=course, on=march(9), by=by, now=at(march(9), 8))
    course.refresh_from_db()
    assert (course.status, course.state, course.due_by_on) == ("active", "due", march(9))
    assert open_kinds(course) == ["unbooked"]

    replan(course, by, at(march(9), 8))
    booked = list(course.sessions.filter(status="booked").order_by("on"))
    assert len(booked) == 3
    for row in booked[:2]:
        record_attendance(session=row, by=by, now=at(row.on, 19))
    now = at(booked[1].on, 20)
    assert open_kinds(course) == ["decision_due"]

    reassess_due(now=at(date(2026, 3, 20), 9))
    assert open_kinds(course) == ["decision_due", "overdue", "unrecorded"]
    set_target(course=course, target=3, by=by, now=at(date(2026, 3, 20), 10))
    assert open_kinds(course) == ["unrecorded"]
    course.refresh_from_db()
    assert (course.status, course.state) == ("active", "finished")
    record_no_show(session=booked[2], by=by, now=at(date(2026, 3, 20), 11))

    course.refresh_from_db()
    assert (course.status, course.state, course.ended_at) == (
        "completed",
        "finished",
        at(date(2026, 3, 20), 11),
    )
    assert (course.attended_count, course.attendance_rate, course.next_check_at) == (3, 0.6, None)
    assert not Flag.objects.filter(course=course, resolved_at=None).exists()
    assert now < course.ended_at
    assert actions(course) == [
        "course.prescribed",
        "course.plan_applied",
        "course.session_confirmed",
        "course.session_arrived",
        "course.session_attended",
        "course.session_no_show",
        "course.plan_applied",
        "course.paused",
        "course.session_cancelled",
        "course.session_cancelled",
        "course.session_cancelled",
        "course.resumed",
        "course.plan_applied",
        "course.session_attended",
        "course.session_attended",
        "course.target_set",
        "course.session_no_show",
    ]
