"""What is asked before a client is merged or erased."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clients.models import Client
from staff.presenters.duplicates import CompareRow


class MergeForm(forms.Form):
    """Which of two values stays, one choice for each thing in which two clients differ."""

    def __init__(self, *args: Any, rows: Sequence[CompareRow], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for row in rows:
            self.fields[row.name] = forms.ChoiceField(
                label=row.label,
                choices=[("kept", row.kept), ("gone", row.gone)],
                initial="kept",
                widget=forms.RadioSelect,
            )

    def taken(self) -> frozenset[str]:
        """Return the names for which the other client's value stays."""
        return frozenset(name for name, side in self.cleaned_data.items() if side == "gone")


class EraseForm(forms.Form):
    """The client's name once more, so that nobody is erased by a slip of the hand."""

    name = forms.CharField(
        label=_("Type the client's name to confirm"),
        max_length=250,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, client: Client, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.client = client

    def clean_name(self) -> str:
        typed: str = self.cleaned_data["name"]
        if " ".join(typed.split()).casefold() != " ".join(self.client.name.split()).casefold():
            raise forms.ValidationError(_("This is not the name of the client whose data you are erasing."))
        return typed
