"""Arrivals, outcomes, walk-ins and corrections."""

from datetime import date, time, timedelta

import pytest

from courses.models import Course, TreatmentSession
from courses.services import (
    cancel_session,
    confirm_session,
    correct_session,
    discontinue_course,
    reassess_due,
    record_arrival,
    record_attendance,
    record_no_show,
    record_walk_in,
    set_target,
)
from tests.courses.build import MONDAY, actions, assert_in_line, at, march, open_kinds, refused, resolved
from tests.factories import book, intensive, prescribe

pytestmark = pytest.mark.django_db


@pytest.fixture
def session(course):
    return book(course, march(2), now=MONDAY)


def test_arrival_is_recorded_on_the_day_itself(session, by):
    with refused("not_today", "session"):
        record_arrival(session=session, by=by, now=at(march(1), 23, 59))
    found = record_arrival(session=session, by=by, now=at(march(2), 0))

    assert (found.status, found.arrived_at) == ("arrived", at(march(2), 0))
    tomorrow = book(session.course, march(3), now=MONDAY)
    with refused("not_today", "session"):
        record_arrival(session=tomorrow, by=by, now=at(march(2), 12))


def test_who_has_arrived_is_no_no_show(session, by):
    record_arrival(session=session, by=by, now=at(march(2), 10))

    with refused("transition_refused", "status"):
        record_no_show(session=session, by=by, now=at(march(2), 11))


def test_attendance_keeps_how_it_went(session, by):
    now = at(march(2), 11)

    found = record_attendance(
        session=session,
        by=by,
        now=now,
        minutes=40,
        reaction="redness",
        pain_before=10,
        pain_after=0,
        treatments=("massage",),
        note=" ok ",
    )

    found.refresh_from_db()
    assert (found.status, found.outcome_at, found.outcome_by_id, found.version) == (
        "attended",
        now,
        by.staff_member_id,
        2,
    )
    assert (
        found.minutes,
        found.reaction,
        found.pain_before,
        found.pain_after,
        found.treatments,
        found.note,
    ) == (
        40,
        "redness",
        10,
        0,
        ["massage"],
        "ok",
    )
    assert actions(found.course)[-1] == "course.session_attended"
    assert_in_line(found.course, now=now)


@pytest.mark.parametrize(
    ("details", "code", "field"),
    [
        ({"minutes": 0}, "minutes_out_of_range", "minutes"),
        ({"minutes": 601}, "minutes_out_of_range", "minutes"),
        ({"reaction": "joy"}, "unknown_reaction", "reaction"),
        ({"pain_before": 11}, "pain_out_of_range", "pain_before"),
        ({"pain_after": -1}, "pain_out_of_range", "pain_after"),
        ({"note": "x" * 10_001}, "text_too_long", "note"),
    ],
)
def test_details_out_of_range_are_refused(session, by, details, code, field):
    with refused(code, field):
        record_attendance(session=session, by=by, now=at(march(2), 11), **details)


def test_outcomes_are_of_today_or_the_past(course, by):
    session = book(course, march(3), now=MONDAY)

    for verb in (record_attendance, record_no_show):
        with refused("outcome_future", "on"):
            verb(session=session, by=by, now=at(march(2), 23, 59))
    assert record_no_show(session=session, by=by, now=at(march(3), 0)).status == "no_show"


def test_unrecorded_flag_resolves_with_what_was_recorded(course, session, by):
    record_no_show(session=session, by=by, now=at(march(2), 12))
    second = book(course, march(3), now=at(march(2), 12))
    reassess_due(now=at(march(4), 0))
    assert open_kinds(course) == ["unbooked", "unrecorded"]

    record_no_show(session=second, by=by, now=at(march(4), 9))

    assert resolved(course)[-1] == ("unrecorded", "recorded")
    assert open_kinds(course) == ["missed_streak", "unbooked"]
    assert_in_line(course, now=at(march(4), 9))


def test_walk_in_is_attended_without_a_slot(course, member, by):
    session = record_walk_in(course=course, on=march(2), by=by, now=MONDAY, practitioner=member, minutes=45)

    assert (session.status, session.on, session.starts_at, session.practitioner) == (
        "attended",
        march(2),
        None,
        member,
    )
    assert actions(course)[-1] == "course.session_walked_in"
    assert_in_line(course, now=MONDAY)


def test_impossible_walk_ins_are_refused(course, session, by, foreign_member):
    with refused("outcome_future", "on"):
        record_walk_in(course=course, on=march(3), by=by, now=MONDAY)
    with refused("day_taken", "starts_at"):
        record_walk_in(course=course, on=march(2), by=by, now=MONDAY)
    with refused("outcome_long_ago", "on"):
        record_walk_in(course=course, on=date(2025, 2, 28), by=by, now=MONDAY)
    with refused("practitioner_unknown", "practitioner"):
        record_walk_in(course=course, on=date(2026, 2, 27), by=by, now=MONDAY, practitioner=foreign_member)


def test_correcting_an_outcome_reassesses_at_once(course, session, by):
    now = at(march(5), 9)
    record_no_show(session=session, by=by, now=at(march(2), 12))
    record_walk_in(course=course, on=march(5), by=by, now=now)

    found = correct_session(session=session, status="attended", by=by, now=now)

    course.refresh_from_db()
    assert (found.status, found.version, course.attended_count, course.attendance_rate) == (
        "attended",
        3,
        2,
        1.0,
    )
    assert_in_line(course, now=now)


def test_correction_to_booked_takes_the_outcome_away(course, session, by):
    confirm_session(session=session, by=by, now=MONDAY)
    record_arrival(session=session, by=by, now=at(march(2), 10))
    record_attendance(session=session, by=by, now=at(march(2), 11))

    found = correct_session(session=session, status="booked", by=by, now=at(march(2), 12))

    assert (found.status, found.outcome_at, found.outcome_by_id, found.arrived_at, found.confirmed_at) == (
        "booked",
        None,
        None,
        None,
        None,
    )
    assert_in_line(course, now=at(march(2), 12))


def test_corrected_cancellation_loses_its_reason(course, session, by):
    cancel_session(session=session, whose="clinic", by=by, now=MONDAY, reason="flood")

    found = correct_session(session=session, status="attended", by=by, now=at(march(2), 12))

    assert (found.status, found.cancel_reason) == ("attended", "")


def test_future_cancellation_may_change_sides(course, by):
    session = book(course, march(4), now=MONDAY)
    cancel_session(session=session, whose="clinic", by=by, now=MONDAY)

    found = correct_session(
        session=session, status="cancelled_by_client", by=by, now=MONDAY, reason="said so"
    )

    assert (found.status, found.cancel_reason) == ("cancelled_by_client", "said so")
    with refused("outcome_future", "on"):
        correct_session(session=session, status="attended", by=by, now=MONDAY)


def test_day_of_an_attended_session_is_mended(course, by):
    session = record_walk_in(course=course, on=march(2), by=by, now=at(march(4), 9))
    book(course, march(3), now=MONDAY)

    with refused("day_taken", "starts_at"):
        correct_session(session=session, status="attended", on=march(3), by=by, now=at(march(4), 9))
    with refused("outcome_future", "on"):
        correct_session(session=session, status="attended", on=march(5), by=by, now=at(march(4), 9))
    with refused("day_fixed", "on"):
        correct_session(session=session, status="no_show", on=march(4), by=by, now=at(march(4), 9))
    found = correct_session(session=session, status="attended", on=march(4), by=by, now=at(march(4), 9))

    assert (found.on, found.status) == (march(4), "attended")
    assert_in_line(course, now=at(march(4), 9))


def test_correction_to_the_same_or_an_unknown_status_is_refused(session, by):
    record_no_show(session=session, by=by, now=at(march(2), 12))

    for status in ("no_show", "planned", "confirmed", "nonsense"):
        with refused("transition_refused", "status"):
            correct_session(session=session, status=status, by=by, now=at(march(2), 12))


def test_slot_given_away_cannot_be_had_back(course, member, session, by):
    cancel_session(session=session, whose="client", by=by, now=MONDAY)
    book(prescribe(member=member), march(2), now=MONDAY)

    with refused("slot_taken", "practitioner"):
        correct_session(session=session, status="booked", by=by, now=MONDAY)


def test_walk_in_never_had_a_slot_to_go_back_to(course, by):
    session = record_walk_in(course=course, on=march(2), by=by, now=MONDAY)

    with refused("no_slot", "status"):
        correct_session(session=session, status="booked", by=by, now=MONDAY)


def test_correction_reopens_a_completed_course(member, by):
    course = prescribe(member=member, phases=[intensive(sessions_min=1, sessions_max=2)])
    set_target(course=course, target=1, by=by, now=MONDAY)
    session = record_walk_in(course=course, on=march(2), by=by, now=at(march(2), 9))
    course.refresh_from_db()
    assert (course.status, course.ended_at, course.next_check_at) == ("completed", at(march(2), 9), None)

    correct_session(session=session, status="no_show", by=by, now=at(march(6), 9))

    course.refresh_from_db()
    assert (course.status, course.ended_at, course.state) == ("active", None, "overdue")
    assert open_kinds(course) == ["overdue"]
    assert_in_line(course, now=at(march(6), 9))


def test_forgotten_session_of_a_completed_course_is_recorded_as_extra(member, by):
    course = prescribe(member=member, phases=[intensive(sessions_min=1, sessions_max=1)])
    record_walk_in(course=course, on=march(2), by=by, now=at(march(3), 9))

    record_walk_in(course=course, on=march(3), by=by, now=at(march(4), 9))

    course.refresh_from_db()
    assert (course.status, course.attended_count) == ("completed", 2)
    with refused("course_not_open"):
        record_walk_in(course=course, on=march(5), by=by, now=at(march(5), 9))


def test_completing_forgets_dates_only_planned_and_closes_the_flags(member, by):
    course = prescribe(member=member, phases=[intensive(sessions_min=1, sessions_max=1)])
    TreatmentSession.objects.create(
        clinic=course.clinic,
        course=course,
        client=course.client,
        status="planned",
        on=march(9),
        created_at=MONDAY,
    )

    record_walk_in(course=course, on=march(2), by=by, now=at(march(2), 9))

    assert list(course.sessions.values_list("status", flat=True)) == ["attended"]
    assert resolved(course) == [("unbooked", "attended")]


def test_begun_session_of_a_discontinued_course_still_gets_its_outcome(course, by):
    begun = book(course, march(2), time(10), now=MONDAY)
    ahead = book(course, march(4), time(10), now=MONDAY)
    stop = at(march(2), 10, 30)

    discontinue_course(course=course, by=by, now=stop, reason="moved away")
    begun.refresh_from_db()
    ahead.refresh_from_db()
    assert (begun.status, ahead.status, ahead.outcome_by_id) == (
        "booked",
        "cancelled_by_clinic",
        by.staff_member_id,
    )
    record_attendance(session=begun, by=by, now=stop + timedelta(days=2))

    course.refresh_from_db()
    assert (course.status, course.attended_count, course.attendance_rate) == ("discontinued", 1, 1.0)
    assert open_kinds(course) == []
    with refused("course_not_open"):
        record_walk_in(course=course, on=march(3), by=by, now=stop + timedelta(days=2))
    with refused("course_not_open"):
        correct_session(session=begun, status="booked", by=by, now=stop + timedelta(days=2))


def test_cause_of_a_late_course_is_who_stood_in_the_way(course, session, by):
    cancel_session(session=session, whose="clinic", by=by, now=MONDAY)
    now = at(march(6), 9)
    reassess_due(now=now)
    assert course.flags.get(kind="overdue", resolved_at=None).cause == "clinic"

    correct_session(session=session, status="no_show", by=by, now=now)

    assert course.flags.get(kind="overdue", resolved_at=None).cause == "client"
    assert Course.objects.get(pk=course.pk).state == "overdue"
