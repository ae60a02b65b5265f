"""One call of an endpoint: signed as Standard Webhooks lays down, through the guard, within ten seconds."""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import requests
from standardwebhooks import Webhook

from reminders.channels.answers import retry_after
from reminders.channels.egress import Exchange, post, watched

CALL_SECONDS: Final = 10.0
_AGENT: Final = "Regimen"


@dataclass(frozen=True, slots=True)
class Answer:
    """How a call ended: the status of the answer, None without one, then why in a word; how long it took."""

    status: int | None
    error: str
    milliseconds: int
    # Seconds for which the other side asks to be left alone.
    retry_after: int | None = None

    @property
    def is_taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        return self.status == 410


def call(url: str, *, ident: str, body: str, secrets: Sequence[str], at: datetime) -> Answer:
    """Call an endpoint once and return how that went; every secret signs, so that one can be replaced by another."""
    headers = {
        "Content-Type": "application/json",
        "User-Agent": _AGENT,
        "webhook-id": ident,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(ident, at, body) for secret in secrets),
    }
    exchange = Exchange(seconds=CALL_SECONDS)
    started = time.monotonic()
    # Whatever goes wrong: the exchange knows how far it came.
    with watched(exchange), suppress(requests.RequestException):
        post(url, data=body.encode(), headers=headers)
    took = int((time.monotonic() - started) * 1000)
    if exchange.status:
        asked = retry_after(exchange.headers) if exchange.status in (429, 503) else None
        return Answer(exchange.status, "", took, asked)
    return Answer(None, _why(exchange), took)


def _why(exchange: Exchange) -> str:
    if exchange.refused:
        return f"refused-{exchange.refused}"
    if exchange.is_late:
        return "late"
    return "silent" if exchange.is_begun else "unreachable"
