"""E-mail through providers: what they get, and what their answers mean."""

import socket

import pytest
from anymail.exceptions import AnymailAPIError, AnymailError, AnymailUnsupportedFeature
from django.core.mail import get_connection

from reminders.channels.anymail import classify_anymail, mime_part, provider_id_of
from reminders.channels.base import Attachment, Message, Outcome
from reminders.channels.email import write_email
from tests.reminders.provider_stub import HANG_UP, Reply, Stub, serving

CALENDAR = Attachment(
    "visit.ics", "text/calendar; charset=utf-8; method=REQUEST", "BEGIN:VCALENDAR\r\nX:š\r\n".encode()
)
MESSAGE = Message(
    key="<0d6a4d1e@example.com>",
    address="anna@example.com",
    subject="Your visit",
    text="Hello Anna",
    html="<p>Hello Anna</p>",
    sender_name="Kalnina Clinic",
    reply_to="desk@example.com",
    reference="0d6a4d1e",
    headers=(("List-Unsubscribe", "<https://example.com/u/x>"),),
    attachments=(CALENDAR,),
)
# What each answers to a message it takes, and how it then calls it.
TAKEN = {
    "brevo": (Reply(201, {"messageId": "<b-1@smtp>"}), "<b-1@smtp>"),
    "mailgun": (Reply(200, {"id": "<m-1@mg>", "message": "Queued."}), "<m-1@mg>"),
    "mailjet": (
        Reply(
            200, {"Messages": [{"Status": "success", "To": [{"Email": MESSAGE.address, "MessageID": 77}]}]}
        ),
        "77",
    ),
    "postmark": (
        Reply(200, {"ErrorCode": 0, "Message": "OK", "MessageID": "p-1", "To": MESSAGE.address}),
        "p-1",
    ),
    "resend": (Reply(200, {"id": "r-1"}), "r-1"),
    "sparkpost": (
        Reply(
            200, {"results": {"id": "s-1", "total_accepted_recipients": 1, "total_rejected_recipients": 0}}
        ),
        "s-1",
    ),
}


def send(settings, stub, provider):
    """Send the message through a provider's backend; return the mail, or the error it raised."""
    prefix = provider.upper()
    settings.ANYMAIL = {f"{prefix}_{name}": "key" for name in ("API_KEY", "SERVER_TOKEN", "SECRET_KEY")} | {
        f"{prefix}_API_URL": f"{stub.url}/",
        "REQUESTS_TIMEOUT": 1,
    }
    email = write_email(MESSAGE)
    try:
        get_connection(f"anymail.backends.{provider}.EmailBackend").send_messages([email])
    except AnymailError as error:
        return error
    return email


@pytest.fixture(autouse=True)
def sender(settings):
    settings.DEFAULT_FROM_EMAIL = "clinic@example.com"


@pytest.mark.parametrize("provider", TAKEN)
def test_provider_takes_all_of_a_message(settings, provider):
    reply, provider_id = TAKEN[provider]
    with serving(Stub(script=[reply])) as stub:
        email = send(settings, stub, provider)

    body = stub.requests[0].body.decode("utf-8", "replace")
    missing = {
        word
        for word in ("0d6a4d1e", "anna@example.com", "List-Unsubscribe", "visit.ics", "Kalnina Clinic")
        if word not in body
    }
    assert missing == set()
    assert provider_id_of(email) == provider_id


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        (Reply(429, headers=(("Retry-After", "9"),)), Outcome("transient", "http-429", is_channel_down=True, retry_after=9)),
        (Reply(401), Outcome("transient", "http-401", is_channel_down=True)),
        (Reply(500), Outcome("transient", "http-500", is_channel_down=True)),
        (Reply(200, b"<html>"), Outcome("uncertain", "answer-unreadable")),
        (Reply(200, {"strange": True}), Outcome("uncertain", "answer-unreadable")),
        (Reply(422, {"ErrorCode": 300, "Message": "?"}), Outcome("permanent", "http-422")),
        (
            Reply(422, {"ErrorCode": 406, "Message": "Found inactive addresses: anna@example.com. Inactive recipients are"}),
            Outcome("permanent", "provider-refused", is_address_bad=True),
        ),
        (HANG_UP, Outcome("uncertain", "http-silent")),
        (Reply(after=3), Outcome("uncertain", "http-silent")),
    ],
)  # fmt: skip
def test_answer_decides(settings, script, outcome):
    with serving(Stub(script=[script])) as stub:
        error = send(settings, stub, "postmark")

    assert classify_anymail(error) == outcome


def test_provider_that_is_not_there_got_nothing(settings):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        stub = Stub(port=probe.getsockname()[1])

    error = send(settings, stub, "postmark")

    assert classify_anymail(error) == Outcome("transient", "http-unreachable", is_channel_down=True)


def test_errors_of_the_message_are_its_own():
    assert classify_anymail(AnymailUnsupportedFeature("x")) == Outcome("permanent", "bad-message")
    assert classify_anymail(AnymailAPIError("x")) == Outcome("uncertain", "provider-unclear")
    assert classify_anymail(OSError()) is None


def test_mail_without_a_provider_has_no_id():
    assert provider_id_of(write_email(MESSAGE)) == ""


def test_file_keeps_the_parameters_of_its_type():
    part = mime_part(CALENDAR)

    assert part.get_content_type() == "text/calendar"
    assert dict(part.get_params()[1:]) == {"charset": "utf-8", "method": "REQUEST"}
    assert (part.get_filename(), part.get_payload(decode=True)) == ("visit.ics", CALENDAR.content)


def test_file_that_is_no_text_arrives_whole():
    part = mime_part(Attachment("a\r\nBcc: x.bin", "application/octet-stream", b"\x00\xff\r\n"))

    assert (part.get_filename(), part.get_payload(decode=True)) == ("a Bcc: x.bin", b"\x00\xff\r\n")


def test_written_mail_carries_headers_and_files():
    raw = write_email(MESSAGE).message().as_string()

    assert "List-Unsubscribe: <https://example.com/u/x>" in raw
    assert 'method="REQUEST"' in raw
    assert raw.count("0d6a4d1e") == 1
