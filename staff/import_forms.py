"""What owners say of a spreadsheet: what it is about, and which column holds what."""

from string import ascii_uppercase
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from imports.core import HEADERS
from imports.files import MOST_BYTES
from imports.models import ImportBatch, ImportKind
from imports.words import FIELD_WORDS, FILE_WORDS
from staff.forms import named

_LONGEST_SAMPLE = 24


class UploadForm(forms.Form):
    kind = forms.ChoiceField(
        label=_("What is in it"),
        choices=named(ImportKind.choices),
        initial=ImportKind.CLIENTS,
        widget=forms.RadioSelect,
    )
    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV or .xlsx, at most 5 MB and 20,000 rows; the first line names the columns."),
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx"}),
        error_messages={"empty": FILE_WORDS["empty"], "required": _("Choose a file.")},
    )

    def clean_file(self) -> Any:
        found = self.cleaned_data["file"]
        if (found.size or 0) > MOST_BYTES:
            raise forms.ValidationError(FILE_WORDS["too_large"])
        return found


class ColumnsForm(forms.Form):
    """A column for each field, as it was recognised or as somebody chooses."""

    def __init__(self, *args: Any, batch: ImportBatch, sample: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", _("not in the file")), *_column_choices(batch.headings, sample)]
        for name in HEADERS[batch.kind]:
            self.fields[name] = forms.TypedChoiceField(
                label=FIELD_WORDS[name],
                choices=choices,
                coerce=int,
                empty_value=None,
                required=False,
                initial=batch.columns.get(name, ""),
            )

    def columns(self) -> dict[str, int]:
        return {name: place for name, place in self.cleaned_data.items() if place is not None}


def _column_choices(headings: list[str], sample: list[str]) -> list[tuple[int, str]]:
    """Return each column by its letter and heading, with what stands in its first row."""
    choices = []
    for place, heading in enumerate(headings):
        text = sample[place] if place < len(sample) else ""
        short = text if len(text) <= _LONGEST_SAMPLE else text[:_LONGEST_SAMPLE] + "…"
        words = f"{_letters(place)}: {heading}" if heading else _letters(place)
        choices.append((place, f"{words} ({short})" if short else words))
    return choices


def _letters(place: int) -> str:
    """Return what a spreadsheet calls a column: A, B, …, Z, AA."""
    rest, last = divmod(place, len(ascii_uppercase))
    return (_letters(rest - 1) if rest else "") + ascii_uppercase[last]
