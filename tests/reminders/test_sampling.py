"""Test messages: marked, to one's own address, on record, and not too many."""

import pytest
from django.core import mail

from audit.models import AuditEvent
from reminders.errors import MessageError
from reminders.models import Reminder, ReminderRule
from reminders.services.sampling import TESTS_EVERY, TESTS_MOST, send_test
from tests.reminders.builders import NOW, make_desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk():
    return make_desk()


def send(desk, **options):
    rule = ReminderRule.objects.get(clinic=desk.course.clinic, slug="day-before")
    values = {"language": "en", "channel": "email", "address": "me@example.com", "now": NOW}
    return send_test(rule=rule, by=desk.by, **(values | options))


def test_test_message_says_that_it_is_one(desk):
    before = Reminder.objects.count()

    outcome = send(desk)

    message = mail.outbox[0]
    html = message.alternatives[0][0]
    assert outcome.kind == "sent"
    assert message.to == ["me@example.com"]
    assert message.subject.startswith("[Test] ")
    assert message.body.startswith("This is a test message with invented values.")
    assert "This is a test message" in html
    assert "List-Unsubscribe" not in message.extra_headers
    assert Reminder.objects.count() == before
    event = AuditEvent.objects.get(action="rule.tested")
    assert event.new == {"channel": "email", "language": "en", "version": 1}


def test_test_message_speaks_the_language_asked_for(desk):
    send(desk, language="ru")

    assert mail.outbox[0].subject.startswith("[Проверка] ")


def test_too_many_tests_are_refused_for_a_while(desk):
    for _ in range(TESTS_MOST):
        send(desk)

    with pytest.raises(MessageError) as refused:
        send(desk)
    assert refused.value.code == "too_many_tests"

    assert send(desk, now=NOW + TESTS_EVERY).kind == "sent"


def test_channel_that_is_not_set_up_is_refused(desk):
    with pytest.raises(MessageError) as refused:
        send(desk, channel="sms", address="+37120000001")

    assert (refused.value.code, list(refused.value.fields)) == ("no_channel", ["channel"])
    assert not AuditEvent.objects.filter(action="rule.tested").exists()


def test_address_that_cannot_be_one_is_refused_by_field(desk):
    with pytest.raises(MessageError) as refused:
        send(desk, address="me")

    assert (refused.value.code, list(refused.value.fields)) == ("bad_address", ["address"])
    assert mail.outbox == []
