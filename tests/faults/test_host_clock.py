"""A host whose clock is wrong: senders go by the database's (F35). The tick's own doubts are in test_jumps.py."""

from datetime import UTC, datetime, timedelta

import pytest

from faults.cohort import build_cohort
from reminders.models import Reminder
from reminders.services import drain
from tests.reminders.builders import Memory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres, pytest.mark.slow]
HOUR = timedelta(hours=1)


@pytest.fixture
def now():
    return datetime.now(UTC).replace(microsecond=0)


@pytest.mark.parametrize("jump", [6 * HOUR, -6 * HOUR])
@pytest.mark.parametrize(("due", "number"), [(-HOUR / 60, 4), (HOUR, 0)])
def test_host_clock_decides_nothing(time_machine, now, jump, due, number):
    build_cohort(count=4, at=now + due, clinics=1)
    channel = Memory()

    time_machine.move_to(now + jump)
    drain(factories={"email": lambda: channel})

    assert len(channel.messages) == number
    assert Reminder.objects.filter(state="sent", sent_at__gt=now + HOUR / 2).count() == 0
