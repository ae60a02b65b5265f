"""E-mail through a provider's HTTP interface: what its answers mean, and files in a form that it takes."""

import re
from email import encoders
from email.message import Message as Header
from email.mime.base import MIMEBase
from email.mime.text import MIMEText
from typing import Any, Final

import requests
from anymail.exceptions import (
    AnymailError,
    AnymailRecipientsRefused,
    AnymailRequestsAPIError,
    AnymailSerializationError,
    AnymailUnsupportedFeature,
)
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from reminders.channels.answers import by_status
from reminders.channels.base import Attachment, Outcome
from reminders.channels.egress import Exchange

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]+")
# Errors that come before anything has left.
_UNREACHED: Final = (ConnectTimeoutError, NameResolutionError, NewConnectionError)


def classify_anymail(error: Exception) -> Outcome | None:
    """Return what an error of a provider's backend means for its message, None when it is no such error."""
    if not isinstance(error, AnymailError):
        return None
    if isinstance(error, AnymailRecipientsRefused):
        return Outcome("permanent", "provider-refused", is_address_bad=True)
    if isinstance(error, AnymailRequestsAPIError):
        if error.response is not None:
            return by_status(Exchange(status=error.response.status_code, headers=error.response.headers))
        if _is_unreached(error):
            return Outcome("transient", "http-unreachable", is_channel_down=True)
        return Outcome("uncertain", "http-silent")
    if isinstance(error, AnymailSerializationError | AnymailUnsupportedFeature | ValueError):
        return Outcome("permanent", "bad-message")
    return Outcome("uncertain", "provider-unclear")


def provider_id_of(email: Any) -> str:
    """Return what the provider calls a message that it took, nothing where there is no provider."""
    found = getattr(getattr(email, "anymail_status", None), "message_id", None)
    return found[:200] if isinstance(found, str) else ""


def mime_part(file: Attachment) -> MIMEBase:
    """Return a file as part of an e-mail, with all the parameters of its media type."""
    header = Header()
    header["Content-Type"] = file.media_type
    params = {name: value for name, value in header.get_params([])[1:] if name != "charset"}
    if header.get_content_maintype() == "text":
        part: MIMEBase = MIMEText(file.content.decode(), header.get_content_subtype(), "utf-8")
    else:
        part = MIMEBase(header.get_content_maintype(), header.get_content_subtype())
        part.set_payload(file.content)
        encoders.encode_base64(part)
    for name, value in params.items():
        part.set_param(name, value)
    part.add_header("Content-Disposition", "attachment", filename=_CONTROL.sub(" ", file.name))
    return part


def _is_unreached(error: AnymailRequestsAPIError) -> bool:
    if isinstance(error, requests.ConnectTimeout):
        return True
    # Requests puts urllib3's error, which says how far it came, inside its own.
    inner = error.__cause__.args[0] if error.__cause__ is not None and error.__cause__.args else None
    return isinstance(getattr(inner, "reason", inner), _UNREACHED)
