"""Nothing of one clinic is seen or moved by what another clinic does."""

import pytest

from courses.models import Course, TreatmentSession
from courses.services import (
    add_closure,
    apply_plan,
    change_prescription,
    end_phase,
    override_contraindication,
    propose_plan,
    reassess_clinic,
    restart_course,
    set_target,
)
from tests.courses.build import MONDAY, all_rows, march, refused
from tests.factories import actor_of, book, intensive, prescribe

pytestmark = pytest.mark.django_db


def rows_of(clinic):
    return {
        label: [row for row in rows if row.get("clinic_id") == clinic.pk]
        for label, rows in all_rows().items()
    }


def test_prescriber_of_another_clinic_decides_nothing(course, foreign_member):
    stranger = {"course": course, "by": actor_of(foreign_member), "now": MONDAY}

    for verb, arguments in (
        (set_target, {"target": 10}),
        (end_phase, {"on": march(2)}),
        (restart_course, {"on": march(2)}),
        (change_prescription, {"phases": [intensive()], "reason": "why"}),
        (override_contraindication, {"condition": "influenza", "reason": "why"}),
    ):
        with refused("prescriber_required"):
            verb(**stranger, **arguments)


def test_calendar_of_one_clinic_leaves_the_others_alone(course, foreign_member):
    book(course, march(3), now=MONDAY)
    before = rows_of(course.clinic)

    add_closure(
        clinic=foreign_member.clinic,
        from_on=march(3),
        to_on=march(3),
        by=actor_of(foreign_member),
        now=MONDAY,
    )

    assert rows_of(course.clinic) == before
    assert reassess_clinic(foreign_member.clinic, now=MONDAY) == 0


def test_plan_knows_the_people_and_rooms_of_its_own_clinic_only(course, by, room, foreign_member):
    other = prescribe(member=foreign_member)
    book(other, march(2), now=MONDAY)
    row = Course.objects.select_related("clinic", "client", "practitioner").get(pk=course.pk)

    apply_plan(course=course, proposal=propose_plan(course=row, now=MONDAY), by=by, now=MONDAY)

    found = TreatmentSession.objects.filter(course=course, status="booked")
    assert set(found.values_list("clinic", "practitioner__clinic", "room__clinic", "client__clinic")) == {
        (course.clinic_id,) * 4
    }
    assert other.sessions.get().starts_at == found.order_by("on").first().starts_at.replace(hour=8)
