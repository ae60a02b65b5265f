"""Kept messages are what the recipient would have got: files and headers included."""

import dataclasses

import pytest
from django.core.mail import get_connection

from reminders.channels.email import write_email
from reminders.channels.kept import KeptChannel
from reminders.models import KeptMessage
from tests.factories import ClinicFactory
from tests.reminders.test_anymail import MESSAGE

pytestmark = pytest.mark.django_db


def test_kept_mail_has_its_files_and_headers():
    clinic = ClinicFactory()
    message = dataclasses.replace(MESSAGE, clinic_id=clinic.pk)

    get_connection("reminders.channels.kept.KeptEmailBackend").send_messages([write_email(message)])

    kept = KeptMessage.objects.get()
    ((name, media_type, text),) = kept.attachments
    assert (kept.channel, name, text) == ("email", "visit.ics", "BEGIN:VCALENDAR\r\nX:š\r\n")
    assert media_type.startswith("text/calendar;")
    assert 'method="REQUEST"' in media_type
    assert kept.headers == {
        "Auto-Submitted": "auto-generated",
        "List-Unsubscribe": "<https://example.com/u/x>",
    }


@pytest.mark.parametrize("channel", ["sms", "telegram", "whatsapp", "webhook"])
def test_any_channel_keeps_the_short_form(channel):
    message = dataclasses.replace(MESSAGE, short="Tomorrow", facts={"trigger": "overdue"})

    assert KeptChannel(channel).send(message).kind == "sent"

    kept = KeptMessage.objects.get()
    assert (kept.channel, kept.text, kept.headers) == (channel, "Tomorrow", {"trigger": "overdue"})
