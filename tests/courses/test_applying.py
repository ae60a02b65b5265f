"""Applying plans: all of a proposal as it was shown, or nothing."""

from datetime import time, timedelta

import pytest

from courses.models import TreatmentSession
from courses.services import (
    add_absence,
    add_closure,
    apply_plan,
    pause_course,
    propose_plan,
    record_arrival,
    record_no_show,
    remove_absence,
)
from tests.courses.build import (
    FIVE,
    MONDAY,
    actions,
    apply_best,
    assert_in_line,
    at,
    days_of,
    fresh_course,
    march,
    open_kinds,
    refused,
)
from tests.factories import book, prescribe

pytestmark = pytest.mark.django_db


def test_applied_plan_books_what_was_proposed(five, by, room):
    proposal = propose_plan(course=fresh_course(five), now=MONDAY)

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
    apply_best(five, by)
    rows = list(TreatmentSession.objects.order_by("pk").values())

    revision = apply_best(five, by)

    assert list(TreatmentSession.objects.order_by("pk").values()) == rows
    assert revision.before == revision.after


def test_proposal_is_stale_once_the_course_changed(five, by):
    proposal = propose_plan(course=fresh_course(five), now=MONDAY)
    book(five, march(2), now=MONDAY)

    with refused("stale_plan"):
        apply_plan(course=five, proposal=proposal, by=by, now=MONDAY)


def test_proposal_is_applied_once(five, by):
    proposal = propose_plan(course=fresh_course(five), now=MONDAY)
    apply_plan(course=five, proposal=proposal, by=by, now=MONDAY)

    with refused("stale_plan"):
        apply_plan(course=five, proposal=proposal, by=by, now=MONDAY)


def test_proposal_is_stale_once_the_calendar_changed(five, member, by):
    proposal = propose_plan(course=fresh_course(five), now=MONDAY)
    add_closure(clinic=five.clinic, from_on=march(3), to_on=march(3), by=by, now=MONDAY)
    with refused("stale_plan"):
        apply_plan(course=five, proposal=proposal, by=by, now=MONDAY)

    proposal = propose_plan(course=fresh_course(five), now=MONDAY)
    absence = add_absence(practitioner=member, from_on=march(4), to_on=march(4), by=by, now=MONDAY)
    with refused("stale_plan"):
        apply_plan(course=five, proposal=proposal, by=by, now=MONDAY)

    proposal = propose_plan(course=fresh_course(five), now=MONDAY)
    remove_absence(absence=absence, by=by, now=MONDAY)
    with refused("stale_plan"):
        apply_plan(course=five, proposal=proposal, by=by, now=MONDAY)


def test_proposal_is_stale_once_its_first_time_has_passed(five, by):
    proposal = propose_plan(course=fresh_course(five), now=MONDAY)
    later = proposal.plan.planned[0].start + timedelta(seconds=1)

    with refused("stale_plan"):
        apply_plan(course=five, proposal=proposal, by=by, now=later)


def test_proposal_of_another_course_is_refused(five, member, by):
    other = prescribe(member=member, phases=FIVE)
    proposal = propose_plan(course=fresh_course(other), now=MONDAY)

    with refused("stale_plan"):
        apply_plan(course=five, proposal=proposal, by=by, now=MONDAY)


def test_slot_taken_meanwhile_refuses_the_whole_plan(five, member, by):
    other = prescribe(member=member)
    proposal = propose_plan(course=fresh_course(five), now=MONDAY)
    taken = proposal.plan.planned[2]
    book(other, taken.on, taken.start.timetz().replace(tzinfo=None), now=MONDAY)

    with refused("slot_taken", "practitioner"):
        apply_plan(course=five, proposal=proposal, by=by, now=MONDAY)


def test_shift_moves_the_rest_and_keeps_the_number(five, by):
    apply_best(five, by)
    first = five.sessions.order_by("on").first()
    now = at(march(2), 19)
    record_no_show(session=first, by=by, now=now)

    apply_best(five, by, now=now)

    assert days_of(five, "no_show") == [2]
    assert len(days_of(five)) == 5
    assert_in_line(five, now=now)


def test_dropping_needs_a_prescriber_and_lowers_the_goal(five, by, receptionist):
    apply_best(five, by)
    now = at(march(2), 19)
    record_no_show(session=five.sessions.order_by("on").first(), by=by, now=now)
    proposal = propose_plan(course=fresh_course(five), now=now, policy="drop")
    assert len(proposal.plan.planned) == 4

    with refused("prescriber_required"):
        apply_plan(course=five, proposal=proposal, by=receptionist, now=now)
    apply_plan(course=five, proposal=proposal, by=by, now=now)

    newest = five.revisions.order_by("-number").first()
    assert (newest.number, newest.phases.get().target) == (2, 4)
    assert len(days_of(five)) == 4
    assert_in_line(five, now=now)


def test_pinned_arrived_and_begun_bookings_stay(five, by):
    pinned = book(five, march(5), time(17), now=MONDAY)
    apply_best(five, by)
    first = five.sessions.order_by("on").first()
    begun_at = first.starts_at + timedelta(minutes=5)

    proposal = propose_plan(course=fresh_course(five), now=begun_at)

    assert {row.pk for row in proposal.before} == set(
        five.sessions.exclude(pk__in=[pinned.pk, first.pk]).values_list("pk", flat=True)
    )
    record_arrival(session=first, by=by, now=begun_at)
    apply_plan(
        course=five, proposal=propose_plan(course=fresh_course(five), now=begun_at), by=by, now=begun_at
    )
    first.refresh_from_db()
    assert (first.status, first.starts_at) == ("arrived", begun_at - timedelta(minutes=5))
    pinned.refresh_from_db()
    assert pinned.starts_at == at(march(5), 17)


def test_plan_after_a_pause_leaves_its_days_free(five, by):
    apply_best(five, by)
    pause_course(course=five, from_on=march(4), to_on=march(7), reason="travel", by=by, now=MONDAY)
    assert open_kinds(five) == ["misbooked"]

    apply_best(five, by)

    assert not set(days_of(five)) & {4, 5, 6, 7}
    assert open_kinds(five) == []
    assert [flag.resolved_reason for flag in five.flags.filter(kind="misbooked")] == ["rebooked"]
