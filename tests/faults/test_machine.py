"""Any order of plans, changes, deaths and waits: what arrives is what a plain list says may arrive."""

from collections import Counter
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from clients.models import Client, Consent
from courses import services
from courses.errors import CourseError
from courses.models import Course, TreatmentSession
from reminders.channels.base import SENT, Channel, Message
from reminders.models import LIVE_STATES, Reminder, TickRun
from reminders.services import drain, run_tick
from simulation.misfortune import Death
from tests.reminders.builders import NOW, make_desk

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

RIGA = ZoneInfo("Europe/Riga")
STEPS = st.integers(1, 70)


class Messages(RuleBasedStateMachine):
    """One course; `booked` is the plain list of what its client may be reminded of, by session code."""

    def __init__(self):
        super().__init__()
        self.booked, self.copies, self.wrong = {}, Counter(), []
        self.deaths, self.dies_in, self.has_consent = 0, None, True

    @initialize()
    def found(self):
        self.now = NOW
        desk = make_desk()
        self.course_id, self.client_id, self.by = desk.course.pk, desk.course.client_id, desk.by
        self.booked[str(desk.session.code)] = desk.session.starts_at

    def teardown(self):
        """Let everything come to its end; nothing may be left without one."""
        if hasattr(self, "course_id"):
            for hours in (1, 30, 24 * 30):
                self.now += timedelta(hours=hours)
                run_tick(now=self.now)
                self.send()
            live = list(Reminder.objects.filter(state__in=LIVE_STATES, expires_at__lte=self.now))
            # The next example begins at the same moment, in the same database.
            Course.objects.update(
                next_check_at=None, status="discontinued", ended_at=self.now, end_reason="the example is over"
            )
            TickRun.objects.all().delete()
            Reminder.objects.all().update(fallback_for=None, sent_with=None)
            for row in Reminder.objects.all():
                row.attempts.all().delete()
            Reminder.objects.all().delete()
            assert live == []

    # ------------------------------------------------------------ people

    @property
    def course(self):
        return Course.objects.select_related("clinic", "client", "protocol", "practitioner").get(
            pk=self.course_id
        )

    def session(self, index):
        rows = list(TreatmentSession.objects.select_related("course__clinic").filter(course=self.course_id))
        return rows[index % len(rows)]

    def slot(self, days, hour):
        on = self.now.astimezone(RIGA).date() + timedelta(days=days)
        return datetime.combine(on, time(hour), tzinfo=RIGA)

    def act(self, verb, **arguments):
        try:
            return verb(by=self.by, now=self.now, **arguments)
        except CourseError:
            return None

    @rule(days=st.integers(1, 6), hour=st.integers(9, 18))
    def book(self, days, hour):
        found = self.act(
            services.book_session,
            course=self.course,
            starts_at=self.slot(days, hour),
            minutes=45,
            practitioner=None,
            room=None,
        )
        if found is not None:
            self.booked[str(found.code)] = found.starts_at

    @rule(index=st.integers(0, 5), days=st.integers(1, 6), hour=st.integers(9, 18))
    def move(self, index, days, hour):
        found = self.act(
            services.move_session,
            session=self.session(index),
            starts_at=self.slot(days, hour),
            practitioner=None,
            room=None,
        )
        if found is not None:
            self.booked[str(found.code)] = found.starts_at

    @rule(
        index=st.integers(0, 5),
        verb=st.sampled_from([services.record_no_show, services.record_attendance, services.record_arrival]),
    )
    def record(self, index, verb):
        if (found := self.act(verb, session=self.session(index))) is not None:
            self.booked.pop(str(found.code), None)

    @rule(index=st.integers(0, 5), whose=st.sampled_from(["client", "clinic"]))
    def cancel(self, index, whose):
        if (found := self.act(services.cancel_session, session=self.session(index), whose=whose)) is not None:
            self.booked.pop(str(found.code), None)

    @rule(days=st.integers(0, 4), length=st.integers(0, 4))
    def pause(self, days, length):
        first = self.slot(days, 9).date()
        last = first + timedelta(days=length)
        self.act(services.pause_course, course=self.course, from_on=first, to_on=last, reason="illness")

    @rule()
    def resume(self):
        self.act(services.resume_course, course=self.course, on=self.now.astimezone(RIGA).date())

    @rule(wants=st.booleans())
    def choose(self, wants):
        mine = Consent.objects.filter(client=self.client_id, withdrawn_at=None)
        if not wants:
            mine.update(withdrawn_at=self.now, withdrawn_source="test")
        elif not mine.exists():
            client = Client.objects.get(pk=self.client_id)
            Consent.objects.create(
                clinic=client.clinic,
                client=client,
                channel="email",
                granted_at=self.now,
                granted_source="test",
            )
        self.has_consent = wants

    @rule(zone=st.sampled_from(["", "America/New_York", "Australia/Lord_Howe"]))
    def travel(self, zone):
        Client.objects.filter(pk=self.client_id).update(time_zone=zone)

    # ------------------------------------------------------------ machines

    @rule(minutes=st.sampled_from([1, 10, 60, 300, 1440, 4000]))
    def wait(self, minutes):
        self.now += timedelta(minutes=minutes)

    @rule()
    def tick(self):
        run_tick(now=self.now)

    @rule()
    def send(self):
        drain(clock=lambda: self.now, factories={"email": lambda: Mailbox(self)})

    @rule(point=STEPS)
    def die_sending(self, point):
        self.die(self.send, point)

    @rule(point=STEPS)
    def die_ticking(self, point):
        self.die(self.tick, point)

    @rule()
    def recover(self):
        self.now += timedelta(seconds=61)
        run_tick(now=self.now)
        self.send()

    def die(self, work, point):
        self.dies_in = point
        try:
            with connection.execute_wrapper(self.execute):
                work()
        except Death:
            self.deaths += 1
        finally:
            self.dies_in = None

    def execute(self, execute, sql, params, many, context):
        self.pass_point()
        return execute(sql, params, many, context)

    def pass_point(self):
        if self.dies_in is not None:
            self.dies_in -= 1
            if self.dies_in <= 0:
                raise Death

    def deliver(self, message):
        code = message.key.strip("<>").partition("@")[0]
        row = Reminder.objects.select_related("session").get(code=code)
        self.copies[code] += 1
        if not self.has_consent:
            self.wrong.append(f"{row} without consent")
        if not row.send_at <= self.now < row.expires_at:
            self.wrong.append(f"{row} out of its time")
        if row.trigger == "before_session":
            starts_at = self.booked.get(str(row.session.code))
            if starts_at is None or starts_at <= self.now or starts_at != row.session.starts_at:
                self.wrong.append(f"{row} about a session that is not booked")

    # ------------------------------------------------------------ what always holds

    @invariant()
    def nothing_goes_that_should_not(self):
        assert self.wrong == []

    @invariant()
    def copies_are_excused_by_deaths(self):
        assert sum(self.copies.values()) - len(self.copies) <= self.deaths

    @invariant()
    def one_live_message_for_each_occasion(self):
        live = Reminder.objects.filter(state__in=LIVE_STATES).values_list("rule", "subject_key", "occurrence")
        assert max(Counter(live).values(), default=0) <= 1

    @invariant()
    def nothing_waits_for_a_session_that_is_off(self):
        if not hasattr(self, "course_id"):
            return
        waiting = Reminder.objects.filter(course=self.course_id, state="due", trigger="before_session")
        assert {str(code) for code in waiting.values_list("session__code", flat=True)} <= set(self.booked)

    @invariant()
    def what_arrived_is_not_denied(self):
        rows = Reminder.objects.filter(code__in=self.copies).values_list("state", flat=True)
        assert set(rows) <= {"sent", "uncertain", *LIVE_STATES}


class Mailbox(Channel):
    name = "email"
    policy = "retry_once"

    def __init__(self, machine):
        self.machine = machine

    def send(self, message):
        self.machine.pass_point()
        dies_in, self.machine.dies_in = self.machine.dies_in, None
        # The receiving end lives on whatever becomes of the sender.
        self.machine.deliver(message)
        self.machine.dies_in = dies_in
        self.machine.pass_point()
        return SENT


class Forgetful(Messages):
    """The control: a sender that asks nothing again and marks nothing as sent."""

    @rule()
    def send(self):
        for row in Reminder.objects.filter(course=self.course_id, state="due", send_at__lte=self.now):
            self.deliver(Message(f"<{row.code}@x>", "", "", "", "", ""))


def play(machine, examples):
    run_state_machine_as_test(
        machine,
        settings=hypothesis_settings(
            max_examples=examples,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
        ),
    )


def test_any_order_of_events_keeps_the_promise(own_journals):
    play(Messages, hypothesis_settings().max_examples // 6)


def test_sender_that_forgets_breaks_it(own_journals):
    with pytest.raises(AssertionError):
        play(Forgetful, 30)


@pytest.fixture
def own_journals(settings, tmp_path):
    """Let the senders keep their journals in a folder of the test."""
    settings.JOURNAL_DIR = tmp_path / "senders"
