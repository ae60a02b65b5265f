"""The clinic's own system: signed as Standard Webhooks says, the same id at every try."""

from uuid import UUID

import pytest
from standardwebhooks import Webhook

from reminders.channels.base import Message, Outcome
from reminders.channels.webhook import WebhookChannel, new_secret
from tests.reminders.provider_stub import HANG_UP, Reply, Stub, serving

CODE = "0d6a4d1e-6a40-4b6f-9f0a-5a43a4a3b001"
SECRET = new_secret()
MESSAGE = Message(
    key=f"<{CODE}@example.com>",
    address="7f0b8a5c-0000-4000-8000-000000000001",
    subject="Your visit",
    text="Hello Anna,\nsee you tomorrow.\n",
    html="<p>Hello</p>",
    sender_name="Kalnina Clinic",
    short="Tomorrow 15:00",
    reference=CODE,
    facts={"trigger": "before_session", "starts_at": "2026-03-04T13:00:00+00:00"},
)


@pytest.fixture
def stub(settings):
    settings.EGRESS_ALLOWED_HOSTS = ["127.0.0.1"]
    with serving(Stub()) as stub:
        yield stub


def send(stub, message=MESSAGE, secret=SECRET):
    with WebhookChannel(f"{stub.url}/hook?clinic=1", secret) as channel:
        return channel.send(message)


def test_call_is_signed_and_says_what_the_page_says(stub):
    assert send(stub) == Outcome("sent")

    (request,) = stub.requests
    payload = Webhook(SECRET).verify(request.body, request.headers)
    assert request.path == "/hook?clinic=1"
    assert request.headers["webhook-id"] == CODE
    assert payload.pop("timestamp").endswith("+00:00")
    assert payload == {
        "type": "reminder.due",
        "data": {
            "id": CODE,
            "client": MESSAGE.address,
            "subject": "Your visit",
            "text": MESSAGE.text,
            "short": "Tomorrow 15:00",
            "facts": dict(MESSAGE.facts),
        },
    }


def test_receiver_with_another_secret_refuses_the_signature(stub):
    send(stub)

    with pytest.raises(Exception, match="No matching signature"):
        Webhook(new_secret()).verify(stub.requests[0].body, stub.requests[0].headers)


def test_message_without_a_reference_is_known_by_its_key(stub):
    send(stub, Message(**{**fields_of(MESSAGE), "reference": ""}))

    assert UUID(stub.requests[0].headers["webhook-id"]) == UUID(CODE)


def fields_of(message):
    return {name: getattr(message, name) for name in message.__slots__}


def test_copy_of_a_lost_answer_is_dropped_by_its_id(settings):
    settings.EGRESS_ALLOWED_HOSTS = ["127.0.0.1"]
    with serving(Stub(script=[HANG_UP, Reply()], honours_keys=True)) as stub:
        outcomes = [send(stub), send(stub)]

    assert [outcome.kind for outcome in outcomes] == ["uncertain", "sent"]
    assert (len(stub.requests), stub.accepted) == (2, [CODE])


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (Reply(204, b""), Outcome("sent")),
        (Reply(200, b"not json"), Outcome("sent")),
        (Reply(302, headers=(("Location", "/"),)), Outcome("transient", "http-302", is_channel_down=True)),
        (Reply(400), Outcome("permanent", "http-400")),
        (Reply(401), Outcome("transient", "http-401", is_channel_down=True)),
        (Reply(410), Outcome("transient", "http-410", is_channel_down=True)),
        (Reply(500), Outcome("transient", "http-500", is_channel_down=True)),
        (Reply(504), Outcome("uncertain", "http-504")),
        (
            Reply(429, headers=(("Retry-After", "120"),)),
            Outcome("transient", "http-429", is_channel_down=True, retry_after=120),
        ),
        (
            Reply(503, headers=(("Retry-After", "99999999"),)),
            Outcome("transient", "http-503", is_channel_down=True, retry_after=3600),
        ),
    ],
)
def test_answer_decides(settings, reply, outcome):
    settings.EGRESS_ALLOWED_HOSTS = ["127.0.0.1"]
    with serving(Stub(script=[reply])) as stub:
        assert send(stub) == outcome


def test_private_address_gets_nothing(stub, settings):
    settings.EGRESS_ALLOWED_HOSTS = []
    channel = WebhookChannel(f"https://127.0.0.1:{stub.port}/", SECRET)

    assert channel.send(MESSAGE) == Outcome("transient", "refused-private-address", is_channel_down=True)
    assert stub.hits == 0


def test_broken_secret_sends_nothing(stub):
    assert send(stub, secret="whsec_x").code == "account-incomplete"
    assert send(stub, secret="whsec_").code == "account-incomplete"
    assert stub.hits == 0


def test_new_secrets_differ_and_are_long():
    first, second = new_secret(), new_secret()

    assert first != second
    assert first.startswith("whsec_")
    assert len(first) == len("whsec_") + 44
