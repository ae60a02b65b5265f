"""The crowd of a clinic: rows that the engine takes for its own."""

from datetime import UTC, date, datetime

import pytest
from django.db.models import F

from bench import crowd
from bench.multiply import STRIDE
from clinics.models import StaffMember
from reminders.models import Reminder
from reminders.services import drain
from tests.reminders.builders import Memory, make_desk

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres, pytest.mark.slow]


class Hook(Memory):
    name = "webhook"


def states():
    rows = Reminder.objects.annotate(place=F("pk") % STRIDE).order_by("pk")
    return [(row.channel, row.state) for row in rows if row.place > crowd.CROWD]


def test_crowd_is_sent_when_it_is_due_and_nothing_else_is():
    make_desk(on=date(2026, 3, 12))
    crowd.gather_crowds(mails=2, hooks=1)
    mails, calls = Memory(), Hook()
    due = datetime.now(UTC)

    def send():
        ways = {"email": lambda: mails, "webhook": lambda: calls}
        return dict(drain(clock=lambda: due, factories=ways))

    crowd.lay_down()
    crowd.make_due("email", at=due)
    first = send()
    crowd.make_due("webhook", at=due)

    assert (first, send(), send()) == ({"sent": 2}, {"sent": 1}, {})
    addresses = [f"client{crowd.CROWD + n}@example.com" for n in (1, 2)]
    assert [message.address for message in mails.messages] == addresses
    assert crowd.lateness() == [0.0, 0.0]
    assert crowd.states() == {"sent": 2}
    assert crowd.mails_on_record() == {message.key for message in mails.messages}
    assert crowd.calls_on_record() == {message.reference for message in calls.messages}
    assert not crowd.has_mails_waiting()


def test_crowd_that_was_laid_down_can_be_sent_again():
    make_desk(on=date(2026, 3, 12))
    crowd.gather_crowds(mails=1, hooks=1)
    channel = Memory()

    for _ in range(2):
        crowd.lay_down()
        due = datetime.now(UTC)
        crowd.make_due("email", at=due)
        assert crowd.has_mails_waiting()
        drain(clock=lambda due=due: due, factories={"email": lambda: channel})

    assert len({message.key for message in channel.messages}) == 1
    assert len(channel.messages) == 2
    assert states() == [("email", "sent"), ("webhook", "due")]
    assert StaffMember.objects.filter(gets_digest=True).count() == 0
