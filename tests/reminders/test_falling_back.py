"""The way to the next channel when the message had once stood on that channel already."""

import pytest

from clients.models import Consent, ContactPoint
from reminders.channels.base import Outcome
from reminders.models import ChannelAccount, Reminder, ReminderRule
from reminders.services.syncing import sync_course_reminders
from tests.reminders.builders import NOW, Memory, at, make_desk, send_at

pytestmark = pytest.mark.django_db
WHEN = at("2026-03-03 15:00")
REFUSED = Outcome("permanent", "smtp-550", is_address_bad=True)


@pytest.fixture
def desk():
    """A client with a number, whose e-mail address did not work for a while."""
    desk = make_desk()
    client = desk.course.client
    ReminderRule.objects.filter(slug="day-before").update(channels=["email", "sms"])
    ContactPoint.objects.create(clinic=client.clinic, client=client, channel="sms", value="+37120000001")
    Consent.objects.create(
        clinic=client.clinic, client=client, channel="sms", granted_at=NOW, granted_source="test"
    )
    ChannelAccount.objects.create(
        clinic=client.clinic, channel="sms", provider="kept", created_at=NOW, changed_at=NOW
    )
    mail = ContactPoint.objects.filter(client=client, channel="email")
    for disabled_at in (NOW, None):
        mail.update(disabled_at=disabled_at, disabled_reason="smtp-550" if disabled_at else "")
        sync_course_reminders(course_id=desk.course.pk, now=NOW)
    assert states(desk) == {"sms": "cancelled", "email": "due"}
    return desk


def states(desk):
    rows = Reminder.objects.filter(course=desk.course, rule__slug="day-before")
    return dict(rows.values_list("channel", "state"))


def test_message_that_was_called_off_takes_over_again(desk):
    send_at(WHEN, Memory(script=[REFUSED]))
    assert states(desk) == {"email": "failed", "sms": "due"}
    assert desk.row("day-before", channel="sms").fallback_for == desk.row("day-before", channel="email")

    sync_course_reminders(course_id=desk.course.pk, now=WHEN)
    assert states(desk) == {"email": "failed", "sms": "due"}

    sms = Memory()
    sms.name = "sms"
    send_at(WHEN, sms)
    assert states(desk) == {"email": "failed", "sms": "sent"}

    sync_course_reminders(course_id=desk.course.pk, now=WHEN)
    assert states(desk) == {"email": "failed", "sms": "sent"}


def test_message_that_may_have_arrived_goes_over_no_other_channel(desk):
    silent = Outcome("uncertain", "smtp-silent")
    channel = Memory(script=[silent, REFUSED])

    send_at(WHEN, channel)
    send_at("2026-03-03 15:02", channel)

    assert len(channel.messages) == 2
    assert states(desk) == {"sms": "cancelled", "email": "uncertain"}
