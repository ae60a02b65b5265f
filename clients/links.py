"""Secret addresses for clients: made, found, withdrawn and cleared away. Only a token's hash is ever kept."""

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet

from audit.services import Actor, record
from clients.models import AccessLink, Client, LinkPurpose

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# 130 random bits fill 22 digits of base 62, which hold almost 131.
_TOKEN_BITS: Final = 130
TOKEN_LENGTH: Final = 22
# A link that has expired is kept a while, so that its use can still be seen.
_KEPT_EXPIRED: Final = timedelta(days=30)
_REMOVED_AT_ONCE: Final = 2000
# A telephone that keeps a course asks for a message again after this.
KEPT_FOR: Final = timedelta(days=180)
# A calendar asks for years without anybody looking; it ends when it is taken back, or with this.
_FEED_FOR: Final = timedelta(days=2 * 366)


def new_token() -> str:
    """Return a new secret of 22 letters and digits.

    Source: OWASP ASVS 5.0, 11.5.1: at least 128 bits from a cryptographic source.
    """
    number, digits = secrets.randbits(_TOKEN_BITS), []
    for _ in range(TOKEN_LENGTH):
        number, digit = divmod(number, 62)
        digits.append(_ALPHABET[digit])
    return "".join(digits)


def hash_token(token: str) -> str:
    """Return what is kept of a token: SHA-256 in hexadecimal digits.

    No salt and no stretching: there is nothing to guess in 130 random bits, and it must be found by its hash.
    """
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


class NewLink(NamedTuple):
    """What will be kept of a link; a plain record, because one is made for every message that is written."""

    clinic_id: int
    client_id: int
    purpose: str
    token_hash: str
    subject_key: str
    reminder_code: UUID | None
    created_at: datetime
    expires_at: datetime


def new_link(
    *,
    clinic_id: int,
    client_id: int,
    purpose: LinkPurpose,
    subject_key: str,
    reminder_code: UUID | None,
    now: datetime,
    expires_at: datetime,
) -> tuple[str, NewLink]:
    """Return a new token with what is kept of it; the caller saves that with what carries the token."""
    token = new_token()
    link = NewLink(
        *(clinic_id, client_id, purpose.value, hash_token(token), subject_key, reminder_code),
        *(now, expires_at),
    )
    return token, link


def find_link(token: str, purpose: LinkPurpose, now: datetime) -> AccessLink | None:
    """Return the link of a token, or None when it is unknown, expired, withdrawn, for another purpose, or of a deactivated clinic.

    Cost: one query, whatever the token.
    """
    link = find_given_link(token, purpose)
    return link if link is not None and link.expires_at > now else None


def find_given_link(token: str, purpose: LinkPurpose) -> AccessLink | None:
    """Return the link of a token also when it has expired, or None when it is unknown, withdrawn or for another purpose, or
    of a deactivated clinic.

    Who holds a token that was given out holds a message of the clinic's: to be told that it is too old tells nobody
    else anything. Expired links are removed after a month; then they are unknown.
    Cost: one query, whatever the token.
    """
    return _with_clinic(_given_links().filter(token_hash=hash_token(token), purpose=purpose).first())


def find_expired_link(token_hash: str, now: datetime) -> AccessLink | None:
    """Return a link that has expired and was not withdrawn, by what is kept of its token; one query."""
    return _with_clinic(_given_links().filter(token_hash=token_hash, expires_at__lte=now).first())


def find_link_by_hash(token_hash: str, purposes: Collection[LinkPurpose], now: datetime) -> AccessLink | None:
    """Return a link for one of the purposes by what is kept of its token; else as find_link()."""
    found = _given_links().filter(token_hash=token_hash, purpose__in=purposes, expires_at__gt=now)
    return _with_clinic(found.first())


def _given_links() -> QuerySet[AccessLink]:
    links = AccessLink.objects.select_related("client", "clinic")
    return links.filter(revoked_at=None, clinic__deactivated_at=None)


def _with_clinic(link: AccessLink | None) -> AccessLink | None:
    if link is not None:
        # The same row: it is not read a second time.
        link.client.clinic = link.clinic
    return link


def note_use(link: AccessLink, *, now: datetime) -> None:
    """Count one opening of a link.

    Cost: one statement.
    """
    AccessLink.objects.filter(pk=link.pk).update(use_count=F("use_count") + 1, last_used_at=now)


def revoke_links(*, client: Client, by: Actor, now: datetime, purpose: LinkPurpose | None = None) -> int:
    """Withdraw all links of a client, or those of one purpose; return how many still worked.

    Withdrawing twice changes nothing.
    """
    links = AccessLink.objects.filter(client=client, revoked_at=None, expires_at__gt=now)
    if purpose is not None:
        links = links.filter(purpose=purpose)
    number = links.update(revoked_at=now)
    if number:
        record(
            "client.links_revoked",
            at=now,
            by=by,
            clinic_code=client.clinic.code,
            subject_kind="client",
            subject_code=client.code,
            new={"count": number, "purpose": purpose or "all"},
        )
    return number


def make_feed(*, client: Client, by: Actor, now: datetime) -> str:
    """Return the token of a new calendar address, which takes the place of the client's former ones."""
    with transaction.atomic():
        locked = Client.objects.select_for_update(of=("self",), no_key=True).select_related("clinic")
        found = locked.get(pk=client.pk)
        revoke_links(client=found, purpose=LinkPurpose.FEED, by=by, now=now)
        token, link = new_link(
            clinic_id=found.clinic_id,
            client_id=found.pk,
            purpose=LinkPurpose.FEED,
            subject_key=f"client:{found.code}",
            reminder_code=None,
            now=now,
            expires_at=now + _FEED_FOR,
        )
        AccessLink.objects.create(**link._asdict())
        record(
            "client.feed_made",
            at=now,
            by=by,
            clinic_code=found.clinic.code,
            subject_kind="client",
            subject_code=found.code,
        )
    return token


def make_kept_link(*, client: Client, subject_key: str, by: Actor, now: datetime) -> str:
    """Return the hash of a new link that a telephone keeps; its token is known to nobody, so no address opens it."""
    _token, link = new_link(
        clinic_id=client.clinic_id,
        client_id=client.pk,
        purpose=LinkPurpose.COURSE,
        subject_key=subject_key,
        reminder_code=None,
        now=now,
        expires_at=now + KEPT_FOR,
    )
    with transaction.atomic():
        AccessLink.objects.create(**link._asdict())
        record(
            "client.page_kept",
            at=now,
            by=by,
            clinic_code=client.clinic.code,
            subject_kind="client",
            subject_code=client.code,
        )
    return link.token_hash


def revoke_link(link: AccessLink, *, now: datetime) -> None:
    """Withdraw one link; twice changes nothing."""
    AccessLink.objects.filter(pk=link.pk, revoked_at=None).update(revoked_at=now)


def remove_expired_links(*, now: datetime) -> int:
    """Remove links that expired a month ago, at most two thousand at once; return how many.

    Twice or by several at once is harmless; what is left goes the next time.
    """
    old = AccessLink.objects.filter(expires_at__lt=now - _KEPT_EXPIRED).order_by("expires_at")
    ids = list(old.values_list("pk", flat=True)[:_REMOVED_AT_ONCE])
    return AccessLink.objects.filter(pk__in=ids).delete()[0] if ids else 0
