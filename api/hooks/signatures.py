"""Who signed a call: checked over the bytes that came, before anything in them is believed."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qsl

# How far a call's time may be from ours, in seconds, either way.
WINDOW: Final = 300
_FIELDS_MOST: Final = 200
_VONAGE_HASHES: Final = {64: "sha256", 128: "sha512"}


class HookError(ValueError):
    """A call that is not taken; `status` is what it is answered."""

    def __init__(self, code: str, status: int = 401) -> None:
        super().__init__(code)
        self.code = code
        self.status = status


def check_standard(
    body: bytes, headers: Mapping[str, str], secrets: Sequence[str], *, now: datetime
) -> tuple[str, Any]:
    """Return id and JSON of a call signed as Standard Webhooks lays down.

    Raises: HookError when the signature is missing or wrong, the time is off, or the body is no JSON.
    Source: https://www.standardwebhooks.com/
    """
    ident, moment = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not ident or not _is_fresh(moment, now):
        raise HookError("old" if ident else "unsigned")
    signed = b".".join((ident.encode(), moment.encode(), body))
    wanted = [hmac.digest(_standard_key(secret), signed, "sha256") for secret in secrets]
    given = [
        _decoded(part[3:]) for part in headers.get("webhook-signature", "").split(" ") if part[:3] == "v1,"
    ]
    if not any(hmac.compare_digest(one, other) for one in wanted for other in given):
        raise HookError("forged")
    return ident, _json(body)


def check_twilio(body: bytes, headers: Mapping[str, str], token: str, *, url: str) -> dict[str, str]:
    """Return the form of a call by Twilio: HMAC-SHA1 over the address called and the sorted fields.

    The scheme has no time in it; that a call comes once is seen to by its message's id.
    Raises: HookError when the signature is missing or wrong.
    Source: https://www.twilio.com/docs/usage/webhooks/webhooks-security
    """
    fields = _form(body)
    signed = url + "".join(name + value for name, value in sorted(set(fields)))
    wanted = hmac.digest(token.encode(), signed.encode(), "sha1")
    if not token or not hmac.compare_digest(wanted, _decoded(headers.get("x-twilio-signature", ""))):
        raise HookError("forged")
    return dict(fields)


def check_vonage(body: bytes, headers: Mapping[str, str], secret: str, *, now: datetime) -> dict[str, str]:
    """Return the fields of a call by Vonage's SMS API, signed by HMAC with SHA-256 or SHA-512.

    Its older MD5 hash is not taken.
    Raises: HookError when the signature is missing or wrong, or the time is off.
    Source: https://developer.vonage.com/en/getting-started/concepts/signing-messages
    """
    if headers.get("content-type", "").partition(";")[0].strip() == "application/json":
        data = _json(body)
        if not isinstance(data, dict) or not all(isinstance(value, str) for value in data.values()):
            raise HookError("bad-body", 400)
        fields: dict[str, str] = {_whole(name): _whole(value) for name, value in data.items()}
    else:
        fields = dict(_form(body))
    given = fields.pop("sig", "").lower()
    if not secret or len(given) not in _VONAGE_HASHES:
        raise HookError("unsigned")
    signed = "".join(f"&{name}={_plain(value)}" for name, value in sorted(fields.items()))
    wanted = hmac.new(secret.encode(), signed.encode(), _VONAGE_HASHES[len(given)]).hexdigest()
    if not hmac.compare_digest(wanted.encode(), given.encode()):
        raise HookError("forged")
    if not _is_fresh(fields.get("timestamp", ""), now):
        raise HookError("old")
    return fields


def event_name(*parts: str) -> str:
    """Return a name of an event that is made of several parts, whatever is in them."""
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()


def _is_fresh(moment: str, now: datetime) -> bool:
    if not (moment.isascii() and moment.isdecimal() and len(moment) <= 12):
        return False
    return abs(now.timestamp() - int(moment)) <= WINDOW


def _standard_key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix("whsec_"))


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""


def _plain(value: str) -> str:
    return value.replace("&", "_").replace("=", "_")


def _whole(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise HookError("bad-body", 400) from error
    return text


def _form(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_FIELDS_MOST)
    except ValueError as error:
        raise HookError("bad-body", 400) from error


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise HookError("bad-body", 400) from error
