"""SMS and messengers: what each provider is asked, what its answers mean, and where nothing may go."""

import io
import logging
import subprocess
import sys
from urllib.parse import parse_qs

import pytest
import requests

from reminders.channels import apprised
from reminders.channels.apprised import GuardedRequests, load_class
from reminders.channels.base import Message, Outcome
from reminders.channels.providers import (
    CLICKSEND,
    D7,
    MESSAGEBIRD,
    SINCH,
    TELEGRAM,
    TWILIO,
    VONAGE,
    WHATSAPP,
    find_provider,
)
from tests.reminders.provider_stub import HANG_UP, Reply, Stub, serving

PHONE = "+37120000001"
SENDER = "+37120000099"
TEXT = "Visit tomorrow, 15:00 & <b>more</b>.\nKalnina Clinic"
MESSAGE = Message(
    key="<1@example.com>",
    address=PHONE,
    subject="Never sent",
    text="The long text, never sent",
    html="",
    sender_name="",
    short=TEXT,
)
# Per provider: its service, where it keeps its address, the answers of the form, and what it says to a good message.
CASES = {
    "twilio": (
        (TWILIO, "notify_sms_url"),
        {"account_sid": "AC" + "a1" * 16, "auth_token": "tok" * 8, "source": SENDER},
        Reply(201, {"sid": "SM1", "status": "queued"}),
        "SM1",
    ),
    "vonage": (
        (VONAGE, "notify_url"),
        {"apikey": "abcd1234", "secret": "secret1234", "source": SENDER},
        Reply(200, {"messages": [{"status": "0", "message-id": "V1"}]}),
        "V1",
    ),
    "sinch": (
        (SINCH, "notify_url"),
        {"service_plan_id": "ab" * 16, "api_token": "cd" * 16, "source": SENDER, "region": "eu"},
        Reply(201, {"id": "S1"}),
        "S1",
    ),
    "messagebird": (
        (MESSAGEBIRD, "notify_url"),
        {"apikey": "k" * 25, "source": SENDER},
        Reply(201, {"id": "M1"}),
        "M1",
    ),
    "clicksend": (
        (CLICKSEND, "notify_url"),
        {"user": "clinic@example.com", "password": "ABC%41-key:/"},
        Reply(200, {"data": {"messages": [{"status": "SUCCESS", "message_id": "C1"}]}}),
        "C1",
    ),
    "d7networks": (
        (D7, "notify_url"),
        {"token": "eyJhbGciOi.J9-_x.abcdefghij", "source": "Clinic"},
        Reply(200, {"request_id": "D1", "status": "accepted"}),
        "D1",
    ),
    "telegram": (
        (TELEGRAM, "notify_url"),
        {"bot_token": "123456789:" + "A" * 35},
        Reply(200, {"ok": True, "result": {"message_id": 7}}),
        "7",
    ),
    "whatsapp": (
        (WHATSAPP, "notify_url"),
        {"from_phone_id": "1234567890", "token": "EAA" + "b" * 60},
        Reply(200, {"messages": [{"id": "wamid.1"}]}),
        "wamid.1",
    ),
}
CHANNELS = {"telegram": "telegram", "whatsapp": "whatsapp"}
EVERY = sorted(CASES)


@pytest.fixture
def aim(monkeypatch, settings):
    """Return a function that makes a provider's channel call a stub instead of the provider."""
    settings.EGRESS_ALLOWED_HOSTS = ["127.0.0.1"]

    def aim(name, stub, **changes):
        (service, attribute), values, _, _ = CASES[name]
        path = "/bot" if name == "telegram" else "/send"
        monkeypatch.setattr(load_class(service), attribute, f"{stub.url}{path}")
        provider = find_provider(CHANNELS.get(name, "sms"), name)
        return provider.build(values | changes)

    return aim


def address_of(name):
    return "4242424242" if name == "telegram" else PHONE


def message_to(address, **changes):
    fields = {name: getattr(MESSAGE, name) for name in MESSAGE.__slots__}
    return Message(**(fields | {"address": address} | changes))


@pytest.mark.parametrize("name", EVERY)
def test_good_message_is_sent_once_under_the_providers_id(aim, name):
    *_, reply, provider_id = CASES[name]
    with serving(Stub(script=[reply])) as stub:
        outcome = aim(name, stub).send(message_to(address_of(name)))

    assert outcome == Outcome("sent", provider_id=provider_id)
    (request,) = stub.requests
    words = (
        request.body.decode()
        if request.body.startswith(b"{")
        else requests.utils.unquote(request.body.decode().replace("+", " "))
    )
    assert address_of(name).lstrip("+") in words
    assert "Visit tomorrow, 15:00" in words
    assert "never sent" not in words.lower()


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize(
    ("step", "outcome"),
    [
        (
            Reply(429, headers=(("Retry-After", "30"),)),
            Outcome("transient", "http-429", is_channel_down=True, retry_after=30),
        ),
        (Reply(401), Outcome("transient", "http-401", is_channel_down=True)),
        (Reply(500), Outcome("transient", "http-500", is_channel_down=True)),
        (Reply(503), Outcome("transient", "http-503", is_channel_down=True)),
        (Reply(504), Outcome("uncertain", "http-504")),
        (Reply(422), Outcome("permanent", "http-422")),
        (Reply(200, b"<html>"), Outcome("uncertain", "answer-unreadable")),
        (Reply(200, b"[]"), Outcome("uncertain", "answer-unreadable")),
        (Reply(200, {"error": "no"}), Outcome("uncertain", "answer-unreadable")),
        (HANG_UP, Outcome("uncertain", "http-silent")),
    ],
)
def test_any_provider_answers_in_the_same_words(aim, name, step, outcome):
    with serving(Stub(script=[step])) as stub:
        found = aim(name, stub).send(message_to(address_of(name)))

    # Telegram says how long to wait in the body alone.
    expected = (
        outcome
        if (name, outcome.code) != ("telegram", "http-429")
        else Outcome("transient", "http-429", is_channel_down=True)
    )
    assert found == expected
    assert len(stub.requests) == 1


@pytest.mark.parametrize(
    ("name", "reply", "outcome"),
    [
        ("twilio", Reply(400, {"code": 21211}), Outcome("permanent", "twilio-21211", is_address_bad=True)),
        ("twilio", Reply(400, {"code": 21610}), Outcome("permanent", "twilio-21610", is_address_bad=True)),
        ("twilio", Reply(400, {"code": 21617}), Outcome("permanent", "http-400")),
        ("twilio", Reply(201, {"sid": "1", "status": "failed", "error_code": 30003}), Outcome("permanent", "twilio-30003")),
        ("vonage", Reply(200, {"messages": [{"status": "1"}]}), Outcome("transient", "vonage-1", is_channel_down=True)),
        ("vonage", Reply(200, {"messages": [{"status": "4"}]}), Outcome("transient", "vonage-4", is_channel_down=True)),
        ("vonage", Reply(200, {"messages": [{"status": "7"}]}), Outcome("permanent", "vonage-7", is_address_bad=True)),
        ("vonage", Reply(200, {"messages": [{"status": "6"}]}), Outcome("permanent", "vonage-6")),
        ("vonage", Reply(200, {"messages": []}), Outcome("uncertain", "answer-unreadable")),
        ("messagebird", Reply(422, {"errors": [{"code": 9, "parameter": "recipients"}]}), Outcome("permanent", "messagebird-9", is_address_bad=True)),
        ("messagebird", Reply(422, {"errors": [{"code": 25}]}), Outcome("transient", "messagebird-25", is_channel_down=True)),
        ("clicksend", Reply(200, {"data": {"messages": [{"status": "INVALID_RECIPIENT"}]}}), Outcome("permanent", "clicksend-recipient", is_address_bad=True)),
        ("clicksend", Reply(200, {"data": {"messages": [{"status": "INSUFFICIENT_CREDIT"}]}}), Outcome("transient", "clicksend-account", is_channel_down=True)),
        ("d7networks", Reply(200, {"request_id": "1", "status": "rejected"}), Outcome("uncertain", "answer-unreadable")),
        ("telegram", Reply(403, {"ok": False}), Outcome("permanent", "telegram-403", is_address_bad=True)),
        ("telegram", Reply(400, {"ok": False, "description": "Bad Request: chat not found"}), Outcome("permanent", "telegram-400", is_address_bad=True)),
        ("telegram", Reply(400, {"ok": False, "description": "Bad Request: text is empty"}), Outcome("permanent", "http-400")),
        ("telegram", Reply(429, {"ok": False, "parameters": {"retry_after": 9}}), Outcome("transient", "http-429", is_channel_down=True, retry_after=9)),
        ("whatsapp", Reply(400, {"error": {"code": 131026}}), Outcome("permanent", "whatsapp-131026", is_address_bad=True)),
        ("whatsapp", Reply(400, {"error": {"code": 190}}), Outcome("transient", "whatsapp-190", is_channel_down=True)),
    ],
)  # fmt: skip
def test_providers_own_codes(aim, name, reply, outcome):
    with serving(Stub(script=[reply])) as stub:
        assert aim(name, stub).send(message_to(address_of(name))) == outcome


# ---------------------------------------------------------------- what is written


def test_telegram_gets_the_words_and_no_markup(aim):
    with serving(Stub(script=[CASES["telegram"][2]])) as stub:
        aim("telegram", stub).send(message_to("4242424242"))

    sent = stub.requests[0].json()
    assert (
        sent["text"].replace("\r\n", "\n")
        == "Visit tomorrow, 15:00 &amp; &lt;b&gt;more&lt;/b&gt;.\nKalnina Clinic"
    )
    assert (sent["chat_id"], sent["parse_mode"]) == (4242424242, "HTML")


def test_sms_gets_exactly_the_words(aim):
    with serving(Stub(script=[CASES["twilio"][2]])) as stub:
        aim("twilio", stub).send(MESSAGE)

    assert parse_qs(stub.requests[0].body.decode()) == {"Body": [TEXT], "From": [SENDER], "To": [PHONE]}


def test_whatsapp_template_takes_the_message_on_one_line(aim):
    with serving(Stub(script=[CASES["whatsapp"][2]])) as stub:
        aim("whatsapp", stub, template="visit_soon", language="ru").send(MESSAGE)

    template = stub.requests[0].json()["template"]
    assert (template["name"], template["language"]) == ("visit_soon", {"code": "ru"})
    assert template["components"][0]["parameters"] == [
        {"type": "text", "text": "Visit tomorrow, 15:00 & <b>more</b>. Kalnina Clinic"}
    ]


def test_long_message_goes_in_one_piece(aim):
    long = "Слово " * 200
    with serving(Stub(script=[CASES["twilio"][2]])) as stub:
        assert aim("twilio", stub).send(message_to(PHONE, short=long)).kind == "sent"

    assert len(stub.requests) == 1


def test_message_without_a_short_form_is_not_sent(aim):
    with serving(Stub()) as stub:
        assert aim("twilio", stub).send(message_to(PHONE, short=" ")) == Outcome("permanent", "bad-message")

    assert stub.hits == 0


# ---------------------------------------------------------------- where nothing may go


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize(
    "address", ["", "12", "anna@example.com", "@anna", "+37120000001,+37120000002", "json://127.0.0.1"]
)
def test_address_that_is_none_reaches_nobody(aim, name, address):
    with serving(Stub()) as stub:
        outcome = aim(name, stub).send(message_to(address))

    if (name, address) == ("telegram", "12"):
        # A chat may have a number as short as that.
        return
    assert (outcome.kind, outcome.code, stub.hits) == ("permanent", "bad-address", 0)


@pytest.mark.parametrize("name", EVERY)
def test_provider_may_call_its_own_hosts_only(aim, settings, name):
    with serving(Stub()) as stub:
        channel = aim(name, stub)
        settings.EGRESS_ALLOWED_HOSTS = []
        outcome = channel.send(message_to(address_of(name)))

    assert (outcome.kind, outcome.is_channel_down, stub.hits) == ("transient", True, 0)
    assert outcome.code.startswith("refused-")


def test_account_with_a_wrong_answer_sends_nothing(aim):
    with serving(Stub()) as stub:
        outcome = aim("twilio", stub, account_sid="x").send(MESSAGE)

    assert outcome == Outcome("transient", "account-incomplete", is_channel_down=True)
    assert stub.hits == 0


@pytest.mark.parametrize("name", EVERY)
def test_module_has_no_other_way_out(name):
    (service, _), *_ = CASES[name]
    module = sys.modules[load_class(service).__module__]

    assert module.requests is GuardedRequests
    assert [
        verb for verb in ("get", "put", "request", "Session", "session") if hasattr(GuardedRequests, verb)
    ] == []
    assert {"urllib", "urllib3", "socket", "http", "httpx", "smtplib"}.isdisjoint(vars(module))


def test_only_what_is_used_is_loaded():
    code = (
        "import sys; from reminders.channels.apprised import load_class, Service;"
        "load_class(Service('twilio', 'NotifyTwilio', frozenset(), lambda *_: None));"
        "print(*sorted(m for m in sys.modules if m.startswith('apprise.plugins.')))"
    )

    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert "apprise.plugins.twilio" in found.split()
    assert {"apprise.plugins.custom_json", "apprise.plugins.syslog", "apprise.plugins.email"}.isdisjoint(
        found.split()
    )


@pytest.fixture
def log(capfd):
    """Return a function that gives everything written so far where logs go, down to the finest."""
    seen = io.StringIO()
    handler = logging.StreamHandler(seen)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lambda: seen.getvalue() + "".join(capfd.readouterr())
    root.setLevel(level)
    root.removeHandler(handler)


@pytest.mark.parametrize("step", [CASES["twilio"][2], Reply(400, {"code": 21211, "message": "bad"}), HANG_UP])
def test_no_log_line_names_the_client(aim, log, step):
    with serving(Stub(script=[step])) as stub:
        aim("twilio", stub).send(MESSAGE)
    logging.getLogger("reminders.channels").debug("present")

    seen = log()
    assert (stub.hits, "present" in seen) == (1, True)
    assert [word for word in (PHONE.lstrip("+"), "Kalnina", "tok" * 8) if word in seen] == []


def test_bot_token_in_an_address_stays_out_of_the_log(aim, log):
    with serving(Stub(script=[Reply(500)])) as stub:
        aim("telegram", stub).send(message_to("4242424242"))

    assert "A" * 35 in stub.requests[0].path
    assert "A" * 35 not in log()


def test_stand_in_knows_what_apprise_asks_it():
    assert apprised.GuardedRequests.codes.created == 201
