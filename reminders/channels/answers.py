"""From what a provider answered over HTTP to one of the four words."""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any, Final

from django.utils import timezone

from reminders.channels.base import Outcome
from reminders.channels.egress import Exchange

# What a provider's answer means by its own codes; None leaves it to the status.
Reader = Callable[[int, Mapping[str, Any]], Outcome | None]

# Wrong key, wrong address, no credit, moved: the account's set-up, which the next message shares.
_SET_UP: Final = frozenset({301, 302, 303, 307, 308, 401, 402, 403, 404, 405, 407, 410})
_LATER: Final = frozenset({408, 425, 429})
# A gateway that waited in vain: the message may well have gone through.
_SILENT_BEHIND: Final = 504
_LONGEST_WAIT: Final = timedelta(hours=1)


def outcome_of(exchange: Exchange, read: Reader) -> Outcome:
    """Say what became of a message from what is known of its request.

    A good status is not enough: without an answer that says what it should, nobody knows.
    """
    if exchange.refused:
        return Outcome("transient", f"refused-{exchange.refused}", is_channel_down=True)
    if not exchange.status:
        if exchange.is_begun:
            return Outcome("uncertain", "http-late" if exchange.is_late else "http-silent")
        return Outcome("transient", "http-unreachable", is_channel_down=True)
    found = read(exchange.status, _data(exchange.body))
    return found or by_status(exchange)


def by_status(exchange: Exchange) -> Outcome:
    """Say what a bare status means."""
    status = exchange.status
    code = f"http-{status}"
    if status == _SILENT_BEHIND:
        return Outcome("uncertain", code)
    if status in _SET_UP or status in _LATER or status >= 500:
        return Outcome("transient", code, is_channel_down=True, retry_after=retry_after(exchange.headers))
    if 400 <= status < 500:
        return Outcome("permanent", code)
    # A status of success whose answer no reader understood, or none that HTTP knows.
    return Outcome("uncertain", "answer-unreadable")


def retry_after(headers: Mapping[str, str]) -> int | None:
    """Return the seconds for which the receiver asks to be left alone, at most an hour, None if it does not."""
    text = headers.get("Retry-After", "").strip()
    if not text:
        return None
    if text.isdecimal():
        seconds = float(text)
    else:
        try:
            seconds = (parsedate_to_datetime(text) - timezone.now()).total_seconds()
        except (TypeError, ValueError):
            return None
    return int(min(max(seconds, 0), _LONGEST_WAIT.total_seconds()))


def _data(body: bytes) -> Mapping[str, Any]:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


# ---------------------------------------------------------------- providers


def sent(provider_id: Any) -> Outcome | None:
    """Return that a message was accepted under an id, None when the answer names none."""
    return Outcome("sent", provider_id=str(provider_id)[:200]) if provider_id else None


def bad_address(code: str) -> Outcome:
    """Return that nobody can be reached at the address, or does not want to be."""
    return Outcome("permanent", code, is_address_bad=True)


def held_up(code: str, seconds: Any = None) -> Outcome:
    """Return that the account may not send now, whoever it is to."""
    is_number = isinstance(seconds, int | float) and isfinite(seconds)
    wait = int(min(max(seconds, 0), _LONGEST_WAIT.total_seconds())) if is_number else None
    return Outcome("transient", code, is_channel_down=True, retry_after=wait)


def dig(data: Any, *path: str | int) -> Any:
    """Return what lies under a path of keys and positions, None where the answer is of another shape."""
    for step in path:
        if isinstance(step, int):
            data = data[step] if isinstance(data, list) and len(data) > step else None
        else:
            data = data.get(step) if isinstance(data, Mapping) else None
    return data


def read_twilio(status: int, data: Mapping[str, Any]) -> Outcome | None:
    # Not a number, not a mobile, has answered STOP.
    code = data.get("code") if status >= 400 else data.get("error_code")
    if code in (21211, 21217, 21610, 21614):
        return bad_address(f"twilio-{code}")
    if status < 400:
        is_lost = data.get("status") in ("failed", "undelivered", "canceled")
        return Outcome("permanent", f"twilio-{code or 'failed'}") if is_lost else sent(data.get("sid"))
    return None


def read_vonage(status: int, data: Mapping[str, Any]) -> Outcome | None:
    # Always status 200: what happened stands in the body.
    code = str(dig(data, "messages", 0, "status") or "")
    if code == "0":
        return sent(dig(data, "messages", 0, "message-id"))
    if code in ("1", "4", "5", "8", "9", "10", "14", "15"):
        return held_up(f"vonage-{code}")
    if code in ("7", "29"):
        return bad_address(f"vonage-{code}")
    return Outcome("permanent", f"vonage-{code}") if code.isdecimal() else None


def read_messagebird(status: int, data: Mapping[str, Any]) -> Outcome | None:
    if status < 400:
        return sent(data.get("id"))
    code = dig(data, "errors", 0, "code")
    if code == 25:
        return held_up("messagebird-25")
    is_recipient = code in (9, 10) and dig(data, "errors", 0, "parameter") in ("recipient", "recipients")
    return bad_address(f"messagebird-{code}") if is_recipient else None


def read_clicksend(status: int, data: Mapping[str, Any]) -> Outcome | None:
    word = dig(data, "data", "messages", 0, "status")
    if status >= 400 or not isinstance(word, str):
        return None
    if word == "SUCCESS":
        return sent(dig(data, "data", "messages", 0, "message_id"))
    if word == "INVALID_RECIPIENT":
        return bad_address("clicksend-recipient")
    if word in ("INSUFFICIENT_CREDIT", "COUNTRY_NOT_ENABLED", "INVALID_SENDER_ID"):
        return held_up("clicksend-account")
    return Outcome("permanent", "clicksend-refused")


def read_sinch(status: int, data: Mapping[str, Any]) -> Outcome | None:
    return sent(data.get("id")) if status < 400 else None


def read_d7(status: int, data: Mapping[str, Any]) -> Outcome | None:
    is_taken = status < 400 and data.get("status") == "accepted"
    return sent(data.get("request_id")) if is_taken else None


def read_telegram(status: int, data: Mapping[str, Any]) -> Outcome | None:
    if data.get("ok") is True:
        return sent(dig(data, "result", "message_id"))
    words = str(data.get("description", "")).lower()
    if status == 403 or (status == 400 and "chat not found" in words):
        # Blocked the bot, never wrote to it, or no longer there.
        return bad_address(f"telegram-{status}")
    if status == 429:
        return held_up("http-429", dig(data, "parameters", "retry_after"))
    return None


def read_whatsapp(status: int, data: Mapping[str, Any]) -> Outcome | None:
    if status < 400:
        return sent(dig(data, "messages", 0, "id"))
    code = dig(data, "error", "code")
    if code in (131026, 131030):
        return bad_address(f"whatsapp-{code}")
    # Limits of the account or of its number, keys that ran out, money owed.
    if code in (4, 10, 190, 368, 80007, 130429, 131031, 131042, 131048, 131056, 133010):
        return held_up(f"whatsapp-{code}")
    return None
