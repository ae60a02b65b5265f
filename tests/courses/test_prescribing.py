"""Prescribing, and changing what is prescribed."""

from dataclasses import replace
from datetime import date
from uuid import uuid4

import pytest

from audit.models import AuditEvent
from clients.models import Client
from courses.core.types import Cadence
from courses.models import (
    ContraindicationOverride,
    Phase,
    RecordedContraindication,
)
from courses.services import (
    CourseDraft,
    change_prescription,
    discontinue_course,
    find_prescribed,
    prescribe_course,
)
from tests.courses.build import MONDAY, assert_in_line, march, refused
from tests.factories import (
    ClientFactory,
    ProtocolFactory,
    StaffMemberFactory,
    actor_of,
    intensive,
    maintenance,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(clinic, client_row, protocol):
    return CourseDraft(clinic, client_row, protocol, march(2), (intensive(), maintenance()))


def test_prescribing_writes_a_course_one_revision_and_its_phases(draft, member, by):
    course = prescribe_course(draft=draft, by=by, now=MONDAY)

    assert (course.status, course.start_on, course.prescribed_by, course.activated_at, course.version) == (
        "active",
        march(2),
        member,
        MONDAY,
        2,
    )
    assert list(course.revisions.values_list("number", "reason", "by")) == [(1, "", member.pk)]
    phases = Phase.objects.filter(revision__course=course)
    assert list(phases.values_list("position", "kind", "sessions_max", "duration_days", "target")) == [
        (0, "intensive", 15, None, None),
        (1, "maintenance", None, 365, None),
    ]
    assert list(AuditEvent.objects.filter(subject_code=course.code).values_list("action", "new")) == [
        ("course.prescribed", {"protocol": str(draft.protocol.code), "start_on": "2026-03-02"})
    ]
    assert_in_line(course, now=MONDAY)


def test_code_chosen_beforehand_is_taken_the_second_time(draft, by):
    code = uuid4()
    course = prescribe_course(draft=draft, by=by, now=MONDAY, code=code)
    other = replace(draft, start_on=march(3))

    with refused("code_taken"):
        prescribe_course(draft=other, by=by, now=MONDAY, code=code)

    assert course.code == code
    assert prescribe_course(draft=other, by=by, now=MONDAY).code != code


def test_draft_is_found_as_the_running_course_it_became(draft, clinic, member, by):
    assert find_prescribed(draft) is None
    course = prescribe_course(draft=draft, by=by, now=MONDAY)

    assert find_prescribed(draft) == course
    for change in (
        {"client": ClientFactory(clinic=clinic)},
        {"protocol": ProtocolFactory(clinic=clinic)},
        {"start_on": march(3)},
        {"practitioner": member},
        {"phases": (intensive(),)},
        {"phases": (intensive(grace_days=2), maintenance())},
    ):
        assert find_prescribed(replace(draft, **change)) is None
    discontinue_course(course=course, by=by, now=MONDAY, reason="moved")
    assert find_prescribed(draft) is None


@pytest.mark.parametrize("role", ["practitioner", "receptionist", "analyst"])
def test_only_prescribers_prescribe(draft, clinic, role):
    by = actor_of(StaffMemberFactory(clinic=clinic, role=role))

    with refused("prescriber_required"):
        prescribe_course(draft=draft, by=by, now=MONDAY)


def test_prescriber_of_another_clinic_is_refused(draft, foreign_member):
    with refused("prescriber_required"):
        prescribe_course(draft=draft, by=actor_of(foreign_member), now=MONDAY)


def test_foreign_parts_of_a_draft_are_refused(draft, clinic, by, foreign_member):
    idle = StaffMemberFactory(clinic=clinic, is_active=False)
    for changes, code, field in (
        ({"client": ClientFactory()}, "client_unknown", "client"),
        ({"client": ClientFactory(clinic=clinic, erased_at=MONDAY)}, "client_unknown", "client"),
        ({"protocol": ProtocolFactory()}, "protocol_unknown", "protocol"),
        ({"practitioner": foreign_member}, "practitioner_unknown", "practitioner"),
        ({"practitioner": idle}, "practitioner_unknown", "practitioner"),
        ({"start_on": date(2027, 3, 4)}, "start_out_of_range", "start_on"),
        ({"start_on": date(2023, 2, 26)}, "start_out_of_range", "start_on"),
        ({"phases": ()}, "bad_prescription", "phases"),
        ({"minutes_by_session": ((20,),)}, "minutes_unmatched", "minutes_by_session"),
        ({"minutes_by_session": ((20,), (0,))}, "minutes_out_of_range", "minutes_by_session[1]"),
        ({"overrides": {"gout": "why"}}, "unknown_condition", "overrides.gout"),
        ({"overrides": {"influenza": "x" * 401}}, "text_too_long", "overrides.influenza"),
    ):
        with refused(code, field):
            prescribe_course(draft=replace(draft, **changes), by=by, now=MONDAY)


@pytest.mark.parametrize(
    ("phase", "field"),
    [
        (intensive(cadence=Cadence.of(1, 3, 2)), "phases[0].cadence.period_min"),
        (intensive(cadence=Cadence.of(3, 2, 2)), "phases[0].cadence.frequency"),
        (intensive(sessions_min=None), "phases[0].sessions_min"),
        (intensive(sessions_min=16), "phases[0].sessions_min"),
        (intensive(target=16), "phases[0].target"),
        (intensive(grace_days=15), "phases[0].grace_days"),
        (intensive(sessions_min=None, sessions_max=None), "phases[0].sessions_max"),
        (maintenance(duration_days=36_000), "phases[0].duration_days"),
        (intensive(minutes_max=601), "phases[0].minutes_max"),
        (intensive(minutes_min=None, minutes_max=30), "phases[0].minutes_min"),
        (intensive(minutes_min=30, minutes_max=None), "phases[0].minutes_max"),
    ],
)
def test_phase_that_no_calendar_keeps_is_refused_by_its_path(draft, by, phase, field):
    with refused("bad_prescription", field):
        prescribe_course(draft=replace(draft, phases=(phase,)), by=by, now=MONDAY)


def record_condition(client, condition, to_on=None):
    return RecordedContraindication.objects.create(
        clinic=client.clinic,
        client=client,
        condition=condition,
        from_on=date(2026, 1, 1),
        to_on=to_on,
        created_at=MONDAY,
    )


def test_permanent_condition_blocks_until_overridden_in_writing(draft, by, member):
    record_condition(draft.client, "tuberculosis")

    for overrides in ({}, {"tuberculosis": "  "}):
        with refused("contraindicated", "overrides.tuberculosis"):
            prescribe_course(draft=replace(draft, overrides=overrides), by=by, now=MONDAY)
    course = prescribe_course(draft=replace(draft, overrides={"tuberculosis": " healed "}), by=by, now=MONDAY)

    assert list(ContraindicationOverride.objects.values_list("course", "condition", "reason", "by")) == [
        (course.pk, "tuberculosis", "healed", member.pk)
    ]
    assert "healed" not in str(list(AuditEvent.objects.values_list("new")))


def test_temporary_and_past_conditions_do_not_block(draft, by):
    record_condition(draft.client, "influenza")
    record_condition(draft.client, "tuberculosis", to_on=march(1))

    assert prescribe_course(draft=draft, by=by, now=MONDAY).status == "active"


def test_change_adds_a_revision_and_keeps_the_old(course, by):
    change_prescription(
        course=course, phases=[intensive(sessions_min=5, sessions_max=5)], by=by, now=MONDAY, reason="milder"
    )

    assert list(course.revisions.values_list("number", "reason")) == [(1, ""), (2, "milder")]
    assert [phases.count() for phases in (r.phases for r in course.revisions.all())] == [2, 1]
    assert_in_line(course, now=MONDAY)


def test_change_needs_prescriber_reason_and_phases(course, by, receptionist):
    phases = [intensive()]
    with refused("prescriber_required"):
        change_prescription(course=course, phases=phases, by=receptionist, now=MONDAY, reason="x")
    with refused("reason_required", "reason"):
        change_prescription(course=course, phases=phases, by=by, now=MONDAY, reason=" ")
    with refused("text_too_long", "reason"):
        change_prescription(course=course, phases=phases, by=by, now=MONDAY, reason="x" * 201)
    with refused("bad_prescription", "phases"):
        change_prescription(course=course, phases=[], by=by, now=MONDAY, reason="x")


def test_client_erased_since_the_draft_was_begun_gets_no_course(draft, client_row, by):
    Client.objects.filter(pk=client_row.pk).update(erased_at=MONDAY)

    with refused("client_unknown", "client"):
        prescribe_course(draft=draft, by=by, now=MONDAY)
