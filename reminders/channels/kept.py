"""A mail backend that keeps messages in the database, for installations without a mail server."""

from collections.abc import Sequence

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone

from reminders.models import KeptMessage


class KeptEmailBackend(BaseEmailBackend):
    """Stores each message as its recipient would read it."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Keep the messages and return how many."""
        KeptMessage.objects.bulk_create([_row(message) for message in email_messages])
        return len(email_messages)


def _row(message: EmailMessage) -> KeptMessage:
    html = [part.content for part in getattr(message, "alternatives", []) if part.mimetype == "text/html"]
    return KeptMessage(
        clinic_id=getattr(message, "clinic_id", None),
        message_id=message.extra_headers.get("Message-ID", ""),
        from_header=message.from_email,
        to_header=", ".join(message.to),
        subject=str(message.subject)[:300],
        text=str(message.body),
        html=html[0] if html else "",
        kept_at=timezone.now(),
    )
