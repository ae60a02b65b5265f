"""Previewing and proposing plans, which saves nothing."""

from dataclasses import replace
from datetime import timedelta

import pytest

from clinics.models import OpeningHours
from courses.core.plan import PlanTooLargeError
from courses.core.types import Cadence
from courses.services import (
    CourseDraft,
    discontinue_course,
    preview_course,
    propose_plan,
    record_attendance,
    record_contraindication,
    record_no_show,
)
from tests.courses.build import FIVE, MONDAY, all_rows, apply_best, at, fresh_course, march, refused
from tests.factories import book, intensive, prescribe

pytestmark = pytest.mark.django_db


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


def test_catching_up_ends_no_later_than_before(member, by):
    course = prescribe(member=member, phases=[intensive(cadence=Cadence.of(1, 1, 3), sessions_max=10)])
    apply_best(course, by)
    first, second, third, *_, last = course.sessions.order_by("on")
    record_attendance(session=first, by=by, now=at(first.on, 19))
    now = at(third.on, 19)
    for missed in (second, third):
        record_no_show(session=missed, by=by, now=now)

    shifted = propose_plan(course=fresh_course(course), now=now)
    caught = propose_plan(course=fresh_course(course), now=now, policy="catch_up")

    assert shifted.plan.cost.last_on > last.on
    assert (caught.plan.cost.last_on <= last.on, len(caught.plan.planned)) == (True, 9)


def test_dropping_what_was_not_missed_or_is_needed_is_refused(member, five, by):
    with refused("nothing_to_drop"):
        propose_plan(course=fresh_course(five), now=MONDAY, policy="drop")
    strict = prescribe(member=member, phases=[intensive(sessions_min=5, sessions_max=5)])
    session = book(strict, march(2), now=MONDAY)
    record_no_show(session=session, by=by, now=at(march(2), 12))

    with refused("drop_below_least"):
        propose_plan(course=fresh_course(strict), now=at(march(2), 12), policy="drop")


def test_finished_course_and_wild_counts_are_refused(five, by):
    for count in (-1, 401):
        with refused("count_out_of_range", "count"):
            propose_plan(course=fresh_course(five), now=MONDAY, count=count)
    discontinue_course(course=five, by=by, now=MONDAY, reason="moved")

    with refused("course_not_open"):
        propose_plan(course=fresh_course(five), now=MONDAY)


def test_sessions_beyond_the_prescription_are_no_failure_but_those_without_a_slot_are(five, by):
    years = timedelta(days=5000)
    record_contraindication(
        client=five.client, condition="influenza", from_on=march(4), to_on=march(4) + years, by=by, now=MONDAY
    )

    found = propose_plan(course=fresh_course(five), now=MONDAY, count=9).plan

    assert [session.on for session in found.planned] == [march(2), march(3)]
    assert [(note.kind, note.number) for note in found.notes] == [("no_slot", 3)]


@pytest.mark.parametrize("policy", ["shift", "catch_up", "drop"])
def test_plan_takes_no_more_work_than_the_settings_allow(five, by, settings, policy):
    apply_best(five, by)
    now = at(march(2), 19)
    record_no_show(session=five.sessions.order_by("on").first(), by=by, now=now)
    settings.PLAN_MOST_STEPS = 10

    with refused("plan_too_large", "count"):
        propose_plan(course=fresh_course(five), now=now, policy=policy)


def test_plan_out_of_reach_is_a_refusal(five, monkeypatch):
    def too_large(request, **options):
        raise PlanTooLargeError("too many")

    monkeypatch.setattr("courses.services.proposing.plan", too_large)

    with refused("plan_too_large", "count"):
        propose_plan(course=fresh_course(five), now=MONDAY)


def test_plan_of_attended_sessions_places_only_the_rest(five, by):
    apply_best(five, by)
    first = five.sessions.order_by("on").first()
    now = at(march(2), 19)
    record_attendance(session=first, by=by, now=now)

    proposal = propose_plan(course=fresh_course(five), now=now)

    assert len(proposal.plan.planned) == 4
    assert replace(proposal, before=()).digest == proposal.digest
