"""What the database refuses by itself, whoever writes: one row that passes each constraint, one that breaks it."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from courses.models import (
    ContraindicationOverride,
    Course,
    Flag,
    Pause,
    Phase,
    PhaseEnd,
    PlanRevision,
    PrescriptionRevision,
    Protocol,
    Restart,
    TreatmentSession,
)
from tests.courses.build import MONDAY, march
from tests.factories import ClientFactory, StaffMemberFactory

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def slot(day, *, hours=8, length=1):
    start = MONDAY + timedelta(days=day - 2, hours=hours - 6)
    return {"on": march(day), "starts_at": start, "ends_at": start + length * HOUR}


def session(course, **values):
    base = {"clinic": course.clinic, "course": course, "client": course.client, "created_at": MONDAY}
    return TreatmentSession(**base | {"status": "booked", **slot(3)} | values)


def flag(course, **values):
    base = {"clinic": course.clinic, "course": course, "kind": "overdue", "severity": "warning"}
    base |= {"severity_rank": 2, "days": 1, "since_on": march(2), "opened_at": MONDAY, "updated_at": MONDAY}
    return Flag(**base | values)


def pause(course, **values):
    base = {"clinic": course.clinic, "course": course, "from_on": march(3), "to_on": march(4)}
    return Pause(**base | {"reason": "travel", "created_at": MONDAY} | values)


def phase(course, **values):
    revision = PrescriptionRevision.objects.get(course=course)
    base = {"clinic": course.clinic, "revision": revision, "position": 7, "kind": "intensive"}
    base |= {"frequency": 1, "period_min": 1, "period_max": 2, "rest_days": 1, "flex_days": 0}
    base |= {"sessions_min": 1, "sessions_max": 2, "grace_days": 0, "lapse_days": 1}
    return Phase(**base | values)


def protocol(course, **values):
    base = {"clinic": course.clinic, "slug": "a", "name_en": "A", "created_at": MONDAY}
    return Protocol(**base | values)


def decided(model, course, **values):
    return model(clinic=course.clinic, course=course, by=course.prescribed_by, created_at=MONDAY, **values)


def saved(row):
    """Write a row inside a savepoint, deferred checks included."""
    with transaction.atomic():
        row.save()
        connection.check_constraints()
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


BROKEN = {
    "slot without end": (session, {"ends_at": None}, {}),
    "slot without start": (session, {"status": "planned", "starts_at": None}, {"status": "planned"}),
    "slot upside down": (session, slot(3, length=-1), slot(3)),
    "booking without slot": (
        session,
        {"starts_at": None, "ends_at": None},
        {"status": "planned", "starts_at": None, "ends_at": None},
    ),
    "unknown status": (session, {"status": "lost"}, {"status": "confirmed"}),
    "outcome without time": (session, {"status": "no_show"}, {"status": "no_show", "outcome_at": MONDAY}),
    "booking with outcome": (session, {"outcome_at": MONDAY}, {}),
    "pain before": (session, {"pain_before": 11}, {"pain_before": 10}),
    "pain after": (session, {"pain_after": 11}, {"pain_after": 10}),
    "flag with neither": (flag, {"days": None}, {"days": None, "count": 1}),
    "flag with both": (flag, {"count": 1}, {}),
    "flag resolved without reason": (
        flag,
        {"resolved_at": MONDAY},
        {"resolved_at": MONDAY, "resolved_reason": "time"},
    ),
    "flag acknowledged by nobody": (flag, {"acknowledged_at": MONDAY}, {}),
    "flag of an unknown kind": (flag, {"kind": "tired"}, {"kind": "behind"}),
    "flag of an unknown severity": (flag, {"severity": "mild"}, {"severity": "notice"}),
    "flag of an unknown cause": (flag, {"cause": "weather"}, {"cause": "both"}),
    "pause for an unknown reason": (pause, {"reason": "boredom"}, {"reason": "other"}),
    "phase of an unknown kind": (phase, {"kind": "short"}, {"kind": "maintenance"}),
    "pause upside down": (pause, {"to_on": march(2)}, {"to_on": march(3)}),
    "phase more often than days": (phase, {"frequency": 3}, {"frequency": 2}),
    "phase period upside down": (phase, {"period_min": 3}, {"period_min": 2}),
    "phase without rest": (phase, {"rest_days": 0}, {}),
    "phase too loose": (phase, {"flex_days": 1}, {"period_min": 2, "flex_days": 1}),
    "phase without amount": (
        phase,
        {"sessions_min": None, "sessions_max": None},
        {"sessions_min": None, "sessions_max": None, "duration_days": 1},
    ),
    "phase with half a range": (phase, {"sessions_min": None}, {}),
    "phase range upside down": (phase, {"sessions_min": 3}, {"sessions_min": 2}),
    "phase of no days": (phase, {"duration_days": 0}, {"duration_days": 1}),
    "phase grace above lapse": (phase, {"grace_days": 2}, {"grace_days": 1}),
    "phase half a length": (phase, {"minutes_max": 30}, {"minutes_min": 30, "minutes_max": 30}),
    "phase length upside down": (
        phase,
        {"minutes_min": 31, "minutes_max": 30},
        {"minutes_min": 29, "minutes_max": 30},
    ),
    "phase target beyond": (phase, {"target": 3}, {"target": 2}),
    "phase target of no range": (
        phase,
        {"sessions_min": None, "sessions_max": None, "duration_days": 9, "target": 2},
        {"sessions_min": None, "sessions_max": None, "duration_days": 9},
    ),
    "retired version out of force": (
        protocol,
        {"is_current": False, "retired_at": MONDAY},
        {"retired_at": MONDAY},
    ),
    "phase position twice": (phase, {"position": 0}, {"position": 2}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_row_that_breaks_a_constraint_is_refused_and_its_neighbour_passes(course, name):
    make, broken, sound = BROKEN[name]

    with pytest.raises(IntegrityError):
        saved(make(course, **broken))
    saved(make(course, **sound))


TWICE = {
    "session of a day": lambda course: (session(course), session(course, **slot(3, hours=12))),
    "open flag of a kind": lambda course: (flag(course), flag(course)),
    "open-ended pause": lambda course: (
        pause(course, to_on=None),
        pause(course, from_on=march(20), to_on=None),
    ),
    "pause of a day": lambda course: (pause(course), pause(course, to_on=march(3))),
    "restart of a day": lambda course: tuple(decided(Restart, course, restart_on=march(3)) for _ in "12"),
    "end of a phase": lambda course: tuple(
        decided(PhaseEnd, course, phase_position=0, ended_on=march(3)) for _ in "12"
    ),
    "override": lambda course: tuple(
        decided(ContraindicationOverride, course, condition="gout", reason="mild") for _ in "12"
    ),
    "plan number": lambda course: tuple(
        decided(PlanRevision, course, number=1, policy="shift") for _ in "12"
    ),
    "revision number": lambda course: tuple(
        decided(PrescriptionRevision, course, number=2, reason="milder") for _ in "12"
    ),
    "current version of a protocol": lambda course: tuple(
        Protocol(clinic=course.clinic, slug="a", version=n, name_en="A", created_at=MONDAY) for n in (1, 2)
    ),
}


@pytest.mark.parametrize("name", TWICE)
def test_second_of_what_there_is_one_of_is_refused(course, name):
    first, second = TWICE[name](course)
    saved(first)

    with pytest.raises(IntegrityError):
        saved(second)


@pytest.mark.parametrize(
    "values",
    [
        {"status": "gone"},
        {"status": "completed"},
        {"ended_at": MONDAY},
        {"activated_at": None},
        {"status": "discontinued", "ended_at": MONDAY},
    ],
)
def test_half_changed_course_is_refused(course, values):
    with pytest.raises(IntegrityError), transaction.atomic():
        Course.objects.filter(pk=course.pk).update(**values)
    sound = {"status": "discontinued", "ended_at": MONDAY, "end_reason": "moved"}
    assert Course.objects.filter(pk=course.pk).update(**sound) == 1


def test_decisions_need_their_reasons(course):
    with pytest.raises(IntegrityError):
        saved(decided(PrescriptionRevision, course, number=2, reason=""))
    with pytest.raises(IntegrityError):
        saved(decided(ContraindicationOverride, course, condition="gout", reason=""))


@pytest.mark.postgres
@pytest.mark.parametrize("shared", ["practitioner", "room", "client"])
def test_database_refuses_overlapping_bookings(course, member, room, shared):
    common = {"practitioner": {"practitioner": member}, "room": {"room": room}, "client": {}}[shared]
    other = Course.objects.get(pk=course.pk)
    other.pk, other.code = None, "00000000-0000-4000-8000-000000000001"
    if shared != "client":
        other.client = ClientFactory(clinic=course.clinic)
    other.save()
    saved(session(course, **common))

    with pytest.raises(IntegrityError, match=f"session_{shared}_free"):
        saved(session(other, **common))
    saved(session(other, **common, **slot(3, hours=9)))


@pytest.mark.postgres
def test_database_refuses_overlapping_pauses(course):
    saved(pause(course))

    with pytest.raises(IntegrityError, match="pause_no_overlap"):
        saved(pause(course, from_on=march(4), to_on=march(5)))
    saved(pause(course, from_on=march(5), to_on=None))


@pytest.mark.postgres
def test_database_refuses_a_session_of_another_client(course):
    other = ClientFactory(clinic=course.clinic)

    with pytest.raises(IntegrityError, match="session_client_of_course"):
        saved(session(course, client=other))
    saved(session(course))


@pytest.mark.postgres
def test_database_refuses_parents_of_another_clinic(course, foreign_member):
    stranger = ClientFactory(clinic=foreign_member.clinic)

    for row in (
        session(course, practitioner=foreign_member),
        session(course, client=stranger),
        session(course, clinic=foreign_member.clinic),
        flag(course, clinic=foreign_member.clinic),
        pause(course, clinic=foreign_member.clinic),
        phase(course, clinic=foreign_member.clinic),
        session(course, status="no_show", outcome_at=MONDAY, outcome_by=foreign_member),
        protocol(course, created_by=foreign_member),
    ):
        with pytest.raises(IntegrityError, match="same_clinic"):
            saved(row)
    saved(session(course, practitioner=StaffMemberFactory(clinic=course.clinic)))
