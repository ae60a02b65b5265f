"""A program's request that names itself is done once, and answered the same however often it comes.

What was answered may hold a client's data. It is sealed with the key that the program sent along and that is not
kept here, so whoever holds the database, a backup of it or the application's own secret reads nothing.
"""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.db import transaction

from clinics.models import AnsweredRequest, ApiToken

KEPT: Final = timedelta(hours=24)
_SEAL: Final = b"regimen.clinics.answers.v1"
_MARK: Final = b"regimen.clinics.answered-requests.v1"
# A row that nobody else can see yet: it is written in the transaction that does the deed.
_UNANSWERED: Final = 0


class OtherRequestError(ValueError):
    """The name was given to another request within the last day."""

    code = "idempotency_key_reused"


@dataclass(frozen=True, slots=True)
class Answer:
    """A status with the headers and the body that belong to it."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


def hold_request(
    *, token: ApiToken, secret: str, name: str, request: bytes, now: datetime
) -> AnsweredRequest:
    """Return the row of a named request, locked against the same one until the caller's transaction ends.

    `secret` is the token's key as it was sent, `request` what was asked, from method to body.
    A second one at the same moment waits here for the first. See find_answer().
    Raises: OtherRequestError where the name stands for another request.
    """
    marks = {"key_mark": _mark(secret, name.encode()), "request_mark": _mark(secret, request)}
    AnsweredRequest.objects.filter(token=token, key_mark=marks["key_mark"], expires_at__lte=now).delete()
    values = {
        "clinic_id": token.clinic_id,
        "request_mark": marks["request_mark"],
        "status": _UNANSWERED,
        "created_at": now,
        "expires_at": now + KEPT,
    }
    row, _is_new = AnsweredRequest.objects.get_or_create(
        token=token, key_mark=marks["key_mark"], defaults=values
    )
    if not hmac.compare_digest(row.request_mark, marks["request_mark"]):
        raise OtherRequestError(name)
    return row


def find_answer(row: AnsweredRequest, *, secret: str) -> Answer | None:
    """Return what the request was answered; None when it is still to be done."""
    if row.status == _UNANSWERED:
        return None
    kept = json.loads(_box(secret).decrypt(row.sealed.encode()))
    return Answer(row.status, kept["body"], kept["headers"])


def keep_answer(row: AnsweredRequest, answer: Answer, *, secret: str) -> None:
    """Keep the answer with its deed, in the caller's transaction. The body is JSON values."""
    text = json.dumps({"body": answer.body, "headers": answer.headers})
    row.status, row.sealed = answer.status, _box(secret).encrypt(text.encode()).decode()
    row.save(update_fields=["status", "sealed"])


def remove_expired_answers(*, now: datetime) -> int:
    """Remove the answers that are a day old; return how many."""
    with transaction.atomic():
        removed, _tables = AnsweredRequest.objects.filter(expires_at__lte=now).delete()
    return removed


def _mark(secret: str, text: bytes) -> str:
    # Keyed, so that nobody tries out with the stored mark what a short body may have said.
    return hmac.new(secret.encode(), _MARK + text, hashlib.sha256).hexdigest()


def _box(secret: str) -> Fernet:
    made = HKDF(algorithm=SHA256(), length=32, salt=None, info=_SEAL).derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(made))
