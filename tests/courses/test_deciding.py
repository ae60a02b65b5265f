"""Deciding on targets, ending phases, restarting and stopping."""

from datetime import UTC, date, datetime

import pytest

from courses.models import Course, Phase, PhaseEnd, PrescriptionRevision
from courses.services import (
    correct_session,
    discontinue_course,
    end_phase,
    reassess_due,
    record_walk_in,
    restart_course,
    set_target,
)
from tests.courses.build import MONDAY, actions, assert_in_line, at, march, open_kinds, refused, resolved
from tests.factories import book, intensive, maintenance, prescribe

pytestmark = pytest.mark.django_db


def attend(course, by, *days, now=None):
    for day in days:
        record_walk_in(course=course, on=march(day), by=by, now=now or at(march(day), 12))


def test_target_resolves_the_decision_and_can_be_opened_again(member, by):
    course = prescribe(member=member, phases=[intensive(sessions_min=2, sessions_max=4)])
    attend(course, by, 2, 3)
    now = at(march(3), 13)
    assert open_kinds(course) == ["decision_due", "unbooked"]

    set_target(course=course, target=3, by=by, now=now)

    assert ("decision_due", "decided") in resolved(course)
    assert Phase.objects.filter(revision__course=course).order_by("pk").last().target == 3
    set_target(course=course, target=None, by=by, now=now)
    assert open_kinds(course) == ["decision_due", "unbooked"]
    assert_in_line(course, now=now)


def test_target_at_what_is_attended_completes_the_course(member, by):
    course = prescribe(member=member, phases=[intensive(sessions_min=2, sessions_max=4)])
    attend(course, by, 2, 3)

    set_target(course=course, target=2, by=by, now=at(march(3), 13))

    course.refresh_from_db()
    assert (course.status, open_kinds(course)) == ("completed", [])
    with refused("course_not_open"):
        set_target(course=course, target=3, by=by, now=at(march(3), 13))


def test_targets_out_of_reach_are_refused(member, by, receptionist):
    course = prescribe(member=member, phases=[intensive(sessions_min=2, sessions_max=4), maintenance()])
    attend(course, by, 2, 3, 4)
    now = at(march(4), 13)

    for target, code in (
        (1, "target_out_of_range"),
        (5, "target_out_of_range"),
        (2, "target_below_attended"),
    ):
        with refused(code, "target"):
            set_target(course=course, target=target, by=by, now=now)
    with refused("prescriber_required"):
        set_target(course=course, target=3, by=receptionist, now=now)
    set_target(course=course, target=3, by=by, now=now)
    with refused("no_range", "target"):
        set_target(course=course, target=3, by=by, now=now)


def test_phase_is_ended_from_its_least_number_on(member, by):
    course = prescribe(member=member, phases=[intensive(sessions_min=2, sessions_max=4), maintenance()])
    attend(course, by, 2)
    now = at(march(3), 13)

    with refused("phase_too_short", "on"):
        end_phase(course=course, on=march(3), by=by, now=now)
    attend(course, by, 3)
    for day, code in ((2, "date_before_session"), (4, "date_future")):
        with refused(code, "on"):
            end_phase(course=course, on=march(day), by=by, now=now)
    end_phase(course=course, on=march(3), by=by, now=now, reason=" enough ")

    assert list(PhaseEnd.objects.values_list("phase_position", "ended_on", "reason")) == [
        (0, march(3), "enough")
    ]
    course.refresh_from_db()
    assert (course.phase_position, course.session_number, course.due_from_on) == (1, 1, march(17))
    assert_in_line(course, now=now)


def test_phase_cannot_end_before_it_began(member, by):
    course = prescribe(
        member=member, phases=[intensive(sessions_min=1, sessions_max=1), maintenance(), maintenance()]
    )
    attend(course, by, 4)
    now = at(march(6), 9)

    with refused("date_before_session", "on"):
        end_phase(course=course, on=march(3), by=by, now=now)
    end_phase(course=course, on=march(4), by=by, now=now)

    course.refresh_from_db()
    assert course.phase_position == 2


def test_end_that_came_to_nothing_gives_way_to_a_new_one(member, by):
    course = prescribe(
        member=member, phases=[intensive(sessions_min=1, sessions_max=2), maintenance(), maintenance()]
    )
    attend(course, by, 2, 3)
    end_phase(course=course, on=march(3), by=by, now=at(march(3), 13))
    # The second session never was: on the day of that end the first phase still ran.
    correct_session(session=course.sessions.get(on=march(3)), status="no_show", by=by, now=at(march(4), 9))
    course.refresh_from_db()
    assert course.phase_position == 0
    attend(course, by, 4)

    end_phase(course=course, on=march(5), by=by, now=at(march(5), 9))

    assert list(PhaseEnd.objects.values_list("phase_position", "ended_on")) == [(1, march(5))]
    assert_in_line(course, now=at(march(5), 9))


def test_restart_counts_the_windows_anew(course, by):
    attend(course, by, 2)
    now = datetime(2026, 3, 30, 6, tzinfo=UTC)

    with refused("date_before_session", "on"):
        restart_course(course=course, on=march(1), by=by, now=now)
    with refused("date_far_away", "on"):
        restart_course(course=course, on=date(2027, 4, 2), by=by, now=now)
    restart_course(course=course, on=march(30), by=by, now=now, reason="back from travel")

    course.refresh_from_db()
    assert (course.state, course.due_from_on, course.session_number) == ("due", march(30), 2)
    with refused("restart_twice", "on"):
        restart_course(course=course, on=march(30), by=by, now=now)
    assert_in_line(course, now=now)


def test_lapse_is_resolved_by_the_restart(course, by):
    attend(course, by, 2)
    now = datetime(2026, 3, 30, 6, tzinfo=UTC)
    reassess_due(now=now)
    assert open_kinds(course) == ["lapsed"]

    restart_course(course=course, on=march(30), by=by, now=now)

    assert ("lapsed", "restarted") in resolved(course)
    assert open_kinds(course) == ["unbooked"]


def test_discontinuing_cancels_ahead_resolves_and_is_final(course, by, receptionist):
    session = book(course, march(4), now=MONDAY)

    with refused("prescriber_required"):
        discontinue_course(course=course, by=receptionist, now=MONDAY, reason="x")
    with refused("reason_required", "reason"):
        discontinue_course(course=course, by=by, now=MONDAY, reason="")
    discontinue_course(course=course, by=by, now=MONDAY, reason="moved away")

    session.refresh_from_db()
    course.refresh_from_db()
    assert (session.status, session.version) == ("cancelled_by_clinic", 2)
    assert (course.status, course.ended_at, course.end_reason, course.next_check_at) == (
        "discontinued",
        MONDAY,
        "moved away",
        None,
    )
    assert open_kinds(course) == []
    assert actions(course)[-1] == "course.discontinued"
    with refused("course_not_open"):
        discontinue_course(course=course, by=by, now=MONDAY, reason="again")


def test_open_flags_of_a_discontinued_course_say_so(course, by):
    discontinue_course(course=course, by=by, now=MONDAY, reason="moved away")

    assert resolved(course) == [("unbooked", "discontinued")]
    assert PrescriptionRevision.objects.filter(course=course).count() == 1
    assert Course.objects.get(pk=course.pk).is_open is False
