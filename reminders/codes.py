"""The code in a message, worked out from the message and the installation's secret, so that it stands in no table."""

import hashlib
import hmac
from typing import Any, Final

from django.conf import settings

_PURPOSE: Final = b"regimen.reminders.access-code.v1:"


def code_of(row: Any) -> str:
    """Return the six digits that a message of this kind holds."""
    made = hmac.new(settings.SECRET_KEY.encode(), _PURPOSE + row.code.bytes, hashlib.sha256).digest()
    return f"{int.from_bytes(made[:8]) % 1_000_000:06d}"
