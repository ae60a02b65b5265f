"""What somebody types who founds a clinic."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clinics.models import Language
from clinics.zones import guess_zone, zones_of
from staff.clinic_forms import countries
from staff.forms import named


class StartForm(forms.Form):
    """A clinic and its first owner; the time zone is asked for only where the country has several."""

    name = forms.CharField(label=_("Name of the clinic"), max_length=120)
    country = forms.ChoiceField(
        label=_("Country"), help_text=_("Time zone, public holidays and telephone numbers follow from it.")
    )
    time_zone = forms.ChoiceField(label=_("Time zone"))
    language = forms.ChoiceField(
        label=_("Language"), choices=Language.choices, help_text=_("New clients start with it.")
    )
    display_name = forms.CharField(
        label=_("Your name"), max_length=120, help_text=_("As colleagues and clients know you.")
    )
    is_treating = forms.BooleanField(label=_("I treat clients myself"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["country"].choices = named(countries(), _("Choose"))  # type: ignore[attr-defined]
        country = self.data.get("country", "")
        zones = zones_of(country)
        self._zone = guess_zone(country)
        if self._zone or not zones:
            del self.fields["time_zone"]
        else:
            shown = [(zone, zone.replace("_", " ")) for zone in zones]
            self.fields["time_zone"].choices = [("", _("Choose")), *shown]  # type: ignore[attr-defined]
            self.fields["time_zone"].error_messages["required"] = _(
                "This country has several time zones. Choose the clinic's."
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "time_zone" not in self.fields:
            # A country without a zone of its own, such as an uninhabited island, keeps the world's.
            cleaned["time_zone"] = self._zone or "UTC"
        return cleaned


class PickForm(forms.Form):
    """Which protocols of the library a clinic takes over."""

    slugs = forms.MultipleChoiceField(label=_("Protocols"), widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, known: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["slugs"].choices = [(slug, slug) for slug in known]  # type: ignore[attr-defined]
        self.fields["slugs"].error_messages["required"] = _("Choose at least one.")
