"""Hears that somebody signs in, or changes the way they do, and puts it on record."""

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from clinics.middleware import CHOSEN_MEMBER, membership_of
from clinics.models import User
from clinics.services import record_factor_change, record_sign_in

_CHANGES = {
    ("added", Authenticator.Type.TOTP): "second_step_on",
    ("removed", Authenticator.Type.TOTP): "second_step_off",
    ("added", Authenticator.Type.RECOVERY_CODES): "recovery_codes_made",
    ("reset", Authenticator.Type.RECOVERY_CODES): "recovery_codes_made",
}


def _record(what: str, user: User, authenticator: Authenticator) -> None:
    # Codes that go with the second step are no news of their own.
    change = _CHANGES.get((what, authenticator.type))
    if change:
        record_factor_change(user=user, change=change, now=timezone.now())


@receiver(authenticator_added, dispatch_uid="clinics.factor_added")
def factor_added(*, user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    _record("added", user, authenticator)


@receiver(authenticator_removed, dispatch_uid="clinics.factor_removed")
def factor_removed(*, user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    _record("removed", user, authenticator)


@receiver(authenticator_reset, dispatch_uid="clinics.factor_reset")
def factor_reset(*, user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    _record("reset", user, authenticator)


@receiver(user_logged_in, dispatch_uid="clinics.signed_in")
def signed_in(*, request: HttpRequest, user: User, **kwargs: Any) -> None:
    """Note it for the clinic whose pages open now; the user's other clinics learn nothing.

    The session stays with that clinic, whichever is chosen meanwhile in another browser.
    """
    member = membership_of(user, request.session.get(CHOSEN_MEMBER))
    if member is not None:
        request.session[CHOSEN_MEMBER] = str(member.code)
        record_sign_in(member=member, now=timezone.now())
