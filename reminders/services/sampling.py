"""Test messages: one copy of how a rule's message reads, to whoever asks for it and marked as a test."""

import dataclasses
import re
import uuid
from datetime import datetime, timedelta
from typing import Final

from django.core.exceptions import ValidationError
from django.utils import translation
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from audit.models import AuditEvent
from audit.services import Actor, record
from clients.services import checked_address
from clinics.models import Clinic
from reminders.channels.base import Message, Outcome
from reminders.channels.registry import find_ways
from reminders.errors import MessageError
from reminders.models import ReminderRule
from reminders.texts import preview_message

# A test reaches a person: enough to try every language and channel, too few to annoy anybody.
TESTS_MOST: Final = 10
TESTS_EVERY: Final = timedelta(minutes=10)
_ACTION: Final = "rule.tested"
_BODY: Final = re.compile(r"(<body[^>]*>)")


def send_test(
    *,
    rule: ReminderRule,
    language: str,
    channel: str,
    address: str,
    by: Actor,
    now: datetime,
) -> Outcome:
    """Send a rule's message with invented values to one address and return how that went.

    Goes out at once, in the caller's thread: whoever tests waits for the answer.
    Raises: MessageError `too_many_tests`, `no_channel`, `bad_address`.
    Cost: one query for the limit, one for the way out, one for the trail.
    """
    clinic = rule.clinic
    _refuse_too_many(clinic, by=by, now=now)
    way = find_ways([(clinic.pk, channel)]).get((clinic.pk, channel))
    if way is None:
        raise MessageError(
            _("This channel is not set up."),
            code="no_channel",
            fields={"channel": _("This channel is not set up.")},
        )
    to = _checked(channel, address, country=clinic.country)
    with translation.override(language):
        message = _marked(preview_message(rule, language=language, clinic=clinic, channel=channel), to)
    # On record before it goes: a try that hangs counts too.
    record(
        _ACTION,
        at=now,
        by=by,
        clinic_code=clinic.code,
        subject_kind="rule",
        subject_code=rule.code,
        new={"channel": channel, "language": language, "version": rule.version},
    )
    with way.open() as opened:
        return opened.send(message)


def _checked(channel: str, address: str, *, country: str) -> str:
    try:
        return checked_address(channel, address, country=country)
    except ValidationError as error:
        message = " ".join(error.messages)
        raise MessageError(message, code="bad_address", fields={"address": message}) from error


def _refuse_too_many(clinic: Clinic, *, by: Actor, now: datetime) -> None:
    lately = AuditEvent.objects.for_clinic(clinic).filter(
        action=_ACTION, actor_code=by.code, at__gt=now - TESTS_EVERY
    )
    if lately.count() >= TESTS_MOST:
        raise MessageError(
            _("Those were many test messages. Wait ten minutes, then try again."), code="too_many_tests"
        )


def _marked(message: Message, address: str) -> Message:
    """Return the message to the address, marked as a test wherever it is read, with a key of its own."""
    mark = pgettext("mark of a test message", "Test")
    note = _("This is a test message with invented values.")
    host = message.key.rpartition("@")[2] or "localhost>"
    return dataclasses.replace(
        message,
        key=f"<test-{uuid.uuid4()}@{host}",
        reference="",
        headers=(),
        address=address,
        subject=f"[{mark}] {message.subject}",
        text=f"{note}\n\n{message.text}",
        short=f"[{mark}] {message.short}" if message.short else "",
        html=_BODY.sub(rf"\1<p>{escape(note)}</p>", message.html, count=1),
    )
