"""What is handed in from another program, and for which days something is taken out."""

from datetime import date, timedelta
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from imports.fhir import MOST_BYTES
from imports.words import FHIR_WORDS
from staff.report_forms import PeriodForm

# How far ahead one's own sessions are taken unless told.
_AHEAD: Final = timedelta(days=30)


class FhirForm(forms.Form):
    """A FHIR resource as a file or as text; a file is what is read where there are both."""

    file = forms.FileField(
        label=_("File"),
        required=False,
        help_text=_("JSON, at most 2 MB."),
        widget=forms.FileInput(attrs={"accept": ".json,application/fhir+json,application/json"}),
        error_messages={"empty": FHIR_WORDS["not_json"]},
    )
    text = forms.CharField(
        label=_("Or its text"),
        required=False,
        max_length=MOST_BYTES,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "autocomplete": "off"}),
        error_messages={"max_length": FHIR_WORDS["too_large"]},
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and not cleaned.get("file") and not cleaned.get("text"):
            self.add_error("file", _("Choose a file, or paste its text."))
        return cleaned

    def content(self) -> bytes:
        """Return what was handed in, a byte more than may be read at most."""
        file = self.cleaned_data["file"]
        if file:
            return bytes(file.read(MOST_BYTES + 1))
        return str(self.cleaned_data["text"]).encode(errors="replace")


class OwnSessionsForm(PeriodForm):
    """From a day to a day, both included; the next thirty days unless told."""

    def __init__(self, data: Any, *, today: date) -> None:
        ahead = {"from_on": today.isoformat(), "to_on": (today + _AHEAD).isoformat()}
        super().__init__({name: data.get(name) or usual for name, usual in ahead.items()}, today=today)
