"""What the owner asks of the audit log."""

import uuid
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _

from clinics.core import to_utc
from clinics.models import Clinic, StaffMember
from staff.audit_events import BY_KIND, CLIENTS, PROGRAMS, SYSTEM, AuditFilter
from staff.forms import DateInput
from staff.presenters.audit import action_choices


class AuditFilterForm(forms.Form):
    """The log's filters; they live in the address."""

    action = forms.ChoiceField(
        label=_("What"), required=False, choices=lambda: [("", _("Everything")), *action_choices()]
    )
    by = forms.ChoiceField(label=_("Who"), required=False)
    from_on = forms.DateField(label=_("From day"), required=False, widget=DateInput())
    to_on = forms.DateField(label=_("To day"), required=False, widget=DateInput())
    about = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, clinic: Clinic, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.clinic = clinic
        people = StaffMember.objects.for_clinic(clinic).order_by("-is_active", "position", "display_name")
        self.fields["by"].choices = [  # type: ignore[attr-defined]
            ("", _("Anybody")),
            *((str(code), name) for code, name in people.values_list("code", "display_name")),
            (CLIENTS, _("Clients")),
            (PROGRAMS, _("Programs with a token")),
            (SYSTEM, _("The system")),
        ]

    def wanted(self) -> AuditFilter:
        """Return what is asked for; what cannot be understood narrows nothing."""
        self.is_valid()
        chosen = self.cleaned_data
        by = chosen.get("by") or ""
        return AuditFilter(
            action=chosen.get("action") or "",
            by_kind=by if by in BY_KIND else "",
            by_code=uuid.UUID(by) if by and by not in BY_KIND else None,
            since=self._midnight(chosen.get("from_on")),
            until=self._midnight(chosen.get("to_on"), days_later=1),
            about=chosen.get("about"),
        )

    def _midnight(self, on: date | None, *, days_later: int = 0) -> datetime | None:
        """Return when a day begins at the clinic; nothing for no day, and for one outside of all calendars."""
        if on is None:
            return None
        try:
            day = date.fromordinal(on.toordinal() + days_later)
            return to_utc(day, time(), ZoneInfo(self.clinic.time_zone))
        except (ValueError, OverflowError):
            return None
