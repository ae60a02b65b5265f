"""A way out that fails is left alone, tried by one sender, and used again."""

from datetime import timedelta

import pytest

from reminders.channels.base import Outcome, Way
from reminders.models import ChannelHealth, DeliveryAttempt, Reminder
from reminders.services.breaker import FAILURES_MOST, Breakers
from tests.reminders.builders import Memory, at, make_desk, send_at

pytestmark = pytest.mark.django_db
WHEN = at("2026-03-03 15:00")
BUSY = Outcome("transient", "smtp-451")


def fail(times, *, outcome=BUSY):
    """Let so many messages fail one after the other, and return how often the channel was called."""
    for _ in range(times):
        make_desk()
    channel = Memory(script=[outcome])
    send_at(WHEN, channel)
    return len(channel.messages)


def health():
    return ChannelHealth.objects.get(scope="email")


def test_all_well_leaves_no_row():
    make_desk()

    send_at(WHEN, Memory())

    assert not ChannelHealth.objects.exists()


@pytest.mark.parametrize(("failures", "is_open"), [(FAILURES_MOST - 1, False), (FAILURES_MOST, True)])
def test_opens_after_several_failures_in_a_row(failures, is_open):
    fail(failures)

    row = health()
    assert (row.failure_count, row.last_error_code, row.clinic) == (failures, "smtp-451", None)
    assert row.open_until == (WHEN + timedelta(seconds=30) if is_open else None)


def test_refusal_of_a_message_says_that_the_way_out_works():
    fail(FAILURES_MOST - 1)

    assert fail(1, outcome=Outcome("permanent", "smtp-554")) == 1

    assert (health().failure_count, health().last_succeeded_at) == (0, WHEN)


def test_recipients_put_off_one_after_the_other_leave_the_way_out_open():
    greylisted = Outcome("transient", "smtp-451", is_about_recipient=True)

    assert fail(FAILURES_MOST + 1, outcome=greylisted) == FAILURES_MOST + 1

    assert not ChannelHealth.objects.exists()
    assert Reminder.objects.filter(state="due", attempt_count=1).count() == FAILURES_MOST + 1


def test_nothing_is_tried_while_it_is_open():
    fail(FAILURES_MOST)
    desk = make_desk()
    channel = Memory()

    assert send_at(WHEN + timedelta(seconds=29), channel) == {"due": 1}

    assert channel.messages == []
    assert desk.row("day-before").attempt_count == 0


def test_one_success_closes_it():
    fail(FAILURES_MOST)
    make_desk()

    assert send_at(WHEN + timedelta(seconds=31), Memory()) == {"sent": 1}

    row = health()
    assert (row.failure_count, row.open_until) == (0, None)


def test_further_failure_opens_it_for_longer():
    fail(FAILURES_MOST)
    make_desk()

    send_at(WHEN + timedelta(seconds=31), Memory(script=[BUSY]))

    assert health().open_until == WHEN + timedelta(seconds=31 + 60)


def test_one_sender_tries_while_the_others_wait():
    fail(FAILURES_MOST)
    later = WHEN + timedelta(seconds=31)
    first, second = Breakers(), Breakers()

    first.admit(["email"], now=later)
    second.admit(["email"], now=later)

    assert "email" not in first.closed_until
    assert second.closed_until["email"] > later


def test_wish_to_be_left_alone_is_honoured_to_the_second():
    fail(1, outcome=Outcome("transient", "http-429", retry_after=120))
    make_desk()
    channel = Memory()

    assert send_at(WHEN + timedelta(seconds=119), channel) == {"due": 1}
    assert channel.messages == []

    send_at(WHEN + timedelta(seconds=181), channel)
    assert Reminder.objects.filter(state="sent").count() == 2
    # The one that was told to wait came back no earlier than it was asked to.
    assert DeliveryAttempt.objects.filter(outcome="transient").count() == 1


def test_a_clinics_own_account_fails_alone():
    way_down = Breakers()
    desk = make_desk()
    way = Way("sms:1", "park", 60, Memory)
    for _ in range(FAILURES_MOST):
        way_down.note(way, BUSY, clinic_id=desk.course.clinic.pk, now=WHEN)

    assert ChannelHealth.objects.get().clinic == desk.course.clinic
    assert send_at(WHEN, Memory()) == {"sent": 1}
