"""Sign calls as providers do, each by its own documented scheme and none of it by the code under test."""

import base64
import hashlib
import hmac
import json
from urllib.parse import urlencode


def standard(secret, body, *, ident="msg_1", at):
    """Return the headers of Standard Webhooks for the raw body, in Django's test client's form."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    moment = str(int(at.timestamp()))
    digest = hmac.new(key, f"{ident}.{moment}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": ident,
        "webhook-timestamp": moment,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def as_json(data):
    return json.dumps(data, ensure_ascii=False).encode()


def twilio(token, url, fields):
    signed = url + "".join(f"{name}{fields[name]}" for name in sorted(fields))
    return {
        "x-twilio-signature": base64.b64encode(
            hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()
        ).decode()
    }


def vonage(secret, fields, method=hashlib.sha256):
    signed = "".join(f"&{name}={fields[name].replace('&', '_').replace('=', '_')}" for name in sorted(fields))
    return {**fields, "sig": hmac.new(secret.encode(), signed.encode(), method).hexdigest()}


def as_form(fields):
    return urlencode(fields).encode()
