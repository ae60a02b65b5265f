"""What owners type about a program that is to ask the API."""

import uuid
from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clinics.models import Scope
from clinics.tokens import USUAL_DAYS
from staff.forms import DateInput

SCOPE_WORDS = {
    Scope.READ: _("Read clients, courses and sessions"),
    Scope.WRITE: _("Book, move and record; read as well"),
    Scope.REPORTS: _("Read reports"),
    Scope.EXPORT: _("Take rows out of the system"),
}


class TokenForm(forms.Form):
    name = forms.CharField(
        label=_("Name of the program"),
        max_length=80,
        help_text=_("For example accounting, or the clinic's web site: one token for each."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    scopes = forms.MultipleChoiceField(
        label=_("It may"),
        choices=list(SCOPE_WORDS.items()),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose what the program may do.")},
    )
    expires_on = forms.DateField(
        label=_("Valid until, that day included"),
        widget=DateInput(),
        help_text=_("Then it needs a new one."),
    )
    # Sent twice, by a double press or a way back, it makes one token.
    code = forms.UUIDField(widget=forms.HiddenInput(attrs={"autocomplete": "off"}))

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {
            "scopes": [Scope.READ.value],
            "expires_on": today + timedelta(days=USUAL_DAYS),
            "code": uuid.uuid4(),
            **(self.initial or {}),
        }
        self.fields["expires_on"].widget.attrs["min"] = today.isoformat()

    def renew_code(self) -> None:
        """Let what was typed be sent as another token."""
        # A posted form's data, which holds each name's whole list.
        posted: Any = self.data
        self.data = posted.copy()
        self.data["code"] = str(uuid.uuid4())  # type: ignore[index]  # a copy can be written to
