"""E-mail through whatever Django is set up to send with, over one connection for a whole batch."""

import logging
import re
import smtplib
from email.utils import formataddr, parseaddr
from functools import lru_cache
from typing import Any, Final

from anymail.backends.base import AnymailBaseBackend
from django.conf import settings
from django.core.mail import BadHeaderError, EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend as SmtpBackend
from django.core.mail.message import sanitize_address

from reminders.channels.anymail import classify_anymail, mime_part, provider_id_of
from reminders.channels.base import SENT, Channel, Message, Outcome
from reminders.channels.mime import write_mime

logger = logging.getLogger(__name__)

# Answers to a recipient that mean the address itself: unknown, not here, not allowed.
_BAD_ADDRESS: Final = frozenset({550, 551, 553})
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]+")


class _BodyWatch:
    """Remembers whether a message's body is on its way: from then on a silence leaves its fate unknown."""

    is_in_body = False

    def data(self, msg: Any) -> tuple[int, bytes]:
        self.is_in_body = True
        try:
            answer: tuple[int, bytes] = super().data(msg)  # type: ignore[misc]  # mixed into smtplib's classes
        except smtplib.SMTPResponseException:
            self.is_in_body = False
            raise
        # Not in a finally: a silence has to leave the mark behind.
        self.is_in_body = False
        return answer


class WatchedSMTP(_BodyWatch, smtplib.SMTP):
    """A connection that knows whether a body is on its way."""


class WatchedSMTPOverTls(_BodyWatch, smtplib.SMTP_SSL):
    """The same over TLS from the start."""


# One sender writes to the same few servers with the same few names; a recipient's two messages come close together.
@lru_cache(maxsize=256)
def _bare_address(address: str) -> str:
    """Return an address as the envelope has it, without a name, its domain in the form of the wire.

    Raises: ValueError when it is none.
    """
    if address.isascii() and "<" not in address and address.count("@") == 1:
        return address
    return parseaddr(sanitize_address(address, "utf-8"))[1]


class WatchedSmtpBackend(SmtpBackend):
    """Django's SMTP, over a connection that knows whether a body is on its way."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return WatchedSMTPOverTls if self.use_ssl else WatchedSMTP

    def send_written(self, email: EmailMultiAlternatives, written: bytes) -> None:
        """Hand over one e-mail that is already written.

        Raises: what smtplib raises.
        """
        from_address = _bare_address(email.from_email)
        to = [_bare_address(address) for address in email.to]
        assert self.connection is not None, "opened before"
        self.connection.sendmail(from_address, to, written)


class EmailChannel(Channel):
    """Sends each message by itself, so that one refusal is one row's alone.

    `backend`: one of Django's by its path, in place of the installation's own.
    """

    name = "email"
    # The server knows no key of ours, but a second copy under the same Message-ID does little harm.
    policy = "retry_once"

    def __init__(self, backend: str | None = None) -> None:
        self._path = backend
        self._backend: BaseEmailBackend | None = None
        configured = get_connection(backend)
        self._is_smtp = isinstance(configured, SmtpBackend)
        # Anything else may keep its mail in the database.
        self.runs_apart = self._is_smtp or isinstance(configured, AnymailBaseBackend)

    def send(self, message: Message) -> Outcome:
        """Hand the message to the mail server, once; a connection gone stale is opened anew before."""
        try:
            email = write_email(message)
            written = self._write(email)
        except (BadHeaderError, ValueError) as error:
            logger.warning("Message %s could not be written: %s.", message.key, type(error).__name__)
            return Outcome("permanent", "bad-message")
        outcome = self._hand_over(email, written)
        if outcome.code == "smtp-stale":
            self.close()
            outcome = self._hand_over(email, written)
        return outcome

    def _write(self, email: EmailMultiAlternatives) -> bytes:
        """Return the e-mail as it goes over the wire; whatever is wrong with it shows here."""
        if self._is_smtp and not email.attachments:
            return write_mime(email)
        return email.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]  # Django's own classes take it

    def close(self) -> None:
        """Close the connection, whatever state it is in."""
        backend, self._backend = self._backend, None
        if backend is None:
            return
        try:
            backend.close()
        except (OSError, smtplib.SMTPException) as error:
            logger.info("Closing the mail connection failed: %s.", type(error).__name__)

    def _hand_over(self, email: EmailMultiAlternatives, written: bytes) -> Outcome:
        was_open = self._backend is not None
        try:
            backend = self._open()
            if isinstance(backend, WatchedSmtpBackend):
                backend.send_written(email, written)
            else:
                backend.send_messages([email])
        except Exception as error:
            outcome = classify_anymail(error) or classify(
                error, is_in_body=self._is_in_body(), was_open=was_open
            )
            if outcome.code == "unknown":
                logger.exception("Sending mail failed in an unknown way.")
            if not isinstance(error, smtplib.SMTPResponseException | smtplib.SMTPRecipientsRefused):
                self.close()
            return outcome
        provider_id = provider_id_of(email)
        return Outcome("sent", provider_id=provider_id) if provider_id else SENT

    def _open(self) -> BaseEmailBackend:
        if self._backend is None:
            backend = get_connection(self._path)
            if type(backend) is SmtpBackend:
                backend = WatchedSmtpBackend()
            # Kept before opening, so that a failure to open closes it.
            self._backend = backend
            backend.open()
        return self._backend

    def _is_in_body(self) -> bool:
        return bool(getattr(getattr(self._backend, "connection", None), "is_in_body", False))


def classify(error: Exception, *, is_in_body: bool, was_open: bool) -> Outcome:
    """Say in one of four words what an error means for the message it came with.

    Unknown errors are uncertain when the body was on its way, else transient: nothing has left yet.
    """
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = min(answer[0] for answer in error.recipients.values())
        if code >= 500:
            return Outcome("permanent", f"smtp-{code}", is_address_bad=code in _BAD_ADDRESS)
        # Greylisting puts off whoever writes to somebody for the first time, one recipient after the other.
        return Outcome(
            "transient", f"smtp-{code}", is_channel_down=code == 421, is_about_recipient=code != 421
        )
    if isinstance(error, smtplib.SMTPDataError):
        kind = "permanent" if error.smtp_code >= 500 else "transient"
        return Outcome(kind, f"smtp-{error.smtp_code}", is_channel_down=error.smtp_code == 421)  # type: ignore[arg-type]  # both are kinds
    if isinstance(error, smtplib.SMTPResponseException):
        # Greeting, login or sender refused: our set-up, not this message, so it is worth another try.
        return Outcome("transient", f"smtp-{error.smtp_code}", is_channel_down=True)
    if is_in_body:
        return Outcome("uncertain", "smtp-silent")
    if isinstance(error, smtplib.SMTPServerDisconnected) and was_open:
        return Outcome("transient", "smtp-stale", is_channel_down=True)
    if isinstance(error, OSError | smtplib.SMTPException):
        return Outcome("transient", "smtp-unreachable", is_channel_down=True)
    return Outcome("transient", "unknown")


def write_email(message: Message) -> EmailMultiAlternatives:
    """Return the message as Django's, in text and HTML.

    Raises: ValueError when a header cannot be written.
    """
    name = _CONTROL.sub(" ", message.sender_name).strip()
    address = settings.DEFAULT_FROM_EMAIL
    email = EmailMultiAlternatives(
        subject=message.subject,
        body=message.text,
        from_email=formataddr((name, address)) if name and "<" not in address else address,
        to=[message.address],
        reply_to=[message.reply_to] if message.reply_to else None,
        # What a machine wrote: answering machines keep silent.
        headers={"Message-ID": message.key, "Auto-Submitted": "auto-generated", **dict(message.headers)},
    )
    email.attach_alternative(message.html, "text/html")
    for file in message.attachments:
        email.attach(mime_part(file))
    if message.reference:
        # Providers hand it back with their reports; a mail server never sees it.
        email.metadata = {"reminder": message.reference}  # type: ignore[attr-defined]  # read by anymail only
    # For the mailbox of installations without a mail server; never a header.
    email.clinic_id = message.clinic_id  # type: ignore[attr-defined]  # read by KeptEmailBackend only
    return email
