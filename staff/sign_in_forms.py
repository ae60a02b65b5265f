"""The forms of the pages before the login, in this product's words; the library's examples repeat their labels."""

from typing import Any

from allauth.account import forms as account
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from django import forms
from django.utils.translation import gettext_lazy as _

_LABELS = {
    "login": _("E-mail"),
    "email": _("E-mail"),
    "password": _("Password"),
    "remember": _("Stay signed in"),
    "oldpassword": _("Password until now"),
    "password1": _("New password"),
    "password2": _("New password once more"),
    "code": _("Code"),
}


class _PlainForm(forms.Form):
    """Labels of ours, and no label a second time within its field."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.label = _LABELS.get(name, field.label)
            field.widget.attrs.pop("placeholder", None)


class StaffLoginForm(_PlainForm, account.LoginForm):  # type: ignore[misc]  # the library ships no types
    pass


class AskForLinkForm(_PlainForm, account.ResetPasswordForm):  # type: ignore[misc]
    pass


class ChoosePasswordForm(_PlainForm, account.ResetPasswordKeyForm):  # type: ignore[misc]
    pass


class NextPasswordForm(_PlainForm, account.ChangePasswordForm):  # type: ignore[misc]
    pass


class ConfirmPasswordForm(_PlainForm, account.ReauthenticateForm):  # type: ignore[misc]
    pass


class SecondStepForm(_PlainForm, AuthenticateForm):  # type: ignore[misc]
    pass


class ConfirmSecondStepForm(_PlainForm, ReauthenticateForm):  # type: ignore[misc]
    pass


class StartSecondStepForm(_PlainForm, ActivateTOTPForm):  # type: ignore[misc]
    pass
