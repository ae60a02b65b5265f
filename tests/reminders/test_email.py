"""E-mail against a real SMTP server on this machine: what arrives, byte for byte, and what each refusal means."""

import email
import email.policy
import smtplib
import socket
from dataclasses import dataclass, field

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP
from django.db import connection

from clients.models import ContactPoint
from reminders.channels.base import Message, Outcome
from reminders.channels.email import EmailChannel, classify
from reminders.models import KeptMessage
from tests.reminders.builders import Memory, make_desk, send_at


@dataclass
class Sink:
    """Accepts mail and remembers it; `replies` answers one command each, by name, before it does."""

    received: list[tuple[list[str], bytes]] = field(default_factory=list)
    replies: dict[str, list[str | None]] = field(default_factory=dict)
    peers: set[tuple[str, int]] = field(default_factory=set)

    def _reply(self, command):
        waiting = self.replies.get(command, [])
        return waiting.pop(0) if waiting else None

    async def handle_MAIL(self, server, session, envelope, address, options):
        reply = self._reply("MAIL")
        if reply:
            return reply
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        reply = self._reply("RCPT")
        if reply:
            return reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session, envelope):
        reply = self._reply("DATA")
        if reply == "drop":
            # It has arrived, and the sender will never know.
            self.received.append((envelope.rcpt_tos, envelope.content))
            server.transport.abort()
            return "250 too late"
        if reply:
            return reply
        self.peers.add(session.peer)
        self.received.append((envelope.rcpt_tos, envelope.content))
        return "250 OK"

    def parsed(self):
        return [email.message_from_bytes(raw, policy=email.policy.default) for _, raw in self.received]


class FreePortController(Controller):
    """Listens on any free port, and knows which."""

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture
def sink(settings):
    sink = Sink()
    controller = FreePortController(sink, hostname="127.0.0.1", port=0, ready_timeout=10)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = controller.port
    settings.EMAIL_USE_TLS = False
    settings.EMAIL_TIMEOUT = 5
    yield sink
    controller.stop()


def message(number=1, **changes):
    values = {
        "key": f"<{number}@localhost>",
        "address": f"client{number}@example.com",
        "subject": "Your visit",
        "text": "Hello\n",
        "html": "<p>Hello</p>",
        "sender_name": "Old Town",
    }
    return Message(**values | changes)


def send(*messages):
    with EmailChannel() as channel:
        return [channel.send(one) for one in messages]


# ---------------------------------------------------------------- what arrives


@pytest.mark.django_db
def test_change_of_a_course_ends_in_an_email(sink):
    desk = make_desk()

    assert send_at("2026-03-02 08:03") == {"sent": 1}
    assert send_at("2026-03-03 15:00") == {"sent": 1}

    contact = ContactPoint.objects.get()
    assert [recipients for recipients, _ in sink.received] == [[contact.value]] * 2
    told, reminded = sink.parsed()
    assert told["Subject"] == "Your visits"
    assert reminded["Subject"] == "Your visit: tomorrow, Wednesday, 4 March, 15:00"
    assert reminded["Message-ID"] == desk.row("day-before").message_id
    assert reminded["From"] == f"{desk.course.clinic.name} <regimen@localhost>"
    assert reminded["Auto-Submitted"] == "auto-generated"
    text = reminded.get_body(("plain",)).get_content()
    assert text.splitlines()[:8] == [
        "Hello Anna,",
        "",
        "We look forward to seeing you tomorrow.",
        "",
        "    Wednesday, 4 March",
        "    15:00–15:45",
        f"    {desk.course.clinic.name}",
        "    Brivibas iela 1, Riga",
    ]
    assert "<p>Wednesday, 4 March</p>" in reminded.get_body(("html",)).get_content()
    for part in (reminded.as_string(), told.as_string()):
        assert "massage" not in part


@pytest.mark.django_db
def test_russian_email_survives_the_wire(sink):
    desk = make_desk()
    client = desk.course.client
    client.language, client.given_name = "ru", "Анна"
    client.save()

    send_at("2026-03-03 15:00")

    arrived = sink.parsed()[0]
    # A long encoded subject begins on a line of its own; the fold's space is not part of it.
    assert arrived["Subject"].strip() == "Ваш визит: завтра, среда, 4 марта, 15:00"
    assert arrived.get_body(("plain",)).get_content().splitlines()[0] == "Здравствуйте, Анна!"


def test_one_connection_serves_a_batch(sink):
    outcomes = send(*(message(n) for n in range(5)))

    assert outcomes == [Outcome("sent")] * 5
    assert len(sink.received) == 5
    assert len(sink.peers) == 1


def test_copy_carries_the_same_message_id(sink):
    sink.replies["DATA"] = ["drop"]

    first, second = send(message()), send(message())

    assert (first, second) == ([Outcome("uncertain", "smtp-silent")], [Outcome("sent")])
    assert [arrived["Message-ID"] for arrived in sink.parsed()] == ["<1@localhost>"] * 2


# ---------------------------------------------------------------- what a refusal means


@pytest.mark.parametrize(
    ("command", "reply", "outcome"),
    [
        ("RCPT", "550 no such user", Outcome("permanent", "smtp-550", is_address_bad=True)),
        ("RCPT", "553 bad name", Outcome("permanent", "smtp-553", is_address_bad=True)),
        ("RCPT", "552 mailbox full", Outcome("permanent", "smtp-552")),
        ("RCPT", "451 try later", Outcome("transient", "smtp-451", is_about_recipient=True)),
        ("DATA", "554 looks like spam", Outcome("permanent", "smtp-554")),
        ("DATA", "452 no space", Outcome("transient", "smtp-452")),
        ("MAIL", "550 not you", Outcome("transient", "smtp-550", is_channel_down=True)),
        ("MAIL", "421 closing", Outcome("transient", "smtp-421", is_channel_down=True)),
    ],
)
def test_refusal_is_that_messages_alone(sink, command, reply, outcome):
    sink.replies[command] = [reply]

    outcomes = send(message(1), message(2))

    assert outcomes == [outcome, Outcome("sent")]
    assert [recipients for recipients, _ in sink.received] == [["client2@example.com"]]


def test_silence_after_a_body_does_not_colour_the_next(sink):
    sink.replies["DATA"] = ["drop"]
    sink.replies["RCPT"] = [None, "451 try later"]

    outcomes = send(message(1), message(2), message(3))

    assert [o.kind for o in outcomes] == ["uncertain", "transient", "sent"]


def test_connection_gone_stale_is_opened_anew(sink):
    with EmailChannel() as channel:
        assert channel.send(message(1)) == Outcome("sent")
        channel._backend.connection.sock.close()

        assert channel.send(message(2)) == Outcome("sent")

    assert len(sink.received) == 2


def test_server_that_is_not_there(settings, unused_tcp_port):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", unused_tcp_port

    assert send(message()) == [Outcome("transient", "smtp-unreachable", is_channel_down=True)]


@pytest.fixture
def unused_tcp_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "a\r\nBcc: b@example.com"},
        {"address": "a@example.com\nBcc: b@example.com"},
        {"key": "<1@x>\n"},
    ],
)
def test_line_breaks_never_become_headers(sink, changes):
    outcomes = send(message(1, **changes), message(2))

    assert outcomes == [Outcome("permanent", "bad-message"), Outcome("sent")]
    assert [recipients for recipients, _ in sink.received] == [["client2@example.com"]]


def test_line_break_in_a_clinics_name_is_a_space(sink):
    send(message(sender_name="Old\r\nBcc: b@example.com"))

    arrived = sink.parsed()[0]
    assert arrived["Bcc"] is None
    assert arrived["From"].addresses[0].display_name == "Old Bcc: b@example.com"


def test_unknown_error_before_the_body_is_worth_another_try():
    assert classify(RuntimeError(), is_in_body=False, was_open=True) == Outcome("transient", "unknown")
    assert classify(RuntimeError(), is_in_body=True, was_open=True) == Outcome("uncertain", "smtp-silent")
    assert classify(smtplib.SMTPServerDisconnected(), is_in_body=False, was_open=True).code == "smtp-stale"
    assert classify(TimeoutError(), is_in_body=False, was_open=False).is_channel_down


# ---------------------------------------------------------------- kept mail


@pytest.mark.django_db
def test_kept_mail_is_what_the_client_would_have_got(settings):
    settings.EMAIL_BACKEND = "reminders.channels.kept.KeptEmailBackend"
    desk = make_desk()

    send_at("2026-03-03 15:00")

    kept = KeptMessage.objects.get()
    assert (kept.clinic, kept.subject, kept.to_header, kept.message_id) == (
        desk.course.clinic,
        "Your visit: tomorrow, Wednesday, 4 March, 15:00",
        ContactPoint.objects.get().value,
        desk.row("day-before").message_id,
    )
    assert kept.text.startswith("Hello Anna,\n")
    assert kept.html.startswith("<!doctype html>")


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_during_a_send():
    make_desk()
    seen = []
    channel = Memory(script=[lambda _: seen.append(connection.in_atomic_block)])

    send_at("2026-03-03 15:00", channel)

    assert seen == [False]
