"""How a client wishes to be written to decides about messages that wait already."""

from datetime import time

import pytest
from django.core.exceptions import ValidationError

from audit.models import AuditEvent
from clients.models import Client
from reminders.services.answering import change_wishes_by_client
from tests.reminders.builders import NOW, Memory, at, make_desk, send_at

pytestmark = pytest.mark.django_db


def wish(desk, **changes):
    values = {
        "language": "en",
        "time_zone": "",
        "quiet_from_time": None,
        "quiet_to_time": None,
        "detail_level": "clinic",
    }
    return change_wishes_by_client(client=desk.course.client, now=NOW, **values | changes)


def test_waiting_messages_follow_the_clients_own_quiet_hours():
    desk = make_desk()
    before = desk.row("day-before").send_at

    wish(desk, quiet_from_time=time(14), quiet_to_time=time(16))

    # A message before a visit moves earlier.
    assert (before, desk.row("day-before").send_at) == (at("2026-03-03 15:00"), at("2026-03-03 13:30"))
    event = AuditEvent.objects.get(action="client.wishes_changed")
    assert event.new == {"fields": ["quiet_from_time", "quiet_to_time"]}


def test_last_look_knows_the_clients_own_quiet_hours():
    desk = make_desk()
    Client.objects.update(quiet_from_time=time(14), quiet_to_time=time(16))

    assert (
        send_at("2026-03-03 15:00", Memory()) == {"delayed": 1} or send_at("2026-03-03 15:30", Memory()) == {}
    )
    assert desk.row("day-before").state == "due"


def test_client_who_wants_it_neutral_is_not_told_the_treatment():
    desk = make_desk()
    desk.course.clinic.shows_treatment_in_messages = True
    desk.course.clinic.save()
    wish(desk, detail_level="neutral", language="ru")

    mail = Memory()
    send_at("2026-03-03 15:00", mail)

    assert "Ждём вас" in mail.messages[0].text
    assert "массаж" not in mail.messages[0].text
    assert "Сеанс" not in mail.messages[0].text


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"time_zone": "Mars/Base"}, "time_zone"),
        ({"quiet_from_time": time(22)}, "quiet_to_time"),
        ({"language": "xx"}, "language"),
        ({"detail_level": "all"}, "detail_level"),
    ],
)
def test_wish_that_cannot_be_names_its_field_and_changes_nothing(changes, field):
    desk = make_desk()
    before = Client.objects.values().get()

    with pytest.raises(ValidationError) as refused:
        wish(desk, **changes)

    assert list(refused.value.message_dict) == [field]
    assert Client.objects.values().get() == before
