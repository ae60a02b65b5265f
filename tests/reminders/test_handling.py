"""What people do about single messages; each act once, audited, and refused where it would do harm."""

import pytest

from audit.models import AuditEvent
from clients.models import Consent
from courses.services import move_session
from reminders.channels.base import Outcome
from reminders.errors import MessageError
from reminders.models import Answer, Reminder
from reminders.services import sync_course_reminders
from reminders.services.handling import (
    close_answer,
    close_message,
    mark_arrived,
    send_again,
    send_now,
    stop_message,
)
from tests.reminders.builders import NOW, Memory, at, make_desk, send_at

pytestmark = pytest.mark.django_db
NOON = at("2026-03-02 12:00")


@pytest.fixture
def desk():
    return make_desk()


@pytest.fixture
def row(desk):
    return desk.row("day-before")


def fresh(row):
    return Reminder.objects.get(pk=row.pk)


def refusal(act, **options):
    with pytest.raises(MessageError) as refused:
        act(**options)
    return refused.value.code


def put(row, **values):
    Reminder.objects.filter(pk=row.pk).update(**values)


def failed(row):
    put(row, state="failed", decision_reason="gave_up", decided_at=NOW)


def uncertain(row):
    put(row, state="uncertain", decision_reason="lost_in_flight", decided_at=NOW)


def actions(row):
    events = AuditEvent.objects.filter(subject_code=row.code).order_by("pk")
    return list(events.values_list("action", flat=True))


def test_message_sent_now_goes_with_the_next_drain(desk, row):
    send_now(row=row, by=desk.by, now=NOON)
    channel = Memory()
    send_at(NOON, channel)

    # What comes due within the hour goes along.
    assert (fresh(row).state, len(channel.messages)) == ("sent", 1)
    assert actions(row) == ["reminder.sent_now"]


def test_message_is_not_sent_now_against_the_clients_wish(desk, row):
    Consent.objects.filter(client=desk.course.client).update(withdrawn_at=NOON, withdrawn_source="test")

    assert refusal(send_now, row=row, by=desk.by, now=NOON) == "may_not_go"
    # What was written before the refusal is taken back.
    assert (fresh(row).send_at, actions(row)) == (row.send_at, [])


def test_message_is_not_sent_now_in_quiet_hours(desk, row):
    with pytest.raises(MessageError, match="before 08:00"):
        send_now(row=row, by=desk.by, now=at("2026-03-02 22:00"))


def test_failed_message_may_go_again_while_it_is_of_use(desk, row):
    failed(row)
    assert refusal(send_now, row=row, by=desk.by, now=row.expires_at) == "too_late"

    send_now(row=row, by=desk.by, now=NOON)

    assert (fresh(row).state, fresh(row).decision_reason, fresh(row).decided_at) == ("due", "", None)


def test_failed_message_that_another_took_over_does_not_go_again(desk, row):
    failed(row)
    other = desk.row("two-hours-before")
    put(other, fallback_for=row)
    assert refusal(send_now, row=row, by=desk.by, now=NOON) == "taken_over"

    put(other, state="failed", decision_reason="refused", decided_at=NOW)

    assert send_now(row=row, by=desk.by, now=NOON).state == "due"


@pytest.mark.parametrize("state", ["sent", "cancelled", "expired", "uncertain"])
def test_what_no_longer_waits_is_not_sent_now(desk, row, state):
    put(
        row,
        state=state,
        decided_at=NOW,
        sent_at=NOW if state == "sent" else None,
        decision_reason="" if state == "sent" else "stale",
    )

    assert refusal(send_now, row=row, by=desk.by, now=NOON) == "not_waiting"


def test_stopped_message_stays_stopped_whatever_the_course_does(desk, row):
    stop_message(row=row, by=desk.by, now=NOON)
    put(desk.row("two-hours-before"), state="cancelled", decision_reason="not_needed", decided_at=NOW)

    sync_course_reminders(course_id=desk.course.pk, now=NOON)

    # The cancelled one comes back, so the sync did look at both.
    assert desk.states("two-hours-before") == [("due", "")]
    assert desk.states("day-before") == [("suppressed", "stopped")]
    assert actions(row) == ["reminder.stopped"]


def test_stopped_message_of_a_moved_session_is_another_message(desk, row):
    stop_message(row=row, by=desk.by, now=NOON)

    session = desk.fresh_session()
    place = {"practitioner": session.practitioner, "room": session.room}
    move_session(session=session, starts_at=at("2026-03-05 15:00"), **place, by=desk.by, now=NOON)

    assert desk.states("day-before") == [("suppressed", "stopped"), ("due", "")]


def test_message_on_the_wire_cannot_be_stopped(desk, row):
    put(row, state="claimed", lease_owner="a", lease_until=NOON, on_wire_at=NOON)
    assert refusal(stop_message, row=row, by=desk.by, now=NOON) == "not_waiting"

    put(row, on_wire_at=None)

    assert stop_message(row=row, by=desk.by, now=NOON).lease_owner == ""


def test_uncertain_message_that_arrived_counts_as_sent(desk, row):
    uncertain(row)

    mark_arrived(row=row, by=desk.by, now=NOON)

    found = fresh(row)
    assert (found.state, found.sent_at, found.decision_reason, found.handled_at) == ("sent", NOON, "", NOON)
    assert refusal(mark_arrived, row=row, by=desk.by, now=NOON) == "not_uncertain"
    assert actions(row) == ["reminder.arrived"]


def test_uncertain_message_sent_again_goes_once_more(desk, row):
    silent = Memory(script=[Outcome("uncertain", "silent")])
    send_at(row.send_at, silent)
    uncertain(row)
    put(row, lease_owner="", lease_until=None, on_wire_at=None, retry_at=None)

    send_again(row=row, by=desk.by, now=row.send_at)
    channel = Memory()
    send_at(row.send_at, channel)

    assert fresh(row).state == "sent"
    assert actions(row) == ["reminder.sent_again"]
    assert refusal(send_again, row=row, by=desk.by, now=row.send_at) == "not_uncertain"


def test_closed_message_stays_as_it_is_and_is_closed_once(desk, row):
    assert refusal(close_message, row=row, by=desk.by, now=NOON) == "not_wrong"
    failed(row)

    close_message(row=row, by=desk.by, now=NOON)
    close_message(row=row, by=desk.by, now=at("2026-03-02 13:00"))

    assert (fresh(row).state, fresh(row).handled_at) == ("failed", NOON)
    assert actions(row) == ["reminder.closed"]


def test_answer_is_closed_once_and_only_when_it_needs_somebody(desk):
    values = {"clinic": desk.course.clinic, "client": desk.course.client, "via": "sms", "answered_at": NOW}
    other = Answer.objects.create(kind="other", **values)
    confirmed = Answer.objects.create(kind="confirm", **values)

    close_answer(answer=other, by=desk.by, now=NOON)
    close_answer(answer=other, by=desk.by, now=at("2026-03-02 13:00"))

    assert Answer.objects.get(pk=other.pk).handled_at == NOON
    assert actions(other) == ["answer.closed"]
    assert refusal(close_answer, answer=confirmed, by=desk.by, now=NOON) == "not_open"
