"""What the calendar's address says, and where a session was dropped."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from urllib.parse import urlencode

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import QueryDict
from django.urls import reverse

from clinics.models import Clinic, Room, StaffMember
from staff.course_forms import RoomField, SlotForm
from staff.forms import DateInput, PractitionerField

# A mistyped year has no week before or after it that a date could hold.
_YEARS: Final = (
    MinValueValidator(date(2000, 1, 1)),
    MaxValueValidator(date(2100, 12, 31)),
)


@dataclass(frozen=True, slots=True)
class CalendarFilter:
    """What of the calendar is shown; its address says the same."""

    on: date
    is_week: bool = True
    by_room: bool = False
    practitioner: StaffMember | None = None
    room: Room | None = None
    has_cancelled: bool = False

    @property
    def chosen(self) -> StaffMember | Room | None:
        """The one whose time alone is shown, if one was chosen of those in the columns."""
        return self.room if self.by_room else self.practitioner

    def address(self, *, today: date, **changes: Any) -> str:
        """Return the address of this page with some of it changed; what goes without saying is left out."""
        said = {
            "view": "" if changes.get("is_week", self.is_week) else "day",
            "by": "room" if changes.get("by_room", self.by_room) else "",
            "on": _text(changes.get("on", self.on), but=today),
            "practitioner": _code(changes.get("practitioner", self.practitioner)),
            "room": _code(changes.get("room", self.room)),
            "cancelled": "on" if changes.get("has_cancelled", self.has_cancelled) else "",
        }
        query = urlencode({name: value for name, value in said.items() if value})
        return reverse("staff:calendar") + (f"?{query}" if query else "")


def _text(on: date, *, but: date) -> str:
    return "" if on == but else on.isoformat()


def _code(row: StaffMember | Room | None) -> str:
    return str(row.code) if row is not None else ""


class CalendarForm(forms.Form):
    """The calendar's filter; a part that cannot be read is as if it were not there."""

    view = forms.ChoiceField(choices=[("week", ""), ("day", "")], required=False)
    by = forms.ChoiceField(choices=[("practitioner", ""), ("room", "")], required=False)
    on = forms.DateField(required=False, widget=DateInput(), validators=_YEARS)
    cancelled = forms.BooleanField(required=False)

    def __init__(self, data: QueryDict, *, clinic: Clinic) -> None:
        super().__init__(data)
        self.fields["practitioner"] = PractitionerField(clinic, required=False)
        self.fields["room"] = RoomField(clinic, required=False)

    def filter(self, *, today: date) -> CalendarFilter:
        self.is_valid()
        said = self.cleaned_data
        return CalendarFilter(
            on=said.get("on") or today,
            is_week=said.get("view") != "day",
            by_room=said.get("by") == "room",
            practitioner=said.get("practitioner"),
            room=said.get("room"),
            has_cancelled=said.get("cancelled", False),
        )


class DropForm(SlotForm):
    """Where a session was dropped, which version of it was dragged, and the query of the calendar's address."""

    version = forms.IntegerField(min_value=1)
    page = forms.CharField(required=False, max_length=400)
