"""Messages beside each other: one that is broken, one too many for the day, one whose time has not come."""

import uuid
from datetime import time

import pytest
from celery.exceptions import SoftTimeLimitExceeded

from clients.models import Client, Consent, ContactPoint
from reminders.models import ChannelHealth, Reminder
from reminders.services import delivering, drain
from tests.reminders.builders import NOW, Memory, at, make_desk, send_at

pytestmark = pytest.mark.django_db
WHEN = at("2026-03-03 15:00")


def copy_of(row, **values):
    """Return another row of the same client, saved beside a row."""
    made = Reminder.objects.get(pk=row.pk)
    made.pk, made.code = None, uuid.uuid4()
    for name, value in values.items():
        setattr(made, name, value)
    made.save()
    return made


def only_day_before(desk, **clinic):
    """Leave one row, and let one message a day be sent at any hour."""
    Reminder.objects.exclude(rule__slug="day-before").delete()
    for name, value in {"daily_message_cap": 1, "quiet_from_time": time(0), "quiet_to_time": time(0)}.items():
        setattr(desk.course.clinic, name, clinic.get(name, value))
    desk.course.clinic.save()
    return desk.row("day-before")


def state_of(row):
    return Reminder.objects.values_list("state", "decision_reason").get(pk=row.pk)


@pytest.mark.parametrize("is_first", [True, False])
def test_row_that_cannot_be_ruled_on_holds_up_no_other(is_first):
    """A zone that this host's list does not know, say."""
    desks = [make_desk(), make_desk()]
    broken, whole = desks if is_first else reversed(desks)
    Client.objects.filter(pk=broken.course.client_id).update(time_zone="Mars/Phobos")

    counts = send_at(WHEN, Memory())

    assert counts == {"failed": 1, "sent": 1}
    assert whole.row("day-before").state == "sent"
    assert broken.states("day-before") == [("failed", "broken")]


def test_of_a_group_only_the_broken_row_is_given_up(monkeypatch):
    desk = make_desk()
    row = only_day_before(desk, daily_message_cap=9)
    other = copy_of(row, occurrence=1)
    rule_on = delivering.rule_on

    def fail(seen, *args, **options):
        if seen.pk == row.pk:
            raise KeyError
        return rule_on(seen, *args, **options)

    monkeypatch.setattr(delivering, "rule_on", fail)

    send_at(WHEN, Memory())

    assert [state_of(row), state_of(other)] == [("failed", "broken"), ("sent", "")]


@pytest.mark.parametrize("name", ["rule_on", "write_message"])
def test_end_of_a_tasks_time_is_not_the_rows_fault(monkeypatch, name):
    desk = make_desk()

    def run_out(*args, **options):
        raise SoftTimeLimitExceeded

    monkeypatch.setattr(delivering, name, run_out)
    with pytest.raises(SoftTimeLimitExceeded):
        send_at(WHEN, Memory())

    assert desk.states("day-before") == [("due", "")]


def test_two_channels_in_one_batch_share_the_days_cap():
    desk = make_desk()
    client = desk.course.client
    row = only_day_before(desk)
    by_sms = copy_of(row, channel="sms")
    ContactPoint.objects.create(clinic=client.clinic, client=client, channel="sms", value="+37120000001")
    Consent.objects.create(
        clinic=client.clinic, client=client, channel="sms", granted_at=NOW, granted_source="test"
    )
    mail, sms = Memory(), Memory()

    def send(when):
        drain(clock=lambda: at(when), factories={"email": lambda: mail, "sms": lambda: sms})

    send("2026-03-03 15:00")
    assert [state_of(row), state_of(by_sms)] == [("sent", ""), ("due", "")]

    send("2026-03-03 15:02")
    assert (len(mail.messages), len(sms.messages), state_of(by_sms)) == (1, 0, ("suppressed", "capped"))


def test_message_of_tomorrow_is_not_judged_by_todays_cap():
    desk = make_desk()
    row = only_day_before(desk)
    until = at("2026-03-04 10:00")
    noon = at("2026-03-03 12:00")
    Reminder.objects.update(send_at=at("2026-03-03 23:30"), expires_at=until)
    copy_of(row, occurrence=1, send_at=noon, expires_at=until, state="sent", sent_at=noon, decided_at=noon)
    tomorrow = copy_of(row, occurrence=2, send_at=at("2026-03-04 00:15"), expires_at=until)

    send_at("2026-03-03 23:30", Memory())
    assert [state_of(row), state_of(tomorrow)] == [("suppressed", "capped"), ("due", "")]

    send_at("2026-03-04 00:15", Memory())
    assert state_of(tomorrow) == ("sent", "")


@pytest.mark.parametrize(
    ("until", "state"),
    [("2026-03-03 20:59", ("due", "")), ("2026-03-03 21:00", ("expired", "channel_paused"))],
)
def test_message_that_outlives_its_use_in_a_pause_of_its_channel_says_so(until, state):
    desk = make_desk()
    ChannelHealth.objects.create(scope="email", failure_count=9, open_until=at(until))

    send_at(at("2026-03-03 20:50"))

    assert desk.states("day-before") == [state]
