"""Which period a report is about."""

from datetime import date
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from reports.core import Period, usual_periods
from staff.forms import YEARS, DateInput

LONGEST_DAYS: Final = 366


class PeriodForm(forms.Form):
    """From a day to a day, both included; the last thirty days unless told. It lives in the address."""

    from_on = forms.DateField(label=_("From day"), widget=DateInput(), validators=YEARS)
    to_on = forms.DateField(label=_("To day"), widget=DateInput(), validators=YEARS)

    def __init__(self, data: Any, *, today: date) -> None:
        usual = usual_periods(today)["thirty"]
        self.usual = usual
        asked = {"from_on": data.get("from_on") or usual.from_on, "to_on": data.get("to_on") or usual.to_on}
        super().__init__(asked)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        first, last = cleaned.get("from_on"), cleaned.get("to_on")
        if first and last and first > last:
            self.add_error("to_on", _("The last day is before the first."))
        elif first and last and (last - first).days >= LONGEST_DAYS:
            self.add_error("to_on", _("Choose a year at most."))
        return cleaned

    def period(self) -> Period:
        """Return the period asked for, the usual one where it cannot be read."""
        if not self.is_valid():
            return self.usual
        return Period(self.cleaned_data["from_on"], self.cleaned_data["to_on"])
