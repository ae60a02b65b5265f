"""The clinic's own system: a signed call as Standard Webhooks lays down, whose id lets it drop copies.

What is called and what it gets stands in docs/webhooks.md.
"""

import base64
import json
import secrets
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import requests
from django.utils import timezone
from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from reminders.channels.answers import outcome_of
from reminders.channels.base import Channel, Message, Outcome
from reminders.channels.egress import Exchange, post, watched

_PREFIX: Final = "whsec_"
EVENT: Final = "reminder.due"
# The trigger of a message that staff send to see whether the channel works.
TEST: Final = "test"
TEST_EVENT: Final = "reminder.test"


class WebhookChannel(Channel):
    """Calls one address of the clinic's own system for each message."""

    name = "webhook"
    # The id is the same at every try, and the receiver has promised to drop what it has seen.
    policy = "retry"
    runs_apart = True

    def __init__(self, url: str, secret: str) -> None:
        self._url = url
        self._secret = secret

    def send(self, message: Message) -> Outcome:
        """Call the system, once."""
        moment = timezone.now()
        ident = message_id(message)
        body = write_body(message, at=moment.isoformat())
        try:
            signature = Webhook(self._secret).sign(ident, moment, body)
        except (EmptyWebhookSecretError, ValueError):
            return Outcome("transient", "account-incomplete", is_channel_down=True)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Regimen",
            "webhook-id": ident,
            "webhook-timestamp": str(int(moment.timestamp())),
            "webhook-signature": signature,
        }
        exchange = Exchange()
        # Whatever goes wrong: the exchange knows how far it came.
        with watched(exchange), suppress(requests.RequestException):
            post(self._url, data=body.encode(), headers=headers)
        return outcome_of(exchange, _read)


def message_id(message: Message) -> str:
    """Return what the call is known by, the same at every try."""
    return message.reference or message.key.strip("<>").partition("@")[0]


def write_body(message: Message, *, at: str) -> str:
    """Return the body of the call: codes, instants and the text, as docs/webhooks.md lists them."""
    data: dict[str, Any] = {
        "id": message_id(message),
        "client": message.address,
        "subject": message.subject,
        "text": message.text,
        "short": message.short,
        "facts": dict(message.facts),
    }
    event = TEST_EVENT if message.facts.get("trigger") == TEST else EVENT
    return json.dumps({"type": event, "timestamp": at, "data": data}, ensure_ascii=False)


def new_secret() -> str:
    """Return a new signing secret in the form that receivers' libraries take."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def _read(status: int, data: Mapping[str, Any]) -> Outcome | None:
    # The specification asks for any status of success; a body is welcome and not read.
    return Outcome("sent") if 200 <= status < 300 else None
