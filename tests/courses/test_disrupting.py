"""Disruptions: everything hit is planned together, moved together, told of once, and never booked twice."""

from datetime import time, timedelta
from itertools import combinations

import pytest
from django.db import IntegrityError, transaction

from audit.models import AuditEvent
from clinics.jobs import work_job
from clinics.models import Absence, Closure
from courses.core.types import Cadence
from courses.models import Disruption, FreedSlot, PlanRevision, TreatmentSession
from courses.services import (
    Outage,
    add_absence,
    apply_disruption,
    book_session,
    choose_moves,
    disrupting,
    foresee_drift,
    move_session,
    rebooking,
    sessions_hit,
    start_disruption,
    wait_for_earlier,
)
from reminders.models import Reminder
from reminders.services import drain
from tests.courses.build import MONDAY, all_rows, assert_in_line, at, march, refused
from tests.factories import (
    ClientFactory,
    ClinicFactory,
    ProtocolFactory,
    RoomFactory,
    StaffMemberFactory,
    actor_of,
    attend,
    book,
    intensive,
    prescribe,
)
from tests.factories.moulds import Mould
from tests.races import race, shared_database

pytestmark = pytest.mark.django_db
# Monday to Wednesday of the second week.
WEEK = (march(9), march(11))
FIVE = [intensive(sessions_min=5, sessions_max=5)]


def make_hit():
    """Three courses with Anna, an hour apart, each with sessions on Monday, Wednesday and the next Monday, and Boris."""
    clinic = ClinicFactory()
    anna = StaffMemberFactory(clinic=clinic, display_name="Anna")
    boris = StaffMemberFactory(clinic=clinic, display_name="Boris")
    RoomFactory.create_batch(2, clinic=clinic)
    protocol = ProtocolFactory(clinic=clinic)
    courses = []
    for number in range(3):
        course = prescribe(
            member=anna,
            client=ClientFactory(clinic=clinic),
            protocol=protocol,
            start_on=march(9),
            phases=FIVE,
            practitioner=anna,
        )
        for day in (9, 11, 16):
            book(course, march(day), time(10 + number), now=MONDAY)
        courses.append(course)
    return {"clinic": clinic, "anna": anna, "boris": boris, "protocol": protocol, "courses": courses}


_HIT = Mould(make_hit, now=MONDAY)


@pytest.fixture
def hit(db, request):
    """What a disruption hits, for a test that asks for the courses; nothing for other tests."""
    return _HIT.cast() if "courses" in request.fixturenames else None


@pytest.fixture
def clinic(hit, db):
    return hit["clinic"] if hit else ClinicFactory()


@pytest.fixture
def anna(hit, clinic):
    return hit["anna"] if hit else StaffMemberFactory(clinic=clinic, display_name="Anna")


@pytest.fixture
def boris(hit, clinic):
    if hit:
        return hit["boris"]
    RoomFactory.create_batch(2, clinic=clinic)
    return StaffMemberFactory(clinic=clinic, display_name="Boris")


@pytest.fixture
def protocol(hit, clinic):
    return hit["protocol"] if hit else ProtocolFactory(clinic=clinic)


@pytest.fixture
def courses(hit):
    return hit["courses"]


def away(person, days=WEEK):
    return Outage(person.clinic, person, *days)


def closed(clinic, days=WEEK):
    return Outage(clinic, None, *days)


def plan(outage, by, *, now=MONDAY):
    return start_disruption(outage=outage, by=by, now=now, reason="ill")


def work(disruption, *, now=MONDAY + timedelta(minutes=1)):
    disruption.refresh_from_db()
    work_job(job_id=disruption.job_id, seconds=60, clock=lambda: now)
    disruption.refresh_from_db()
    return disruption.job


def apply(disruption, by, *, now=MONDAY + timedelta(minutes=1)):
    apply_disruption(disruption=disruption, by=by, now=now)
    return work(disruption, now=now)


def slots(rows):
    return [(row.new_starts_at, row.new_practitioner, row.new_room) for row in rows]


def assert_nobody_is_booked_twice(clinic):
    rows = TreatmentSession.objects.for_clinic(clinic).filter(status__in=("booked", "confirmed", "arrived"))
    for one, other in combinations(rows, 2):
        if one.starts_at < other.ends_at and other.starts_at < one.ends_at:
            for name in ("practitioner_id", "room_id", "client_id"):
                assert getattr(one, name) is None or getattr(one, name) != getattr(other, name)


def test_sessions_hit_are_those_that_cannot_take_place(courses, anna, boris, by):
    elsewhere = prescribe(member=anna, phases=FIVE, start_on=march(9))
    book(elsewhere, march(9), practitioner=boris, now=MONDAY)
    arrived = TreatmentSession.objects.get(course=courses[0], on=march(9))
    TreatmentSession.objects.filter(pk=arrived.pk).update(status="arrived")

    found = sessions_hit(away(anna), now=MONDAY)
    all_of_that_day = sessions_hit(closed(anna.clinic, (march(9), march(9))), now=MONDAY)
    later = sessions_hit(away(anna), now=at(march(11), 10))

    assert [row.on.day for row in found] == [9, 9, 11, 11, 11]
    assert [row.course_id for row in all_of_that_day] == [elsewhere.pk, courses[1].pk, courses[2].pk]
    assert [row.course_id for row in later] == [courses[1].pk, courses[2].pk]


def test_drift_is_that_of_the_day_after_if_nothing_is_done(courses, anna):
    outage = away(anna)

    drift = foresee_drift(outage, sessions_hit(outage, now=MONDAY), now=MONDAY)

    # Due by Wednesday the 11th, booked for Monday the 16th; the clinic is closed on Sunday.
    found = {pk: [(finding.kind, finding.days) for finding in findings] for pk, findings in drift.items()}
    assert found == {course.pk: [("booked_late", 4)] for course in courses}


def test_practitioner_ill_all_is_planned_together_and_moved_by_one_job(courses, anna, boris, by):
    before = all_rows()
    disruption = plan(away(anna), by)

    assert disruption.status == "planned"
    changed = {label for label, rows in all_rows().items() if rows != before[label]}
    assert changed == {"courses.Disruption", "courses.DisruptedSession"}
    rows = list(disruption.sessions.all())
    assert len(set(slots(rows))) == len(rows) == 6
    # At the time of day that they had; to Boris, or to Anna when she is back.
    assert all(row.new_starts_at.time() == row.starts_at.time() for row in rows)
    assert {row.new_practitioner.pk for row in rows if row.new_starts_at < at(march(12), 0)} == {boris.pk}
    assert [row.days_outside for row in rows] == [0] * 6
    evidence = {"limit": 1, "session": 1, "on": "2026-03-16"}
    assert rows[0].drift == [{"kind": "booked_late", "severity": "warning", "days": 4, "evidence": evidence}]

    job = apply(disruption, by)

    assert (job.status, job.done_count, job.total_count, disruption.status) == ("done", 6, 6, "applied")
    absence = Absence.objects.get()
    assert (absence.practitioner, absence.from_on, absence.to_on, absence.reason) == (anna, *WEEK, "ill")
    assert {row.outcome for row in disruption.sessions.all()} == {"moved"}
    assert sessions_hit(away(anna), now=MONDAY) == []
    assert_nobody_is_booked_twice(anna.clinic)
    for course in courses:
        assert_in_line(course, now=MONDAY + timedelta(minutes=1))
    assert PlanRevision.objects.filter(policy="disruption").count() == 3
    actions = AuditEvent.objects.filter(at__gt=MONDAY).order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["job.started", "clinic.absence_added", *["course.plan_applied"] * 3]


def test_each_client_is_told_once_of_the_whole_change(courses, anna, boris, by):
    drain(clock=lambda: MONDAY + timedelta(minutes=5))
    disruption = plan(away(anna), by, now=MONDAY + timedelta(minutes=10))
    choose_moves(
        disruption=disruption, choices={disruption.sessions.filter(course=courses[0])[0].code: "cancel"}
    )

    apply(disruption, by, now=MONDAY + timedelta(minutes=11))
    drain(clock=lambda: MONDAY + timedelta(minutes=20))

    told = Reminder.objects.filter(trigger="change").values_list("course", "state")
    assert sorted(told) == sorted((course.pk, "sent") for course in courses)


def test_closed_days_move_sessions_past_them_without_a_clash(courses, anna, boris, by):
    disruption = plan(closed(anna.clinic), by)
    rows = list(disruption.sessions.select_related("course"))

    assert len(set(slots(rows))) == len(rows) == 6
    assert all(row.new_starts_at.date() > march(11) for row in rows)
    # They fit around the session that stays on the 16th, of which a course has one a day.
    assert all(row.new_starts_at.date() != march(16) for row in rows)
    apply(disruption, by)

    assert {row.outcome for row in disruption.sessions.all()} == {"moved"}
    assert Closure.objects.get().from_on == march(9)
    assert_nobody_is_booked_twice(anna.clinic)
    for course in courses:
        assert_in_line(course, now=MONDAY + timedelta(minutes=1))


def test_what_finds_no_slot_is_named_and_left(anna, protocol):
    by = actor_of(anna)
    first, second = (
        prescribe(member=anna, protocol=protocol, start_on=march(9), phases=FIVE) for _ in range(2)
    )
    for day in (9, 10, 11, 12, 13):
        book(first, march(day), now=MONDAY)
    surplus = book(first, march(14), now=MONDAY)
    late = book(second, march(14), time(12), now=MONDAY)
    # Longer than anybody books ahead, and nobody else treats there.
    add_absence(
        practitioner=anna, from_on=march(15), to_on=march(15) + timedelta(days=300), by=by, now=MONDAY
    )
    add_absence(practitioner=anna, from_on=march(2), to_on=march(8), by=by, now=MONDAY)
    add_absence(practitioner=anna, from_on=march(9), to_on=march(13), by=by, now=MONDAY)

    disruption = plan(away(anna, (march(14), march(14))), by)
    apply(disruption, by)

    rows = disruption.sessions.values_list("session", "choice", "refusal", "outcome")
    assert sorted(rows) == [
        (surplus.pk, "leave", "not_asked", "left"),
        (late.pk, "leave", "no_slot", "left"),
    ]


def test_choice_is_kept_to_for_each_session(courses, anna, boris, by):
    disruption = plan(away(anna), by)
    leave, cancel = (list(disruption.sessions.filter(course=course)) for course in courses[:2])
    choose_moves(
        disruption=disruption,
        choices={
            leave[0].code: "leave",
            leave[1].code: "leave",
            cancel[0].code: "cancel",
            cancel[1].code: "?",
        },
    )

    apply(disruption, by)

    def outcomes(course):
        return list(disruption.sessions.filter(course=course).values_list("outcome", flat=True))

    assert [outcomes(course) for course in courses] == [
        ["left", "left"],
        ["cancelled", "left"],
        ["moved", "moved"],
    ]
    statuses = TreatmentSession.objects.filter(course=courses[1]).values_list("status", flat=True)
    assert list(statuses) == ["cancelled_by_clinic", "booked", "booked"]
    choose_moves(disruption=disruption, choices={leave[0].code: "move"})
    assert disruption.sessions.get(code=leave[0].code).choice == "leave"


def test_what_changed_meanwhile_is_not_moved_and_the_rest_is(courses, anna, boris, by):
    disruption = plan(away(anna), by)
    now = MONDAY + timedelta(minutes=1)
    moved = TreatmentSession.objects.get(course=courses[0], on=march(9))
    move_session(session=moved, starts_at=at(march(9), 17), practitioner=boris, room=None, by=by, now=now)
    # Somebody else takes the slot proposed to the second.
    stranger = prescribe(member=anna, phases=FIVE, start_on=march(9))
    wanted = disruption.sessions.filter(course=courses[1]).first()
    book_session(
        course=stranger,
        starts_at=wanted.new_starts_at,
        minutes=45,
        practitioner=boris,
        room=None,
        by=by,
        now=now,
    )

    apply(disruption, by, now=now)

    found = [
        set(disruption.sessions.filter(course=course).values_list("outcome", "refusal")) for course in courses
    ]
    assert found == [{("refused", "stale_plan")}, {("refused", "slot_taken")}, {("moved", "")}]
    assert_nobody_is_booked_twice(anna.clinic)

    # What was not moved is hit still, and planned anew.
    again = plan(away(anna), by, now=now)
    assert set(again.sessions.values_list("course", flat=True)) == {courses[0].pk, courses[1].pk}
    apply(again, by, now=now)
    assert set(again.sessions.values_list("outcome", flat=True)) == {"moved"}
    assert Absence.objects.count() == 1
    assert_nobody_is_booked_twice(anna.clinic)


def test_course_that_the_database_refuses_does_not_keep_the_others(courses, anna, boris, by):
    disruption = plan(away(anna), by)
    days = set(courses[1].sessions.values_list("on", flat=True))
    rows = disruption.sessions.filter(course=courses[1])
    wanted = next(row for row in rows if row.new_starts_at.date() not in days)
    # Written past all services: nobody but the constraint of one booking a day sees it.
    TreatmentSession.objects.create(
        clinic=anna.clinic,
        course=courses[1],
        client=courses[1].client,
        status="booked",
        on=wanted.new_starts_at.date(),
        starts_at=wanted.new_starts_at - timedelta(hours=3),
        ends_at=wanted.new_starts_at - timedelta(hours=2),
        created_at=MONDAY,
    )

    apply(disruption, by)

    found = [
        set(disruption.sessions.filter(course=course).values_list("outcome", "refusal")) for course in courses
    ]
    assert found == [{("moved", "")}, {("refused", "day_taken")}, {("moved", "")}]
    assert PlanRevision.objects.filter(course__in=courses, policy="disruption").count() == 2


def test_changed_calendar_asks_for_another_plan(courses, anna, boris, by):
    disruption, later = plan(away(anna), by), plan(away(anna), by)
    apply_disruption(disruption=later, by=by, now=MONDAY)
    add_absence(practitioner=boris, from_on=march(9), to_on=march(9), by=by, now=MONDAY)

    with refused("stale_plan"):
        apply_disruption(disruption=disruption, by=by, now=MONDAY)
    job = work(later)

    assert (job.status, job.error_code) == ("failed", "stale_plan")
    assert set(later.sessions.values_list("outcome", flat=True)) == {""}


def test_disruption_is_applied_once(courses, anna, boris, by):
    disruption = plan(away(anna), by)
    apply_disruption(disruption=disruption, by=by, now=MONDAY)

    with refused("not_planned"):
        apply_disruption(disruption=disruption, by=by, now=MONDAY)


def test_many_are_planned_and_applied_in_steps_and_a_crash_loses_and_repeats_nothing(
    courses, anna, boris, by, monkeypatch
):
    monkeypatch.setattr(disrupting, "PLANNED_AT_ONCE", 0)
    monkeypatch.setattr(disrupting, "_PLANNED_A_STEP", 1)
    monkeypatch.setattr(rebooking, "COURSES_A_STEP", 1)
    disruption = plan(away(anna), by)
    assert (disruption.status, disruption.job.kind) == ("planning", "plan_disruption")
    work_job(job_id=disruption.job_id, seconds=0, clock=lambda: MONDAY)
    disruption.job.refresh_from_db()
    assert (disruption.job.done_count, disruption.job.total_count) == (2, 6)
    assert work(disruption).status == "done"
    assert len(set(slots(disruption.sessions.all()))) == 6

    apply_disruption(disruption=disruption, by=by, now=MONDAY)
    disruption.refresh_from_db()
    settle, calls = rebooking._settle, []

    def die_at_the_second(*args, **kwargs):
        settle(*args, **kwargs)
        calls.append(args)
        if len(calls) == 2:
            raise SystemExit

    monkeypatch.setattr(rebooking, "_settle", die_at_the_second)
    with pytest.raises(SystemExit):
        work(disruption)
    assert disruption.sessions.filter(outcome="moved").count() == 2
    job = work(disruption, now=MONDAY + timedelta(minutes=5))

    assert (job.status, job.done_count) == ("done", 6)
    assert PlanRevision.objects.filter(policy="disruption").count() == 3
    assert Absence.objects.count() == 1


def test_course_that_cannot_be_worked_out_holds_up_no_other(courses, anna, boris, by, monkeypatch, caplog):
    disruption = plan(away(anna), by)
    apply_plan = rebooking.apply_plan

    def fail(**_):
        raise ZeroDivisionError

    def fail_for_the_first(*, course, **values):
        return fail() if course == courses[0] else apply_plan(course=course, **values)

    monkeypatch.setattr(rebooking, "apply_moves", fail)
    monkeypatch.setattr(rebooking, "apply_plan", fail_for_the_first)

    job = apply(disruption, by)

    found = [
        set(disruption.sessions.filter(course=course).values_list("outcome", "refusal")) for course in courses
    ]
    assert found == [{("refused", "broken")}, {("moved", "")}, {("moved", "")}]
    assert job.status == "done"
    assert "could not be changed" in caplog.text


def test_planned_dates_beyond_the_horizon_stay(anna, boris, by, protocol):
    course = prescribe(member=anna, protocol=protocol, start_on=march(9), phases=FIVE)
    book(course, march(9), now=MONDAY)
    TreatmentSession.objects.create(
        clinic=course.clinic,
        course=course,
        client_id=course.client_id,
        status="planned",
        on=march(20),
        created_at=MONDAY,
    )

    apply(plan(away(anna), by), by)

    assert list(course.sessions.values_list("on", "status", "practitioner")) == [
        (march(9), "booked", boris.pk),
        (march(20), "planned", None),
    ]


@pytest.mark.parametrize(
    ("days", "code"),
    [((11, 9), "range_upside_down"), ((1, 1), "range_over")],
)
def test_days_that_nobody_means_are_refused(days, code, anna, by):
    with refused(code, "to_on"):
        plan(away(anna, tuple(march(day) for day in days)), by)


def test_practitioner_of_another_clinic_is_refused(anna, foreign_member, by):
    with refused("practitioner_unknown", "practitioner"):
        plan(Outage(anna.clinic, foreign_member, *WEEK), by)


def test_database_refuses_what_makes_no_sense(courses, anna, boris, by):
    disruption = plan(away(anna), by)
    rows = Disruption.objects.all()
    broken = [
        (rows, {"to_on": march(8)}),
        (rows, {"status": "asleep"}),
        (rows, {"status": "applied"}),
        (rows, {"ended_at": MONDAY}),
        (disruption.sessions, {"new_ends_at": None}),
        (disruption.sessions, {"new_starts_at": MONDAY + timedelta(days=99)}),
        (disruption.sessions, {"choice": "juggle"}),
        (disruption.sessions, {"outcome": "lost"}),
        (disruption.sessions, {"position": 0}),
        (disruption.sessions, {"session": TreatmentSession.objects.first()}),
    ]

    for found, values in broken:
        with pytest.raises(IntegrityError), transaction.atomic():
            found.update(**values)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_bookings_at_the_same_moment_never_meet_the_moves(tmp_path):
    with shared_database(tmp_path):
        anna = StaffMemberFactory()
        boris = StaffMemberFactory(clinic=anna.clinic)
        by = actor_of(anna)
        for hour in (10, 11, 12):
            course = prescribe(member=anna, phases=FIVE, start_on=march(9))
            book(course, march(9), time(hour), now=MONDAY)
        disruption = plan(away(anna), by)
        apply_disruption(disruption=disruption, by=by, now=MONDAY)
        disruption.refresh_from_db()
        strangers = [prescribe(member=anna, phases=FIVE, start_on=march(9)) for _ in range(3)]
        works = [
            lambda course=course, hour=hour: book_session(
                course=course,
                starts_at=at(march(9), hour),
                minutes=45,
                practitioner=boris,
                room=None,
                by=by,
                now=MONDAY,
            )
            for course, hour in zip(strangers, (10, 11, 12), strict=True)
        ]

        outcome = race([*works, *[lambda: work(Disruption.objects.get(pk=disruption.pk))] * 2])

        assert set(outcome) <= {"won", "slot_taken", "busy"}
        work(disruption, now=MONDAY + timedelta(minutes=5))
        moved = disruption.sessions.filter(outcome="moved").count()
        refusals = set(disruption.sessions.exclude(outcome="moved").values_list("refusal", flat=True))
        assert refusals <= {"slot_taken"}
        booked = TreatmentSession.objects.filter(course__in=strangers).count()
        assert moved + booked == 3
        assert_nobody_is_booked_twice(anna.clinic)


def test_what_is_booked_later_makes_room_where_the_prescription_needs_it(anna, boris, by, protocol):
    twice = [intensive(cadence=Cadence.of(2, 7, 7), sessions_min=8, sessions_max=8)]
    course, pinned = (
        prescribe(member=anna, protocol=protocol, phases=twice, practitioner=anna) for _ in range(2)
    )
    attend(course, [march(3), march(5)])
    attend(pinned, [march(3), march(5)], time(12))
    friday = at(march(6), 9)
    for day in (10, 12, 17, 19, 24, 26):
        book(course, march(day), time(10), now=friday, is_pinned=False)
        book(pinned, march(day), time(12), now=friday)

    disruption = plan(closed(anna.clinic, (march(9), march(14))), by, now=friday)
    apply(disruption, by, now=friday)

    rows = list(disruption.sessions.filter(course=course).select_related("session"))
    # Late by one day, as the clinic was closed; from then on twice a week again, so the rest moves on.
    assert [(row.is_hit, row.outcome) for row in rows[:2]] == [(True, "moved")] * 2
    assert {(row.is_hit, row.outcome) for row in rows[2:]} == {(False, "moved")}
    assert sum(row.days_outside for row in rows) <= 1
    # What a person chose stays where it is.
    assert not disruption.sessions.filter(course=pinned, is_hit=False).exists()
    assert_nobody_is_booked_twice(anna.clinic)
    assert_in_line(course, now=friday)


def test_slots_that_a_disruption_moves_away_from_are_kept_for_those_who_wait(anna, boris, courses):
    """Anna's room closes nothing: whoever is moved off her days leaves a slot that somebody may wait for."""
    later = book(courses[2], march(18), time(10), now=MONDAY)
    wait_for_earlier(session=later, by=actor_of(anna), now=MONDAY)
    disruption = plan(away(anna, (march(11), march(11))), actor_of(anna))
    work(disruption)
    apply(disruption, actor_of(anna))

    freed = set(FreedSlot.objects.values_list("starts_at", flat=True))
    assert freed == {at(march(11), 10 + number) for number in range(3)}
