"""Tokens of the API: made and shown once, found by their hash, revoked."""

import hashlib
import secrets
from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from audit.models import ActorKind
from audit.services import Actor, record
from clinics.core import to_utc
from clinics.models import ApiToken, Clinic, Scope, StaffMember
from clinics.services import check_printable, lock_clinic

# By which a key that lies somewhere by mistake is recognised for what it is.
PREFIX: Final = "rgm_"
_KEY_BYTES: Final = 32
_START_LENGTH: Final = 8
USUAL_DAYS: Final = 365
LONGEST_DAYS: Final = 2 * 366


def hash_key(key: str) -> str:
    """Return what is kept of a key: SHA-256 in hexadecimal digits.

    No salt and no stretching: there is nothing to guess in 256 random bits, and it must be found by its hash.
    """
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def issue_token(
    *,
    clinic: Clinic,
    name: str,
    scopes: Collection[str],
    expires_on: date,
    by: Actor,
    now: datetime,
    code: UUID | None = None,
) -> tuple[ApiToken, str]:
    """Make a token and return it with its key, which nobody can read again afterwards.

    It expires with the end of a day of the clinic. Whoever may send the same twice chooses the `code` beforehand.
    Raises: ValidationError by field: no name, no scope or an unknown one, a day that is past or too far ahead;
    `token_taken` where a token has the code already.
    """
    member = StaffMember.objects.for_clinic(clinic).get(pk=by.staff_member_id or 0)
    title, zone = name.strip(), ZoneInfo(clinic.time_zone)
    _check(title, scopes, expires_on, today=now.astimezone(zone).date())
    key = PREFIX + secrets.token_urlsafe(_KEY_BYTES)
    with transaction.atomic():
        lock_clinic(clinic)
        if code is not None and ApiToken.objects.filter(code=code).exists():
            raise ValidationError(
                _("This token is made already. Its key was shown once; revoke it if the key is lost."),
                code="token_taken",
            )
        token = ApiToken.objects.create(
            code=code or uuid4(),
            clinic=clinic,
            name=title,
            scopes=[scope.value for scope in Scope if scope in scopes],
            key_hash=hash_key(key),
            key_start=key[:_START_LENGTH],
            created_at=now,
            created_by=member,
            expires_at=to_utc(expires_on + timedelta(days=1), time(), zone),
        )
        _record(token, "token.issued", by=by, now=now, scopes=token.scopes, until_on=expires_on.isoformat())
    return token, key


def _check(name: str, scopes: Collection[str], expires_on: date, *, today: date) -> None:
    errors: dict[str, str | list[str]] = {}
    longest = ApiToken._meta.get_field("name").max_length
    if not name:
        errors["name"] = _("Name the program that gets the token.")
    elif longest and len(name) > longest:
        errors["name"] = _("Write at most %(longest)s characters.") % {"longest": longest}
    try:
        check_printable(name)
    except ValidationError as error:
        errors["name"] = error.messages
    if not scopes or not set(scopes) <= set(Scope.values):
        errors["scopes"] = _("Choose what the program may do.")
    if not today <= expires_on <= today + timedelta(days=LONGEST_DAYS):
        errors["expires_on"] = _("Choose a day from today to two years ahead.")
    if errors:
        raise ValidationError(errors)


def revoke_token(*, token: ApiToken, by: Actor, now: datetime) -> ApiToken:
    """Let a token open nothing from now on; twice is harmless."""
    with transaction.atomic():
        locked = ApiToken.objects.select_for_update(of=("self",)).select_related("clinic").get(pk=token.pk)
        if locked.revoked_at is None:
            locked.revoked_at = now
            locked.revoked_by = StaffMember.objects.for_clinic(locked.clinic).get(pk=by.staff_member_id or 0)
            locked.save(update_fields=["revoked_at", "revoked_by"])
            _record(locked, "token.revoked", by=by, now=now)
    return locked


def find_token(key: str) -> ApiToken | None:
    """Return the token of a key with its clinic, in force or not.

    Cost: one query.
    """
    return ApiToken.objects.filter(key_hash=hash_key(key)).select_related("clinic").first()


def actor_of_token(token: ApiToken) -> Actor:
    """Return the program that holds a token as the actor of a service; the log names the token."""
    return Actor(ActorKind.TOKEN, code=token.code, staff_member_id=token.created_by_id)


def note_token_use(token: ApiToken, *, now: datetime) -> None:
    """Put down the hour in which a token was used last.

    Cost: one write an hour.
    """
    hour = now.replace(minute=0, second=0, microsecond=0)
    if token.last_used_at is None or token.last_used_at < hour:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=hour)
        token.last_used_at = hour


def _record(token: ApiToken, action: str, *, by: Actor, now: datetime, **details: object) -> None:
    record(
        action,
        at=now,
        by=by,
        clinic_code=token.clinic.code,
        subject_kind="api_token",
        subject_code=token.code,
        new=details,
    )
