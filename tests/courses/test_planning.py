"""Previewing, proposing and applying plans, and rolling them forward."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from clinics.models import OpeningHours
from courses.core.plan import PlanTooLargeError
from courses.core.types import Cadence
from courses.models import Course, PlanRevision, TreatmentSession
from courses.services import (
    CourseDraft,
    add_absence,
    add_closure,
    apply_plan,
    discontinue_course,
    pause_course,
    preview_course,
    propose_plan,
    record_arrival,
    record_attendance,
    record_contraindication,
    record_no_show,
    remove_absence,
    roll_forward_due,
)
from tests.courses.build import MONDAY, actions, all_rows, assert_in_line, at, march, open_kinds, refused
from tests.factories import book, intensive, maintenance, prescribe

pytestmark = pytest.mark.django_db

FIVE = [intensive(sessions_min=3, sessions_max=5)]


@pytest.fixture
def five(member, client_row, protocol):
    """A course of five sessions, every one to two days, nothing booked."""
    return prescribe(member=member, client=client_row, protocol=protocol, phases=FIVE)


def fresh(course):
    return Course.objects.select_related("clinic", "client", "protocol", "practitioner").get(pk=course.pk)


def plan(course, by, now=MONDAY, **options):
    proposal = propose_plan(course=fresh(course), now=now, **options)
    return apply_plan(course=course, proposal=proposal, by=by, now=now)


def days(course, *statuses):
    rows = course.sessions.filter(status__in=statuses or ("booked", "confirmed", "arrived"))
    return [on.day for on in rows.order_by("on").values_list("on", flat=True)]


def test_preview_saves_nothing_and_keeps_clear_of_conditions(clinic, client_row, protocol, by):
    record_contraindication(
        client=client_row, condition="influenza", from_on=march(2), to_on=march(5), by=by, now=MONDAY
    )
    draft = CourseDraft(clinic, client_row, protocol, march(2), tuple(FIVE))
    before = all_rows()

    preview = preview_course(draft=draft, now=MONDAY)

    assert all_rows() == before
    assert [planned.on.day for planned in preview.plan.planned] == [6, 7, 9, 10, 11]
    assert len(preview.warnings) == 1


def test_preview_without_opening_hours_is_refused(clinic, client_row, protocol):
    OpeningHours.objects.all().delete()

    with refused("never_open"):
        preview_course(draft=CourseDraft(clinic, client_row, protocol, march(2), tuple(FIVE)), now=MONDAY)


def test_applied_plan_books_what_was_proposed(five, by, room):
    proposal = propose_plan(course=fresh(five), now=MONDAY)

    revision = apply_plan(course=five, proposal=proposal, by=by, now=MONDAY)

    rows = list(five.sessions.order_by("on"))
    assert [(row.on, row.starts_at, row.status, row.is_pinned) for row in rows] == [
        (planned.on, planned.start, "booked", False) for planned in proposal.plan.planned
    ]
    assert [row.room for row in rows] == [room] * 5
    assert (revision.number, revision.policy, revision.before, len(revision.after)) == (1, "shift", [], 5)
    assert revision.after[0] == {
        "session": str(rows[0].code),
        "on": rows[0].on.isoformat(),
        "start": rows[0].starts_at.isoformat(),
        "end": rows[0].ends_at.isoformat(),
        "practitioner": str(five.prescribed_by.code),
        "room": str(room.code),
    }
    assert actions(five)[-1] == "course.plan_applied"
    assert open_kinds(five) == []
    assert_in_line(five, now=MONDAY)


def test_same_plan_again_moves_nothing(five, by):
    plan(five, by)
    rows = list(TreatmentSession.objects.order_by("pk").values())

    revision = plan(five, by)

    assert list(TreatmentSession.objects.order_by("pk").values()) == rows
    assert revision.before == revision.after


def test_proposal_is_stale_once_the_course_changed(five, by):
    proposal = propose_plan(course=fresh(five), now=MONDAY)
    book(five, march(2), now=MONDAY)

    with refused("stale_plan"):
        apply_plan(course=five, proposal=proposal, by=by, now=MONDAY)


def test_proposal_is_applied_once(five, by):
    proposal = propose_plan(course=fresh(five), now=MONDAY)
    apply_plan(course=five, proposal=proposal, by=by, now=MONDAY)

    with refused("stale_plan"):
        apply_plan(course=five, proposal=proposal, by=by, now=MONDAY)


def test_proposal_is_stale_once_the_calendar_changed(five, member, by):
    proposal = propose_plan(course=fresh(five), now=MONDAY)
    add_closure(clinic=five.clinic, from_on=march(3), to_on=march(3), by=by, now=MONDAY)
    with refused("stale_plan"):
        apply_plan(course=five, proposal=proposal, by=by, now=MONDAY)

    proposal = propose_plan(course=fresh(five), now=MONDAY)
    absence = add_absence(practitioner=member, from_on=march(4), to_on=march(4), by=by, now=MONDAY)
    with refused("stale_plan"):
        apply_plan(course=five, proposal=proposal, by=by, now=MONDAY)

    proposal = propose_plan(course=fresh(five), now=MONDAY)
    remove_absence(absence=absence, by=by, now=MONDAY)
    with refused("stale_plan"):
        apply_plan(course=five, proposal=proposal, by=by, now=MONDAY)


def test_proposal_is_stale_once_its_first_time_has_passed(five, by):
    proposal = propose_plan(course=fresh(five), now=MONDAY)
    later = proposal.plan.planned[0].start + timedelta(seconds=1)

    with refused("stale_plan"):
        apply_plan(course=five, proposal=proposal, by=by, now=later)


def test_proposal_of_another_course_is_refused(five, member, by):
    other = prescribe(member=member, phases=FIVE)
    proposal = propose_plan(course=fresh(other), now=MONDAY)

    with refused("stale_plan"):
        apply_plan(course=five, proposal=proposal, by=by, now=MONDAY)


def test_slot_taken_meanwhile_refuses_the_whole_plan(five, member, by):
    other = prescribe(member=member)
    proposal = propose_plan(course=fresh(five), now=MONDAY)
    taken = proposal.plan.planned[2]
    book(other, taken.on, taken.start.timetz().replace(tzinfo=None), now=MONDAY)

    with refused("slot_taken", "practitioner"):
        apply_plan(course=five, proposal=proposal, by=by, now=MONDAY)


def test_shift_moves_the_rest_and_keeps_the_number(five, by):
    plan(five, by)
    first = five.sessions.order_by("on").first()
    now = at(march(2), 19)
    record_no_show(session=first, by=by, now=now)

    plan(five, by, now=now)

    assert days(five, "no_show") == [2]
    assert len(days(five)) == 5
    assert_in_line(five, now=now)


def test_catching_up_ends_no_later_than_before(member, by):
    course = prescribe(member=member, phases=[intensive(cadence=Cadence.of(1, 1, 3), sessions_max=10)])
    plan(course, by)
    first, second, third, *_, last = course.sessions.order_by("on")
    record_attendance(session=first, by=by, now=at(first.on, 19))
    now = at(third.on, 19)
    for missed in (second, third):
        record_no_show(session=missed, by=by, now=now)

    shifted = propose_plan(course=fresh(course), now=now)
    caught = propose_plan(course=fresh(course), now=now, policy="catch_up")

    assert shifted.plan.cost.last_on > last.on
    assert (caught.plan.cost.last_on <= last.on, len(caught.plan.planned)) == (True, 9)


def test_dropping_needs_a_prescriber_and_lowers_the_goal(five, by, receptionist):
    plan(five, by)
    now = at(march(2), 19)
    record_no_show(session=five.sessions.order_by("on").first(), by=by, now=now)
    proposal = propose_plan(course=fresh(five), now=now, policy="drop")
    assert len(proposal.plan.planned) == 4

    with refused("prescriber_required"):
        apply_plan(course=five, proposal=proposal, by=receptionist, now=now)
    apply_plan(course=five, proposal=proposal, by=by, now=now)

    newest = five.revisions.order_by("-number").first()
    assert (newest.number, newest.phases.get().target) == (2, 4)
    assert len(days(five)) == 4
    assert_in_line(five, now=now)


def test_dropping_what_was_not_missed_or_is_needed_is_refused(member, five, by):
    with refused("nothing_to_drop"):
        propose_plan(course=fresh(five), now=MONDAY, policy="drop")
    strict = prescribe(member=member, phases=[intensive(sessions_min=5, sessions_max=5)])
    session = book(strict, march(2), now=MONDAY)
    record_no_show(session=session, by=by, now=at(march(2), 12))

    with refused("drop_below_least"):
        propose_plan(course=fresh(strict), now=at(march(2), 12), policy="drop")


def test_pinned_arrived_and_begun_bookings_stay(five, by):
    pinned = book(five, march(5), time(17), now=MONDAY)
    plan(five, by)
    first = five.sessions.order_by("on").first()
    begun_at = first.starts_at + timedelta(minutes=5)

    proposal = propose_plan(course=fresh(five), now=begun_at)

    assert {row.pk for row in proposal.before} == set(
        five.sessions.exclude(pk__in=[pinned.pk, first.pk]).values_list("pk", flat=True)
    )
    record_arrival(session=first, by=by, now=begun_at)
    apply_plan(course=five, proposal=propose_plan(course=fresh(five), now=begun_at), by=by, now=begun_at)
    first.refresh_from_db()
    assert (first.status, first.starts_at) == ("arrived", begun_at - timedelta(minutes=5))
    pinned.refresh_from_db()
    assert pinned.starts_at == at(march(5), 17)


def test_plan_after_a_pause_leaves_its_days_free(five, by):
    plan(five, by)
    pause_course(course=five, from_on=march(4), to_on=march(7), reason="travel", by=by, now=MONDAY)
    assert open_kinds(five) == ["misbooked"]

    plan(five, by)

    assert not set(days(five)) & {4, 5, 6, 7}
    assert open_kinds(five) == []
    assert [flag.resolved_reason for flag in five.flags.filter(kind="misbooked")] == ["rebooked"]


def test_finished_course_and_wild_counts_are_refused(five, by):
    for count in (-1, 401):
        with refused("count_out_of_range", "count"):
            propose_plan(course=fresh(five), now=MONDAY, count=count)
    discontinue_course(course=five, by=by, now=MONDAY, reason="moved")

    with refused("course_not_open"):
        propose_plan(course=fresh(five), now=MONDAY)


def test_plan_out_of_reach_is_a_refusal(five, monkeypatch):
    def too_large(request):
        raise PlanTooLargeError("too many")

    monkeypatch.setattr("courses.services.planning.plan", too_large)

    with refused("plan_too_large", "count"):
        propose_plan(course=fresh(five), now=MONDAY)


def test_year_of_maintenance_is_booked_to_the_horizon_and_rolled_forward(member, by):
    course = prescribe(member=member, phases=[maintenance()])
    plan(course, by)
    horizon = march(2) + timedelta(days=60)
    booked = course.sessions.filter(status="booked").count()
    planned = list(course.sessions.filter(status="planned").order_by("on").values_list("on", flat=True))
    assert booked == 5
    assert min(planned) > horizon
    assert len(planned) > 18

    before = at(planned[0] - timedelta(days=60)) - timedelta(hours=8, minutes=1)
    assert roll_forward_due(now=before) == 0
    assert roll_forward_due(now=before + timedelta(minutes=1)) == 1
    assert roll_forward_due(now=before + timedelta(minutes=2)) == 0

    assert course.sessions.filter(status="booked").count() == booked + 1
    assert list(PlanRevision.objects.values_list("number", "policy")) == [(1, "shift"), (2, "roll_forward")]


@pytest.mark.parametrize(("state", "rolled"), [("due", 1), ("overdue", 0), ("lapsed", 0)])
def test_client_who_stays_away_is_booked_no_further(member, by, state, rolled):
    course = prescribe(member=member, phases=[maintenance()])
    plan(course, by)
    Course.objects.filter(pk=course.pk).update(state=state)

    assert roll_forward_due(now=datetime(2026, 4, 1, 6, tzinfo=UTC)) == rolled


def test_what_cannot_be_rolled_forward_blocks_nobody(member, by, monkeypatch):
    course = prescribe(member=member, phases=[maintenance()])
    plan(course, by)
    now = datetime(2026, 4, 1, 6, tzinfo=UTC)
    reached = date(2026, 4, 1) + timedelta(days=60)
    assert course.sessions.filter(status="planned", on__lte=reached).exists()

    def broken(**arguments):
        raise RuntimeError("broken")

    monkeypatch.setattr("courses.services.planning.propose_plan", broken)
    assert roll_forward_due(now=now) == 0

    assert not course.sessions.filter(status="planned", on__lte=reached).exists()
    assert course.sessions.filter(status="planned").exists()


def test_plan_of_attended_sessions_places_only_the_rest(five, by):
    plan(five, by)
    first = five.sessions.order_by("on").first()
    now = at(march(2), 19)
    record_attendance(session=first, by=by, now=now)

    proposal = propose_plan(course=fresh(five), now=now)

    assert len(proposal.plan.planned) == 4
    assert replace(proposal, before=()).digest == proposal.digest
