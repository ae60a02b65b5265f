"""How a clinic writes to its clients: changed as one, audited without addresses, and followed by what waits."""

from datetime import time

import pytest
from django.core.exceptions import ValidationError

from audit.models import AuditEvent
from clinics.models import Clinic
from reminders.models import ResyncRequest
from reminders.services.preferences import change_message_settings
from tests.reminders.builders import NOW, make_desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk():
    desk = make_desk()
    ResyncRequest.objects.all().delete()
    return desk


def change(desk, **values):
    return change_message_settings(clinic=desk.course.clinic, values=values, by=desk.by, now=NOW)


def test_settings_change_together_and_say_which(desk):
    change(desk, sender_name="Massage", reply_to_email="desk@example.com", quiet_from_time=time(20))

    clinic = Clinic.objects.get()
    event = AuditEvent.objects.get(action="clinic.messages_changed")
    assert (clinic.sender_name, clinic.quiet_from_time) == ("Massage", time(20))
    assert event.new == {"fields": ["quiet_from_time", "reply_to_email", "sender_name"]}
    assert ResyncRequest.objects.get().clinic == clinic


def test_what_moves_no_message_asks_for_no_resync(desk):
    change(desk, sender_name="Massage", daily_message_cap=5)

    assert not ResyncRequest.objects.exists()
    assert Clinic.objects.get().daily_message_cap == 5


def test_same_values_change_nothing(desk):
    change(desk, sender_name="", daily_message_cap=3)

    assert not AuditEvent.objects.filter(action="clinic.messages_changed").exists()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"daily_message_cap": 0}, "daily_message_cap"),
        ({"daily_message_cap": 21}, "daily_message_cap"),
        ({"reminder_holdout_percent": 51}, "reminder_holdout_percent"),
        ({"sender_name": "Massage\r\nBcc: x@example.com"}, "sender_name"),
        ({"reply_to_email": "nowhere"}, "reply_to_email"),
        ({"sender_name": "x" * 81}, "sender_name"),
    ],
)
def test_impossible_setting_is_refused_by_field(desk, values, field):
    with pytest.raises(ValidationError) as refused:
        change(desk, **values)

    assert list(refused.value.message_dict) == [field]
    assert not AuditEvent.objects.filter(action="clinic.messages_changed").exists()


def test_only_message_settings_are_changed_here(desk):
    with pytest.raises(TypeError, match="name"):
        change(desk, name="Another")
