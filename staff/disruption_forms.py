"""What is asked of a disruption: who is away when, and what to do with each session that it hits."""

import re
import uuid
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from clinics.models import Clinic
from courses.services import Outage
from staff.forms import DateInput, PractitionerField

_CHOICE = re.compile(r"choice-(?P<code>[0-9a-f-]{36})")


class OutageForm(forms.Form):
    """On which days somebody is away or the clinic is closed, both ends included; one day needs no end."""

    practitioner = forms.Field()
    from_on = forms.DateField(label=_("From day"), widget=DateInput())
    to_on = forms.DateField(
        label=_("To day"), widget=DateInput(), required=False, help_text=_("Empty: that one day.")
    )

    def __init__(self, *args: Any, clinic: Clinic, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._clinic = clinic
        self.fields["practitioner"] = PractitionerField(
            clinic, required=False, label=_("Who is away?"), empty_label=_("Everybody: the clinic is closed")
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        cleaned["to_on"] = cleaned.get("to_on") or cleaned.get("from_on")
        first, last = cleaned.get("from_on"), cleaned.get("to_on")
        if first and last and last < first:
            self.add_error("to_on", _("The last day is before the first."))
        return cleaned

    def outage(self) -> Outage:
        """Return what a form without errors asks about."""
        values = self.cleaned_data
        return Outage(self._clinic, values["practitioner"], values["from_on"], values["to_on"])


class ReasonForm(forms.Form):
    """Why, for colleagues; clients are not told."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("For colleagues. Clients are not told."),
    )


def read_choices(data: QueryDict) -> dict[uuid.UUID, str]:
    """Return what was chosen for each session of a page, by the code of its row; the services know the words."""
    found = {}
    for name, value in data.items():
        if match := _CHOICE.fullmatch(name):
            try:
                found[uuid.UUID(match["code"])] = str(value)
            except ValueError:
                continue
    return found
