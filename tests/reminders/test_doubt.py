"""A message that may have arrived: whatever ends it short of being sent, nobody says that it did not go."""

import pytest

from courses.services import cancel_session
from reminders.channels.base import Outcome
from reminders.models import Reminder
from reminders.services import expire_stale
from reminders.services.handling import stop_message
from tests.reminders.builders import Memory, at, make_desk, send_at

pytestmark = pytest.mark.django_db
DUE = "2026-03-03 15:00"
SILENT = Outcome("uncertain", "smtp-silent")
UNKNOWN = [("uncertain", "lost_in_flight")]


@pytest.fixture
def desk():
    """A message whose first try got no answer; it waits for its second."""
    found = make_desk()
    send_at(DUE, Memory(script=[SILENT]))
    row = found.row("day-before")
    assert (row.state, row.uncertain_count) == ("due", 1)
    return found


def test_it_outlives_its_use(desk):
    expire_stale(now=desk.row("day-before").expires_at)

    assert desk.states("day-before") == UNKNOWN


def test_its_session_is_cancelled_meanwhile(desk):
    cancel_session(session=desk.fresh_session(), whose="clinic", by=desk.by, now=at(DUE))

    assert desk.states("day-before") == UNKNOWN


@pytest.mark.parametrize(
    "outcome", [Outcome("permanent", "smtp-550", is_address_bad=True), Outcome("permanent", "smtp-554")]
)
def test_its_second_try_is_refused(desk, outcome):
    send_at("2026-03-03 15:02", Memory(script=[outcome]))

    assert desk.states("day-before") == UNKNOWN


def test_its_client_opts_out_before_the_second_try(desk):
    desk.course.client.consents.update(withdrawn_at=at(DUE), withdrawn_source="test")

    send_at("2026-03-03 15:02", Memory())

    assert desk.states("day-before") == UNKNOWN


def test_its_second_try_arrives(desk):
    send_at("2026-03-03 15:02", Memory())

    assert desk.states("day-before") == [("sent", "")]


def test_without_a_doubt_the_reason_stands():
    desk = make_desk()

    expire_stale(now=desk.row("day-before").expires_at)

    assert desk.states("day-before") == [("expired", "stale")]
    assert Reminder.objects.filter(state="uncertain").count() == 0


def test_stopping_the_second_try_does_not_deny_the_first(desk):
    stop_message(row=desk.row("day-before"), by=desk.by, now=at(DUE))

    assert desk.states("day-before") == UNKNOWN
