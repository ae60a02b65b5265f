"""Which period a report is about, and which protocol, practitioner or weeks; all of it lives in the address."""

from datetime import date
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from clinics.models import Clinic
from reports.catalogue import Entry
from reports.core import WEEKS_AHEAD, Period, usual_periods
from reports.selectors import Scope
from staff.forms import YEARS, DateInput, PractitionerField, ProtocolField

LONGEST_DAYS: Final = 366


class PeriodForm(forms.Form):
    """From a day to a day, both included; a usual period unless told."""

    from_on = forms.DateField(label=_("From day"), widget=DateInput(), validators=YEARS)
    to_on = forms.DateField(label=_("To day"), widget=DateInput(), validators=YEARS)

    def __init__(self, data: Any, *, today: date, usual: str = "thirty") -> None:
        self.usual = usual_periods(today)[usual]
        self.asked = asked = {name: value for name, value in data.items() if value}
        asked.setdefault("from_on", self.usual.from_on)
        asked.setdefault("to_on", self.usual.to_on)
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


class ReportForm(PeriodForm):
    """A period, where the report is about one, with its filters."""

    weeks = forms.TypedChoiceField(label=_("Weeks ahead"), coerce=int, required=False)

    def __init__(self, data: Any, *, clinic: Clinic, entry: Entry, today: date) -> None:
        super().__init__(data, today=today, usual=entry.period or "thirty")
        self.clinic, self.today = clinic, today
        self.fields["protocol"] = ProtocolField(
            clinic, label=_("Protocol"), required=False, empty_label=_("All protocols")
        )
        self.fields["practitioner"] = PractitionerField(
            clinic, label=_("Practitioner"), required=False, empty_label=_("All practitioners")
        )
        if entry.period:
            del self.fields["weeks"]
            return
        del self.fields["from_on"], self.fields["to_on"]
        self.asked.setdefault("weeks", "12")
        self.fields["weeks"].choices = [  # type: ignore[attr-defined]
            (n, ngettext("%(n)s week", "%(n)s weeks", n) % {"n": n}) for n in WEEKS_AHEAD
        ]

    def scope(self) -> Scope:
        """Return whose figures of which days are asked for; what cannot be read is left out."""
        self.is_valid()
        chosen = self.cleaned_data
        return Scope(
            clinic=self.clinic,
            period=self.period() if "from_on" in self.fields else self.usual,
            today=self.today,
            protocol=chosen.get("protocol"),
            practitioner=chosen.get("practitioner"),
            weeks=chosen.get("weeks") or 12,
        )
