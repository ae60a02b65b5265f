"""Pages of a list that stay true while rows come and go: each begins behind the last row of the one before.

Where a page ended is sealed: keys of rows never leave the server, and nobody else's list is asked for with it.
"""

import base64
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db.models import Q, QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

USUAL_SIZE: Final = 50
MOST_ROWS: Final = 200
_SHORTEST: Final = 16
_LONGEST: Final = 1_000
_SEAL: Final = b"regimen.api.cursors.v1"


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, and the address of those behind them, None at the end."""

    rows: list[Any]
    next: str | None


def read_page(request: Request, rows: QuerySet[Any], *, order: Sequence[str]) -> Page:
    """Return the page of a list that the request asks for; `order` are columns, never null, that end with `pk`.

    A column with a leading minus goes down. Cost: one query.
    Raises: ValidationError for a page size or a cursor that is none.
    """
    size, place = _size(request), request.query_params.get("cursor")
    if place is not None:
        rows = rows.filter(_behind(order, _open(request, place, order)))
    found = list(rows.order_by(*order)[: size + 1])
    if len(found) <= size:
        return Page(found, None)
    found.pop()
    values = [_plain(getattr(found[-1], name.lstrip("-"))) for name in order]
    return Page(found, _address(request, _seal(request, values)))


def _size(request: Request) -> int:
    text = request.query_params.get("page_size")
    if text is None:
        return USUAL_SIZE
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= MOST_ROWS):
        raise ValidationError({"page_size": [f"Choose from 1 to {MOST_ROWS}."]})
    return int(text)


def _behind(order: Sequence[str], values: Sequence[Any]) -> Q:
    """Return the condition of rows behind the values in the order: of equal firsts the second decides, and so on."""
    condition = Q()
    for index in range(len(order) - 1, -1, -1):
        name = order[index].lstrip("-")
        way = "lt" if order[index].startswith("-") else "gt"
        here = Q(**{f"{name}__{way}": values[index]})
        condition = here | (Q(**{name: values[index]}) & condition) if condition else here
    return condition


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime) else value


def _seal(request: Request, values: Sequence[Any]) -> str:
    # The same place always reads the same, so that an unchanged page has an unchanged ETag.
    sealed = next(_boxes()).encrypt(json.dumps(values).encode(), [_list_mark(request)])
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def _open(request: Request, place: str, order: Sequence[str]) -> list[Any]:
    try:
        sealed = base64.b64decode(place + "=" * (-len(place) % 4), altchars=b"-_", validate=True)
    except ValueError:
        sealed = b""
    # Nothing that was made here is shorter than its own check.
    for box in _boxes() if _SHORTEST < len(sealed) < _LONGEST else ():
        with suppress(InvalidTag):
            values = list(json.loads(box.decrypt(sealed, [_list_mark(request)])))
            if len(values) == len(order):
                return values
    raise ValidationError({"cursor": ["Take the cursor from the address of the next page as it is."]})


def _list_mark(request: Request) -> bytes:
    """Return what tells this list from others: whose, which, and how it is narrowed."""
    asked = {
        name: values for name, values in request.query_params.lists() if name not in ("cursor", "page_size")
    }
    text = json.dumps([request.auth.pk, request.path, sorted(asked.items())])
    return text.encode()


def _address(request: Request, place: str) -> str:
    asked = request.query_params.copy()
    asked["cursor"] = place
    return request.build_absolute_uri(f"{request.path}?{asked.urlencode()}")


def _boxes() -> Iterator[AESSIV]:
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        yield AESSIV(HKDF(algorithm=SHA256(), length=64, salt=None, info=_SEAL).derive(key.encode()))
