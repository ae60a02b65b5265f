"""The names of saved views."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clinics.models import ListPage, SavedView
from staff.overtaken import SeenForm


class SavedViewForm(SeenForm):
    """The name of a list's filters; who manages the clinic may share them."""

    name = forms.CharField(
        label=_("Name of the view"), max_length=40, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    is_shared = forms.BooleanField(label=_("Everybody in the clinic sees it"), required=False)

    def __init__(self, *args: Any, may_share: bool, view: SavedView | None = None, **kwargs: Any) -> None:
        if view is not None:
            kwargs.setdefault("auto_id", f"view-%s-{view.code}")
            kwargs.setdefault("initial", {"name": view.name, "is_shared": view.is_shared})
        super().__init__(*args, **kwargs)
        if not may_share:
            del self.fields["is_shared"]


class SaveViewForm(SavedViewForm):
    """A new view: which list it is of, and what its address asks for."""

    page = forms.ChoiceField(choices=ListPage.choices, widget=forms.HiddenInput)
    query = forms.CharField(required=False, max_length=2000, widget=forms.HiddenInput)
