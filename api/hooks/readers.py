"""What a provider's call says, in this project's words; every field of it may be missing or of any kind."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.utils.dateparse import parse_datetime

from api.hooks.signatures import HookError, check_standard, check_twilio, check_vonage, event_name
from reminders.models import Delivery

_DELIVERED, _BOUNCED, _COMPLAINED = Delivery.DELIVERED, Delivery.BOUNCED, Delivery.COMPLAINED


@dataclass(frozen=True, slots=True)
class Call:
    """A request as it came: `url` is the address that the provider called, `secrets` what it may be signed with."""

    body: bytes
    headers: Mapping[str, str]
    url: str
    secrets: Mapping[str, str]
    # Of Standard Webhooks; several while a key is being replaced.
    hook_secrets: tuple[str, ...]
    now: datetime


@dataclass(frozen=True, slots=True)
class Text:
    """A text from a telephone."""

    event_id: str
    sender: str
    text: str


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a message; `kind` is None for news that change nothing, such as "queued"."""

    event_id: str
    kind: Delivery | None
    provider_id: str = ""
    reference: str = ""
    is_permanent: bool = False
    happened_at: datetime | None = None


# ---------------------------------------------------------------- Twilio

# Numbers that are none, or no mobile ones: https://www.twilio.com/docs/api/errors
_TWILIO_PERMANENT: Final = frozenset({"21211", "21214", "21610", "21614", "30005", "30006"})
_TWILIO_KINDS: Final = {
    "delivered": _DELIVERED,
    "read": _DELIVERED,
    "undelivered": _BOUNCED,
    "failed": _BOUNCED,
}


def read_twilio_text(call: Call) -> Text:
    """Return the text of a call by Twilio's messaging webhook."""
    fields = _twilio(call)
    return Text(_needed(fields, "MessageSid"), _needed(fields, "From"), fields.get("Body", ""))


def read_twilio_report(call: Call) -> Report:
    """Return the report of a call by Twilio's status callback."""
    fields = _twilio(call)
    sid, status = _needed(fields, "MessageSid"), _needed(fields, "MessageStatus")
    return Report(
        event_id=f"{sid}:{status}",
        kind=_TWILIO_KINDS.get(status),
        provider_id=sid,
        is_permanent=fields.get("ErrorCode", "") in _TWILIO_PERMANENT,
    )


def _twilio(call: Call) -> dict[str, str]:
    return check_twilio(call.body, call.headers, call.secrets.get("auth_token", ""), url=call.url)


# ---------------------------------------------------------------- Vonage

# 2 absent for good, 5 and 6 refused by the network, 9 illegal number:
# https://developer.vonage.com/en/messaging/sms/guides/delivery-receipts
_VONAGE_PERMANENT: Final = frozenset({"2", "9"})
_VONAGE_KINDS: Final = {
    "delivered": _DELIVERED,
    "failed": _BOUNCED,
    "rejected": _BOUNCED,
    "expired": _BOUNCED,
}


def read_vonage_text(call: Call) -> Text:
    """Return the text of a call by Vonage's inbound webhook."""
    fields = _vonage(call)
    return Text(_needed(fields, "messageId"), _needed(fields, "msisdn"), fields.get("text", ""))


def read_vonage_report(call: Call) -> Report:
    """Return the report of a call by Vonage's delivery receipts."""
    fields = _vonage(call)
    ident, status = _needed(fields, "messageId"), _needed(fields, "status")
    return Report(
        event_id=f"{ident}:{status}",
        kind=_VONAGE_KINDS.get(status),
        provider_id=ident,
        is_permanent=fields.get("err-code", "") in _VONAGE_PERMANENT,
        happened_at=_vonage_time(fields.get("message-timestamp", "")),
    )


def _vonage(call: Call) -> dict[str, str]:
    secret = call.secrets.get("hook_signature_secret", "")
    return check_vonage(call.body, call.headers, secret, now=call.now)


def _vonage_time(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None


# ---------------------------------------------------------------- any gateway

_STANDARD_KINDS: Final = {
    "message.delivered": _DELIVERED,
    "message.bounced": _BOUNCED,
    "message.complained": _COMPLAINED,
}


def read_standard_text(call: Call) -> Text:
    """Return the text of a call of type "sms.received", as docs/webhooks.md lays down."""
    ident, kind, data = _standard(call)
    if kind != "sms.received":
        raise HookError("unknown-type", 400)
    return Text(ident, _needed(data, "from"), _needed(data, "text", least=0))


def read_standard_report(call: Call) -> Report:
    """Return the report of a call of type "message.delivered" and its kin; other types change nothing."""
    ident, kind, data = _standard(call)
    reference, provider_id = (_text(data, name) for name in ("reference", "provider_id"))
    if not reference and not provider_id:
        raise HookError("bad-body", 400)
    return Report(
        event_id=ident,
        kind=_STANDARD_KINDS.get(kind),
        provider_id=provider_id,
        reference=reference,
        is_permanent=data.get("permanent") is True,
        happened_at=_iso_time(_text(data, "happened_at")),
    )


def _standard(call: Call) -> tuple[str, str, dict[str, Any]]:
    ident, body = check_standard(call.body, call.headers, call.hook_secrets, now=call.now)
    data = body.get("data") if isinstance(body, dict) else None
    if not isinstance(data, dict):
        raise HookError("bad-body", 400)
    return event_name(ident), _text(body, "type"), data


def _iso_time(text: str) -> datetime | None:
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


# ---------------------------------------------------------------- fields


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name, "")
    # Half a character, as of a text cut in two, is in JSON but in no column.
    return value.replace("\x00", "").encode(errors="replace").decode() if isinstance(value, str) else ""


def _needed(data: Mapping[str, Any], name: str, *, least: int = 1) -> str:
    if not isinstance(data.get(name), str) or len(value := _text(data, name)) < least:
        raise HookError("bad-body", 400)
    return value
