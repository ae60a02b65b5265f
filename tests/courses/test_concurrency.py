"""Many at once: one slot has one winner, one proposal is applied once, what loses is a refusal, never a fault."""

import itertools
import threading
import uuid
from datetime import time, timedelta

import pytest
from django.db import OperationalError

from courses.errors import CourseError
from courses.models import Course, Flag, TreatmentSession
from courses.services import (
    CourseDraft,
    add_closure,
    apply_plan,
    book_session,
    confirm_session,
    prescribe_course,
    propose_plan,
    record_attendance,
    set_opening_hours,
)
from courses.services.changes import transacting
from tests.courses.build import MONDAY, assert_in_line, at, march
from tests.factories import (
    ClientFactory,
    ProtocolFactory,
    RoomFactory,
    StaffMemberFactory,
    actor_of,
    book,
    intensive,
    prescribe,
)
from tests.races import race, shared_database

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def meeting_place(transactional_db, tmp_path):
    with shared_database(tmp_path):
        yield


@pytest.mark.parametrize("shared", ["practitioner", "room", "client"])
def test_twenty_bookings_of_one_slot_have_one_winner(shared):
    member = StaffMemberFactory()
    room = RoomFactory(clinic=member.clinic)
    protocol = ProtocolFactory(clinic=member.clinic)
    client = ClientFactory(clinic=member.clinic)
    works = []
    for _ in range(20):
        course = prescribe(
            member=member,
            protocol=protocol,
            client=client if shared == "client" else ClientFactory(clinic=member.clinic),
        )
        person = member if shared == "practitioner" else StaffMemberFactory(clinic=member.clinic)
        works.append(
            lambda course=course, person=person: book_session(
                course=Course.objects.get(pk=course.pk),
                starts_at=at(march(2), 10),
                minutes=45,
                practitioner=person,
                room=room if shared == "room" else None,
                by=actor_of(member),
                now=MONDAY,
            )
        )

    outcome = race(works)

    assert outcome == {"won": 1, "slot_taken": 19}
    assert TreatmentSession.objects.count() == 1


def test_one_proposal_applied_by_many_is_applied_once():
    member = StaffMemberFactory()
    course = prescribe(member=member, phases=[intensive(sessions_min=5, sessions_max=5)])
    proposal = propose_plan(course=Course.objects.select_related("clinic").get(pk=course.pk), now=MONDAY)

    outcome = race(
        [
            lambda: apply_plan(
                course=Course.objects.get(pk=course.pk), proposal=proposal, by=actor_of(member), now=MONDAY
            )
        ]
        * 6
    )

    assert outcome == {"won": 1, "stale_plan": 5}
    assert TreatmentSession.objects.count() == 5
    assert course.plan_revisions.count() == 1


def test_one_code_becomes_one_course():
    member = StaffMemberFactory()
    client, protocol = ClientFactory(clinic=member.clinic), ProtocolFactory(clinic=member.clinic)
    draft = CourseDraft(member.clinic, client, protocol, march(2), (intensive(),))
    code = uuid.uuid4()

    outcome = race([lambda: prescribe_course(draft=draft, by=actor_of(member), now=MONDAY, code=code)] * 6)

    assert outcome == {"won": 1, "code_taken": 5}
    assert list(Course.objects.values_list("code", flat=True)) == [code]


def test_plans_for_the_same_slots_of_many_courses_never_overlap():
    member = StaffMemberFactory()
    works = []
    for _ in range(6):
        course = prescribe(member=member, phases=[intensive(sessions_min=5, sessions_max=5)])
        proposal = propose_plan(course=Course.objects.select_related("clinic").get(pk=course.pk), now=MONDAY)
        works.append(
            lambda course=course, proposal=proposal: apply_plan(
                course=Course.objects.get(pk=course.pk), proposal=proposal, by=actor_of(member), now=MONDAY
            )
        )

    outcome = race(works)

    assert outcome == {"won": 1, "slot_taken": 5}
    slots = list(TreatmentSession.objects.order_by("starts_at").values_list("starts_at", "ends_at"))
    assert len(slots) == 5
    assert all(first[1] <= second[0] for first, second in itertools.pairwise(slots))


def test_one_outcome_is_recorded_once():
    member = StaffMemberFactory()
    course = prescribe(member=member)
    session = book(course, march(2), now=MONDAY)
    fetch = TreatmentSession.objects.select_related("course__clinic").get

    outcome = race(
        [lambda: record_attendance(session=fetch(pk=session.pk), by=actor_of(member), now=at(march(2), 11))]
        * 8
    )

    assert outcome == {"won": 1, "transition_refused": 7}
    assert_in_line(course, now=at(march(2), 11))


def test_double_press_of_confirm_is_welcome():
    member = StaffMemberFactory()
    session = book(prescribe(member=member), march(2), now=MONDAY)

    outcome = race(
        [
            lambda: confirm_session(
                session=TreatmentSession.objects.get(pk=session.pk), by=actor_of(member), now=MONDAY
            )
        ]
        * 8
    )

    assert outcome == {"won": 8}


def test_calendar_changes_among_bookings_leave_every_course_in_line():
    member = StaffMemberFactory()
    by = actor_of(member)
    courses = [prescribe(member=member) for _ in range(4)]
    hours = [(day, time(9), time(19)) for day in range(1, 6)]
    works = [
        lambda course=course, n=n: book_session(
            course=Course.objects.get(pk=course.pk),
            starts_at=at(march(4), 10 + n),
            minutes=45,
            practitioner=member,
            room=None,
            by=by,
            now=MONDAY,
        )
        for n, course in enumerate(courses)
    ]
    works += [
        lambda: add_closure(clinic=member.clinic, from_on=march(4), to_on=march(4), by=by, now=MONDAY),
        lambda: set_opening_hours(clinic=member.clinic, hours=hours, by=by, now=MONDAY),
        lambda: set_opening_hours(clinic=member.clinic, hours=hours, by=by, now=MONDAY),
    ]

    outcome = race(works)

    assert set(outcome) <= {"won", "clinic_closed"}
    assert sum(outcome.values()) == 7
    for course in courses:
        assert_in_line(course, now=MONDAY + timedelta(minutes=1))
    assert Flag.objects.filter(kind="misbooked").count() == outcome["won"] - 3


@pytest.mark.postgres
def test_deadlock_becomes_a_refusal_to_try_again():
    first, second = (prescribe(member=StaffMemberFactory()) for _ in range(2))
    both_hold = threading.Barrier(2)

    def cross(one, other):
        with transacting():
            Course.objects.select_for_update().get(pk=one.pk)
            both_hold.wait(timeout=30)
            Course.objects.select_for_update().get(pk=other.pk)

    outcome = race([lambda: cross(first, second), lambda: cross(second, first)])

    assert outcome == {"won": 1, "busy": 1}


def test_locked_database_becomes_a_refusal_and_other_faults_do_not():
    with pytest.raises(CourseError) as caught, transacting():
        raise OperationalError("database is locked")
    assert caught.value.code == "busy"

    with pytest.raises(OperationalError, match="disk full"), transacting():
        raise OperationalError("disk full")
