"""People as pseudonyms: the same in every file of a clinic, so that rows still join, and of no use elsewhere."""

import hmac
from datetime import date
from typing import Final

# Eighty bits: no two of a clinic's rows will ever meet.
_BYTES: Final = 10
_OLDEST: Final = 90


def pseudonym(key: bytes, kind: str, code: str) -> str:
    """Return what stands for a code of a kind, such as a client's: twenty hexadecimal digits, from a keyed hash.

    Without the clinic's key it can be neither made nor turned back.
    """
    return hmac.digest(key, f"{kind}:{code}".encode(), "sha256")[:_BYTES].hex()


def age_band(born: date, *, today: date) -> str:
    """Return ten years of age that somebody is in, such as 40-49; from ninety on all are one."""
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    if age < 0:
        return ""
    low = age // 10 * 10
    return f"{_OLDEST}+" if low >= _OLDEST else f"{low}-{low + 9}"
