"""Taking back a disruption: everything is where it was, unless something else has changed since, which is said by row."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from clinics.jobs import cancel_job, work_job
from clinics.models import Absence, Closure
from courses.models import Disruption, PlanRevision, TreatmentSession
from courses.services import (
    add_absence,
    apply_disruption,
    book_session,
    choose_moves,
    confirm_session,
    discontinue_course,
    move_session,
    pause_course,
    rebooking,
    restoring,
    undo_disruption,
)
from reminders.models import Reminder
from reminders.services import drain
from tests.courses.build import MONDAY, actions, assert_in_line, at, march, refused
from tests.courses.test_disrupting import (
    FIVE,
    WEEK,
    anna,
    apply,
    assert_nobody_is_booked_twice,
    away,
    boris,
    clinic,
    closed,
    courses,
    hit,
    plan,
    protocol,
    work,
)
from tests.factories import book, prescribe

pytestmark = pytest.mark.django_db
__all__ = ["anna", "boris", "clinic", "courses", "hit", "protocol"]
# What a session is, but for its version.
_KEPT = (
    "pk",
    "on",
    "starts_at",
    "ends_at",
    "practitioner",
    "room",
    "status",
    "confirmed_at",
    "why",
    "outcome_at",
)


def state(courses):
    rows = TreatmentSession.objects.filter(course__in=courses).order_by("pk")
    return list(rows.values(*_KEPT))


def undo(disruption, by, *, now=MONDAY + timedelta(minutes=2)):
    disruption.refresh_from_db()
    undo_disruption(disruption=disruption, by=by, now=now)
    return work(disruption, now=now)


def undone(disruption, course):
    return list(disruption.sessions.filter(course=course).values_list("undone", "refusal"))


@pytest.mark.parametrize("is_closure", [False, True])
def test_all_of_it_is_where_it_was(courses, anna, boris, by, is_closure):
    confirm_session(session=TreatmentSession.objects.get(course=courses[0], on=march(9)), by=by, now=MONDAY)
    before = state(courses)
    disruption = plan(closed(anna.clinic) if is_closure else away(anna), by)
    cancelled = disruption.sessions.filter(course=courses[1])[0]
    choose_moves(disruption=disruption, choices={cancelled.code: "cancel"})
    apply(disruption, by)
    assert state(courses) != before

    job = undo(disruption, by)

    assert (job.status, job.done_count, job.total_count) == ("done", 6, 6)
    assert (disruption.status, disruption.ended_at) == ("undone", MONDAY + timedelta(minutes=2))
    assert state(courses) == before
    assert set(disruption.sessions.values_list("undone", "refusal")) == {("back", "")}
    assert not Absence.objects.exists()
    assert not Closure.objects.exists()
    for course in courses:
        assert actions(course)[-1] == "course.disruption_undone"
        assert_in_line(course, now=MONDAY + timedelta(minutes=2))


def test_nobody_is_told_who_was_not_told_of_the_change(courses, anna, boris, by):
    drain(clock=lambda: MONDAY + timedelta(minutes=5))
    disruption = plan(away(anna), by, now=MONDAY + timedelta(minutes=10))
    apply(disruption, by, now=MONDAY + timedelta(minutes=11))

    undo(disruption, by, now=MONDAY + timedelta(minutes=13))
    drain(clock=lambda: MONDAY + timedelta(minutes=30))

    told = Reminder.objects.filter(trigger="change").values_list("course", "state")
    assert sorted(told) == sorted((course.pk, "cancelled") for course in courses)


def test_each_who_was_told_is_told_once_more(courses, anna, boris, by):
    drain(clock=lambda: MONDAY + timedelta(minutes=5))
    disruption = plan(away(anna), by, now=MONDAY + timedelta(minutes=10))
    apply(disruption, by, now=MONDAY + timedelta(minutes=11))
    drain(clock=lambda: MONDAY + timedelta(minutes=20))

    undo(disruption, by, now=MONDAY + timedelta(minutes=25))
    drain(clock=lambda: MONDAY + timedelta(minutes=40))

    told = Reminder.objects.filter(trigger="change").values_list("course", "state")
    assert sorted(told) == sorted((course.pk, "sent") for course in courses for _time in range(2))


def test_what_changed_since_stays_and_says_why(courses, anna, boris, by):
    disruption = plan(away(anna), by)
    apply(disruption, by)
    now = MONDAY + timedelta(minutes=2)
    rows = {course.pk: list(disruption.sessions.filter(course=course)) for course in courses}
    confirmed, moved = (row.session for row in rows[courses[0].pk])
    confirm_session(session=confirmed, by=by, now=now)
    moved.refresh_from_db()
    move_session(session=moved, starts_at=at(march(13), 18), practitioner=boris, room=None, by=by, now=now)
    # The absence is taken out by hand, and somebody books the first of the second client's old times.
    Absence.objects.get().delete()
    stranger = prescribe(member=anna, phases=FIVE, start_on=march(9))
    book_session(
        course=stranger,
        starts_at=rows[courses[1].pk][0].starts_at,
        minutes=45,
        practitioner=anna,
        room=None,
        by=by,
        now=now,
    )
    pause_course(course=courses[2], from_on=march(9), to_on=march(9), reason="travel", by=by, now=now)

    undo(disruption, by)

    assert [undone(disruption, course) for course in courses] == [
        [("kept", "confirmed_since"), ("kept", "changed_since")],
        # Whose old time is another's now keeps the day to which the next one would go back.
        [("kept", "slot_taken"), ("kept", "day_taken")],
        [("kept", "course_paused"), ("kept", "day_taken")],
    ]
    assert actions(courses[0])[-1] != "course.disruption_undone"
    assert_nobody_is_booked_twice(anna.clinic)


def test_days_that_are_lost_all_the_same_keep_what_was_moved(courses, anna, boris, by):
    disruption = plan(away(anna), by)
    apply(disruption, by)
    add_absence(practitioner=anna, from_on=march(9), to_on=march(9), by=by, now=MONDAY)
    discontinue_course(course=courses[2], reason="moved away", by=by, now=MONDAY + timedelta(minutes=1))

    undo(disruption, by, now=at(march(3)))

    assert [undone(disruption, course) for course in courses] == [
        [("kept", "practitioner_absent"), ("kept", "day_taken")],
        [("kept", "practitioner_absent"), ("kept", "day_taken")],
        [("kept", "course_not_open"), ("kept", "course_not_open")],
    ]
    assert [row.from_on for row in Absence.objects.all()] == [march(9)]


def test_what_stood_in_the_calendar_before_stays_there(courses, anna, boris, by):
    add_absence(practitioner=anna, from_on=WEEK[0], to_on=WEEK[1], by=by, now=MONDAY)
    disruption = plan(away(anna), by)
    apply(disruption, by)

    undo(disruption, by)

    assert set(disruption.sessions.values_list("undone", "refusal")) == {("kept", "practitioner_absent")}
    assert (Absence.objects.count(), disruption.is_recorded) == (1, True)


def test_sessions_that_stand_where_others_were_go_back_one_after_the_other(courses, anna, boris, by):
    # One moves to the day of the next, which makes room.
    disruption = plan(away(anna), by)
    first, second = disruption.sessions.filter(course=courses[0])
    first.new_starts_at, first.new_ends_at = second.starts_at, second.ends_at
    first.save()
    before = state(courses)
    apply(disruption, by)
    first.session.refresh_from_db()
    assert first.session.on == march(11)

    undo(disruption, by)

    assert state(courses) == before


@pytest.fixture
def dated(anna, boris, protocol):
    """A course with a booking, and a date without a slot on the day to which the booking will move."""
    course = prescribe(member=anna, protocol=protocol, start_on=march(9), phases=FIVE)
    book(course, march(9), now=MONDAY)
    why = [{"code": "window"}]
    TreatmentSession.objects.create(
        clinic=course.clinic, course=course, client_id=course.client_id, status="planned", on=march(12),
        why=why, created_at=MONDAY,
    )  # fmt: skip
    return course


def days(course):
    return list(course.sessions.order_by("on").values_list("on", "status", "starts_at", "why"))


@pytest.mark.parametrize("is_alone", [False, True])
def test_date_without_a_slot_comes_back_where_a_session_took_its_day(dated, by, monkeypatch, is_alone):
    if is_alone:
        # Each course by itself, as where several cannot be moved together.
        monkeypatch.setattr(rebooking, "_apply_moves", lambda _disruption, groups, **_: list(groups))
    before = days(dated)
    disruption = plan(closed(dated.clinic), by)
    apply(disruption, by)
    assert [(on, status) for on, status, *_rest in days(dated)] == [(march(12), "booked")]

    undo(disruption, by)

    assert days(dated) == before


def test_date_without_a_slot_stays_away_where_the_course_was_planned_anew(dated, by):
    disruption = plan(closed(dated.clinic), by)
    apply(disruption, by)
    PlanRevision.objects.filter(course=dated).update(policy="shift")

    undo(disruption, by)

    assert [(on, status) for on, status, *_rest in days(dated)] == [(march(9), "booked")]


def test_it_is_undone_once_and_only_when_it_was_applied(courses, anna, boris, by):
    disruption = plan(away(anna), by)
    with refused("not_applied"):
        undo_disruption(disruption=disruption, by=by, now=MONDAY)
    apply_disruption(disruption=disruption, by=by, now=MONDAY)
    with refused("not_applied"):
        undo_disruption(disruption=disruption, by=by, now=MONDAY)
    work(disruption)
    undo_disruption(disruption=disruption, by=by, now=MONDAY)
    with refused("not_applied"):
        undo_disruption(disruption=disruption, by=by, now=MONDAY)
    work(disruption)

    with refused("not_applied"):
        undo_disruption(disruption=disruption, by=by, now=MONDAY)


def test_what_stopped_half_way_is_taken_back_as_far_as_it_came(courses, anna, boris, by, monkeypatch):
    monkeypatch.setattr("courses.services.rebooking.COURSES_A_STEP", 1)
    monkeypatch.setattr(restoring, "COURSES_A_STEP", 1)
    before = state(courses)
    disruption = plan(away(anna), by)
    apply_disruption(disruption=disruption, by=by, now=MONDAY)
    disruption.refresh_from_db()
    for _step in range(2):
        work_job(job_id=disruption.job_id, seconds=0, clock=lambda: MONDAY)
    cancel_job(job=disruption.job, by=by, now=MONDAY)
    assert disruption.sessions.filter(outcome="moved").count() == 2

    job = undo(disruption, by)

    assert (job.status, job.done_count, job.total_count) == ("done", 2, 2)
    assert state(courses) == before


def test_crash_between_two_steps_loses_and_repeats_nothing(courses, anna, boris, by, monkeypatch):
    monkeypatch.setattr(restoring, "COURSES_A_STEP", 1)
    before = state(courses)
    disruption = plan(away(anna), by)
    apply(disruption, by)
    undo_disruption(disruption=disruption, by=by, now=MONDAY)
    restore, calls = restoring._restore_course, []

    def die_at_the_second(*args, **kwargs):
        restore(*args, **kwargs)
        calls.append(args)
        if len(calls) == 2:
            raise SystemExit

    monkeypatch.setattr(restoring, "_restore_course", die_at_the_second)
    with pytest.raises(SystemExit):
        work(disruption)
    assert disruption.sessions.filter(undone="back").count() == 2
    job = work(disruption, now=MONDAY + timedelta(minutes=5))

    assert (job.status, job.done_count) == ("done", 6)
    assert state(courses) == before
    assert [actions(course).count("course.disruption_undone") for course in courses] == [1, 1, 1]


@pytest.mark.parametrize(
    "values", [{"status": "undone"}, {"status": "applied"}, {"status": "undoing", "ended_at": MONDAY}]
)
def test_state_and_time_of_its_end_go_together(courses, anna, by, values):
    disruption = plan(away(anna), by)

    with pytest.raises(IntegrityError), transaction.atomic():
        Disruption.objects.filter(pk=disruption.pk).update(**values)
