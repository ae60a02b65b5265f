"""Any order of verbs keeps the promises: flags are findings, snapshots are assessments, nothing overlaps."""

import itertools
from datetime import datetime, time, timedelta

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from audit.models import AuditEvent
from courses import services
from courses.convert import local_today
from courses.core.types import Cadence
from courses.errors import CourseError
from courses.models import Course, Flag, Pause, TreatmentSession
from courses.services.news import stand_of
from courses.signals import session_changed
from tests.courses.build import MONDAY, RIGA, assert_in_line
from tests.factories import ClientFactory, ProtocolFactory, StaffMemberFactory, actor_of, intensive, prescribe

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

SHORT = (
    intensive(sessions_min=2, sessions_max=4, lapse_days=5),
    intensive(
        kind="maintenance",
        cadence=Cadence.of(2, 7, 7),
        sessions_min=None,
        sessions_max=None,
        duration_days=20,
    ),
)
DAYS = st.integers(-3, 9)


class Courses(RuleBasedStateMachine):
    """Two courses of one client with one practitioner; the clock only goes forward."""

    def __init__(self):
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.heard = {}
        session_changed.connect(self.hear, dispatch_uid="state machine")

    def hear(self, session, before, **_):
        # Whoever hears of a change knows what was before it.
        assert self.heard.get(session.pk) == before or session.pk not in self.heard
        self.heard[session.pk] = stand_of(session)

    def teardown(self):
        session_changed.disconnect(dispatch_uid="state machine")
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    @initialize()
    def found(self):
        self.now = MONDAY
        self.member = StaffMemberFactory()
        self.by = actor_of(self.member)
        client = ClientFactory(clinic=self.member.clinic)
        protocol = ProtocolFactory(clinic=self.member.clinic)
        self.ids = [
            prescribe(member=self.member, client=client, protocol=protocol, phases=SHORT).pk for _ in range(2)
        ]
        self.client = client
        self.events = AuditEvent.objects.count()

    def course(self, n):
        return Course.objects.select_related("clinic", "client", "protocol", "practitioner").get(
            pk=self.ids[n]
        )

    def session(self, n, index):
        rows = list(
            TreatmentSession.objects.select_related("course__clinic", "clinic").filter(course=self.ids[n])
        )
        return rows[index % len(rows)] if rows else None

    def day(self, offset):
        return local_today(self.member.clinic, self.now) + timedelta(days=offset)

    def act(self, verb, **arguments):
        """Carry out a verb, or be refused without a trace."""
        before, heard = AuditEvent.objects.count(), dict(self.heard)
        refusal = None
        try:
            with transaction.atomic():
                verb(by=self.by, now=self.now, **arguments)
        except CourseError as error:
            refusal = error
        written = AuditEvent.objects.count() - before
        if refusal is not None:
            assert (refusal.message[-1], written) == (".", 0)
            self.heard = heard
        else:
            assert written > 0 or verb is services.confirm_session

    @rule(hours=st.sampled_from([1, 5, 24, 72, 400]))
    def wait(self, hours):
        self.now += timedelta(hours=hours)
        services.reassess_due(now=self.now)
        services.roll_forward_due(now=self.now)

    @rule(n=st.integers(0, 1), offset=DAYS, hour=st.integers(9, 18))
    def book(self, n, offset, hour):
        starts_at = datetime.combine(self.day(offset), time(hour), tzinfo=RIGA)
        self.act(
            services.book_session,
            course=self.course(n),
            starts_at=starts_at,
            minutes=45,
            practitioner=self.member,
            room=None,
        )

    @rule(n=st.integers(0, 1), index=st.integers(0, 9), offset=DAYS)
    def move(self, n, index, offset):
        if session := self.session(n, index):
            starts_at = datetime.combine(self.day(offset), time(12), tzinfo=RIGA)
            self.act(
                services.move_session,
                session=session,
                starts_at=starts_at,
                practitioner=self.member,
                room=None,
            )

    @rule(
        n=st.integers(0, 1),
        index=st.integers(0, 9),
        verb=st.sampled_from(
            [
                services.confirm_session,
                services.record_arrival,
                services.record_attendance,
                services.record_attendance,
                services.record_no_show,
            ]
        ),
    )
    def settle(self, n, index, verb):
        if session := self.session(n, index):
            self.act(verb, session=session)

    @rule(n=st.integers(0, 1), index=st.integers(0, 9), whose=st.sampled_from(["client", "clinic"]))
    def cancel(self, n, index, whose):
        if session := self.session(n, index):
            self.act(services.cancel_session, session=session, whose=whose)

    @rule(
        n=st.integers(0, 1),
        index=st.integers(0, 9),
        status=st.sampled_from(["booked", "attended", "no_show", "cancelled_by_clinic", "planned"]),
        offset=st.none() | DAYS,
    )
    def correct(self, n, index, status, offset):
        if session := self.session(n, index):
            on = None if offset is None else self.day(offset)
            self.act(services.correct_session, session=session, status=status, on=on)

    @rule(n=st.integers(0, 1), offset=DAYS)
    def walk_in(self, n, offset):
        self.act(services.record_walk_in, course=self.course(n), on=self.day(offset))

    @rule(n=st.integers(0, 1), offset=DAYS, length=st.none() | st.integers(0, 6))
    def pause(self, n, offset, length):
        first = self.day(offset)
        last = None if length is None else first + timedelta(days=length)
        self.act(services.pause_course, course=self.course(n), from_on=first, to_on=last, reason="illness")

    @rule(n=st.integers(0, 1), offset=DAYS)
    def resume(self, n, offset):
        self.act(services.resume_course, course=self.course(n), on=self.day(offset))

    @rule(n=st.integers(0, 1))
    def unpause(self, n):
        if pause := Pause.objects.select_related("course__clinic").filter(course=self.ids[n]).first():
            self.act(services.remove_pause, pause=pause)

    @rule(n=st.integers(0, 1), number=st.none() | st.integers(1, 5))
    def decide(self, n, number):
        self.act(services.set_target, course=self.course(n), target=number)

    @rule(n=st.integers(0, 1), offset=DAYS)
    def end(self, n, offset):
        self.act(services.end_phase, course=self.course(n), on=self.day(offset))

    @rule(n=st.integers(0, 1), offset=DAYS)
    def restart(self, n, offset):
        self.act(services.restart_course, course=self.course(n), on=self.day(offset))

    @rule(n=st.integers(0, 1), policy=st.sampled_from(["shift", "catch_up", "drop"]))
    def replan(self, n, policy):
        try:
            proposal = services.propose_plan(course=self.course(n), now=self.now, policy=policy)
        except CourseError:
            return
        self.act(services.apply_plan, course=self.course(n), proposal=proposal)

    @rule(offset=DAYS)
    def close(self, offset):
        day = self.day(offset)
        self.act(services.add_closure, clinic=self.member.clinic, from_on=day, to_on=day)

    @rule(offset=DAYS, length=st.integers(0, 4))
    def fall_ill(self, offset, length):
        first = self.day(offset)
        self.act(
            services.record_contraindication,
            client=self.client,
            condition="influenza",
            from_on=first,
            to_on=first + timedelta(days=length),
        )

    @precondition(lambda self: self.now > MONDAY + timedelta(days=5))
    @rule()
    def discontinue(self):
        self.act(services.discontinue_course, course=self.course(1), reason="moved")

    @invariant()
    def stays_in_line(self):
        for pk in getattr(self, "ids", ()):
            course = Course.objects.get(pk=pk)
            open_flags = list(Flag.objects.filter(course=pk, resolved_at=None).values_list("kind", flat=True))
            assert len(open_flags) == len(set(open_flags))
            if course.status == "discontinued":
                assert not open_flags
            else:
                assert_in_line(course, now=self.now)

    @invariant()
    def tells_all(self):
        """What was told of sessions adds up to how they stand."""
        rows = TreatmentSession.objects.exclude(status="planned")
        assert {row.pk: stand_of(row) for row in rows} == {
            pk: stand for pk, stand in self.heard.items() if stand.status != "planned"
        }

    @invariant()
    def never_overlaps(self):
        booked = TreatmentSession.objects.filter(status__in=("booked", "confirmed", "arrived"))
        slots = list(booked.order_by("starts_at").values_list("starts_at", "ends_at"))
        assert all(first[1] <= second[0] for first, second in itertools.pairwise(slots))


def test_any_order_of_verbs_keeps_the_promises():
    run_state_machine_as_test(
        Courses,
        settings=settings(
            # The search is the same on both databases; half of it shows that the slower one keeps them too.
            max_examples=12 if connection.vendor == "sqlite" else 6,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
        ),
    )
