"""Secrets at rest: sealed with a key made from SECRET_KEY, readable only by this installation."""

import base64
import json
from collections.abc import Mapping
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

# Part of every key made here, so that no other use of SECRET_KEY can open what this sealed.
_PURPOSE: Final = b"regimen.reminders.channel-secrets.v1"


class SealError(ValueError):
    """What is sealed cannot be read: SECRET_KEY has changed, or the text was tampered with."""

    code = "seal_broken"


def seal(secrets: Mapping[str, str]) -> str:
    """Return the secrets as a text that says nothing without SECRET_KEY; nothing sealed is an empty text."""
    if not secrets:
        return ""
    return _ring().encrypt(json.dumps(dict(secrets)).encode()).decode()


def unseal(text: str) -> dict[str, str]:
    """Return the secrets sealed under the present key or one of SECRET_KEY_FALLBACKS.

    Raises: SealError when no key opens it.
    """
    if not text:
        return {}
    try:
        return {str(name): str(value) for name, value in json.loads(_ring().decrypt(text.encode())).items()}
    except (InvalidToken, ValueError) as error:
        raise SealError("The secrets cannot be read with this SECRET_KEY.") from error


def _ring() -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_derive(key)) for key in keys])


def _derive(key: str) -> bytes:
    made = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(key.encode())
    return base64.urlsafe_b64encode(made)
