"""How logins work here: staff are invited, nobody signs up."""

from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from clinics.models import User


class StaffAccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # the library ships no types
    error_messages: ClassVar[dict[str, str | Promise]] = {
        **DefaultAccountAdapter.error_messages,
        # As long as the library's own limit lasts.
        "too_many_login_attempts": _(
            "Too many attempts. Wait five minutes, or have a link to choose a new password sent to you."
        ),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def send_password_reset_mail(self, user: User, email: str, context: dict[str, Any]) -> None:
        # In the language of whoever reads it, not of the browser in which somebody asked.
        with translation.override(user.language or translation.get_language()):
            super().send_password_reset_mail(user, email, context)
