"""The mail with which somebody gets into the clinic's pages for the first time."""

import logging

from allauth.account import app_settings
from allauth.account.adapter import get_adapter
from allauth.account.utils import user_pk_to_url_str
from anymail.exceptions import AnymailError
from django.urls import reverse
from django.utils import timezone, translation

from audit.services import record
from clinics.models import StaffMember, User
from staff.access import StaffRequest, acting

logger = logging.getLogger(__name__)


def password_key(user: User) -> str:
    """Return what lets somebody choose a password, once and for some days."""
    return f"{user_pk_to_url_str(user)}-{app_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(user)}"


def send_invitation(request: StaffRequest, member: StaffMember) -> bool:
    """Mail somebody the way in, and return whether the mail went.

    Who has no password yet gets a link to choose one, which works once and for some days; everybody else
    the address of the login.
    """
    user = member.user
    adapter = get_adapter(request)
    has_password = user.has_usable_password()
    if has_password:
        url = request.build_absolute_uri(reverse("account_login"))
    else:
        url = adapter.get_reset_password_from_key_url(password_key(user))
    context = {"clinic_name": member.clinic.name, "url": url, "has_password": has_password}
    try:
        with translation.override(user.language or member.clinic.language):
            adapter.send_mail("account/email/invitation", user.email, context)
    except (OSError, AnymailError) as error:
        # The kind of the error only: its words may quote the address.
        logger.warning("Invitation of %s was not sent: %s", member.code, type(error).__name__)
        return False
    record(
        "staff.invited",
        at=timezone.now(),
        by=acting(request),
        clinic_code=member.clinic.code,
        subject_kind="staff_member",
        subject_code=member.code,
    )
    return True
