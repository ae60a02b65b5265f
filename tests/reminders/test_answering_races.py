"""Many phones, one visit: presses that come at the same moment."""

import pytest

from audit.models import AuditEvent
from courses.models import SessionStatus, TreatmentSession
from reminders.models import Answer, DeliveryReport
from reminders.services.answering import (
    cancel_by_client,
    confirm_by_client,
    record_report,
    stop_channel,
)
from tests.races import race, shared_database
from tests.reminders.builders import NOW, make_desk

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def desk(tmp_path, transactional_db):
    desk = make_desk()
    with shared_database(tmp_path):
        yield desk


def test_twenty_presses_confirm_once(desk):
    session, client = desk.session, desk.course.client

    found = race([lambda: confirm_by_client(session=session, client=client, via="link", now=NOW)] * 20)

    assert found["won"] + found["busy"] == 20
    assert found["won"] >= 1
    assert Answer.objects.count() == 1
    assert AuditEvent.objects.filter(action="course.session_confirmed").count() == 1


def test_one_event_delivered_ten_times_at_once_is_one_answer(desk):
    session, client = desk.session, desk.course.client
    same = {"session": session, "client": client, "via": "sms", "event_key": "sms:1", "now": NOW}

    found = race([lambda: confirm_by_client(**same)] * 10)

    assert found["won"] + found["busy"] == 10
    assert Answer.objects.filter(event_key="sms:1").count() == 1


def test_confirming_and_cancelling_at_once_ends_in_one_state(desk):
    session, client = desk.session, desk.course.client
    same = {"session": session, "client": client, "via": "link", "now": NOW}

    found = race([lambda: confirm_by_client(**same), lambda: cancel_by_client(**same)] * 4)

    assert found["won"] + found["busy"] == 8
    status = TreatmentSession.objects.get(pk=session.pk).status
    cancelled = Answer.objects.filter(kind="cancel", refusal="").count()
    assert (status == SessionStatus.CANCELLED_BY_CLIENT) == (cancelled == 1)
    assert cancelled <= 1


def test_stop_pressed_ten_times_and_a_complaint_stop_once(desk):
    client, row = desk.course.client, desk.row("day-before")
    stop = {"client": client, "channel": "email", "via": "unsubscribe", "now": NOW}
    complaint = {"provider": "mailer", "event_id": "e-1", "kind": "complained", "reference": str(row.code)}

    found = race(
        [lambda: stop_channel(**stop)] * 6
        + [lambda: record_report(**complaint, happened_at=NOW, now=NOW)] * 4
    )

    assert found["won"] + found["busy"] == 10
    assert AuditEvent.objects.filter(action="client.channel_stopped").count() == 1
    assert DeliveryReport.objects.count() <= 1
