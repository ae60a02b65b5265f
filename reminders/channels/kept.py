"""Messages kept in the database instead of sent, for installations without a mail server or a provider."""

import base64
from collections.abc import Sequence
from email.mime.base import MIMEBase
from typing import Any, Final

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone

from reminders.channels.base import SENT, Channel, Message, Outcome
from reminders.models import KeptMessage

# How Django calls the first of the two.
KEPT_EMAIL: Final = "reminders.channels.kept.KeptEmailBackend"
# Marks a kept file that is no text.
BASE64: Final = ";base64"


class KeptEmailBackend(BaseEmailBackend):
    """Stores each message as its recipient would read it."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Keep the messages and return how many."""
        KeptMessage.objects.bulk_create([_kept_email(message) for message in email_messages])
        return len(email_messages)


class KeptChannel(Channel):
    """Stands for any channel: keeps what it would have sent."""

    name = "kept"

    def __init__(self, channel: str) -> None:
        self._channel = channel

    def send(self, message: Message) -> Outcome:
        """Keep the message as the receiver would have got it: the short form, or the facts for a program."""
        KeptMessage.objects.create(
            clinic_id=message.clinic_id,
            channel=self._channel,
            message_id=message.key[:200],
            from_header=message.sender_name[:320],
            to_header=message.address,
            subject=message.subject[:300],
            text=message.short or message.text,
            headers=dict(message.facts),
            kept_at=timezone.now(),
        )
        return SENT


def _kept_email(message: EmailMessage) -> KeptMessage:
    html = [part.content for part in getattr(message, "alternatives", []) if part.mimetype == "text/html"]
    return KeptMessage(
        clinic_id=getattr(message, "clinic_id", None),
        message_id=message.extra_headers.get("Message-ID", ""),
        from_header=message.from_email,
        to_header=", ".join(message.to),
        subject=str(message.subject)[:300],
        text=str(message.body),
        html=str(html[0]) if html else "",
        attachments=[_kept_file(part) for part in message.attachments],
        headers={name: str(value) for name, value in message.extra_headers.items() if name != "Message-ID"},
        kept_at=timezone.now(),
    )


def _kept_file(part: Any) -> list[str]:
    """Return an attached file as its name, media type and text; what is no text as base64, and marked so."""
    if isinstance(part, MIMEBase):
        name, media_type = part.get_filename() or "", " ".join(str(part["Content-Type"]).split())
        content = part.get_payload(decode=True)
    else:
        name, content, media_type = part.filename or "", part.content, part.mimetype or ""
    content = content.encode() if isinstance(content, str) else bytes(content)
    try:
        return [name, media_type, content.decode()]
    except UnicodeDecodeError:
        return [name, media_type + BASE64, base64.b64encode(content).decode()]
