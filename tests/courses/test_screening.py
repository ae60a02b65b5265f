"""Conditions: recording, ending, overriding them."""

from datetime import date

import pytest

from audit.models import AuditEvent
from courses.models import ContraindicationOverride, RecordedContraindication
from courses.services import (
    discontinue_course,
    end_contraindication,
    override_contraindication,
    record_contraindication,
)
from tests.courses.build import MONDAY, actions, assert_in_line, march, open_kinds, refused, resolved
from tests.factories import book

pytestmark = pytest.mark.django_db


@pytest.fixture
def influenza(course, by):
    book(course, march(3), now=MONDAY)
    return record_contraindication(
        client=course.client, condition="influenza", from_on=march(2), to_on=None, by=by, now=MONDAY
    )


def test_recording_flags_the_bookings_of_every_running_course(course, influenza):
    assert open_kinds(course) == ["contraindicated"]
    assert_in_line(course, now=MONDAY)
    assert actions(course)[-1] == "course.condition_recorded"


def test_which_condition_it_is_stays_out_of_the_audit_trail(course, influenza):
    events = AuditEvent.objects.filter(subject_code=course.client.code)

    assert list(events.values_list("action", "new")) == [
        ("client.condition_recorded", {"from_on": "2026-03-02", "to_on": None})
    ]
    assert "influenza" not in str(list(AuditEvent.objects.values()))


def test_ended_condition_resolves_the_flag_and_is_audited(course, influenza, by):
    end_contraindication(contraindication=influenza, to_on=march(2), by=by, now=MONDAY)

    assert ("contraindicated", "corrected") in resolved(course)
    event = AuditEvent.objects.get(action="client.condition_ended")
    assert event.new == {"to_on": "2026-03-02"}
    with refused("range_upside_down", "to_on"):
        end_contraindication(contraindication=influenza, to_on=march(1), by=by, now=MONDAY)


def test_override_needs_a_prescriber_a_reason_and_a_known_condition(course, influenza, by, receptionist):
    arguments = {"course": course, "condition": "influenza", "now": MONDAY}
    with refused("prescriber_required"):
        override_contraindication(**arguments, reason="mild", by=receptionist)
    with refused("reason_required", "reason"):
        override_contraindication(**arguments, reason=" ", by=by)
    with refused("text_too_long", "reason"):
        override_contraindication(**arguments, reason="x" * 401, by=by)
    with refused("unknown_condition", "condition"):
        override_contraindication(**arguments | {"condition": "gout"}, reason="mild", by=by)
    override_contraindication(**arguments, reason=" mild ", by=by)

    assert list(ContraindicationOverride.objects.values_list("condition", "reason", "by")) == [
        ("influenza", "mild", by.staff_member_id)
    ]
    assert ("contraindicated", "decided") in resolved(course)
    with refused("override_twice", "condition"):
        override_contraindication(**arguments, reason="other", by=by)


def test_impossible_conditions_are_refused(course, by):
    arguments = {"client": course.client, "from_on": march(2), "by": by, "now": MONDAY}
    with refused("range_upside_down", "to_on"):
        record_contraindication(**arguments, condition="influenza", to_on=march(1))
    with refused("unknown_condition", "condition"):
        record_contraindication(**arguments, condition="boredom", to_on=None)
    with refused("text_too_long", "note"):
        record_contraindication(**arguments, condition="influenza", to_on=None, note="x" * 201)


def test_courses_that_are_over_are_left_alone(course, by):
    discontinue_course(course=course, by=by, now=MONDAY, reason="moved")
    version = type(course).objects.get(pk=course.pk).version

    record_contraindication(
        client=course.client,
        condition="influenza",
        from_on=march(2),
        to_on=date(2026, 4, 1),
        by=by,
        now=MONDAY,
    )

    assert RecordedContraindication.objects.count() == 1
    assert type(course).objects.get(pk=course.pk).version == version
