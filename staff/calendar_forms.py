"""What the calendar's address says, and where a session was dropped."""

import uuid
from dataclasses import dataclass
from datetime import date, time
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from clinics.models import Clinic, Room, StaffMember
from staff.course_forms import NextSlotForm, RoomField, SlotForm
from staff.forms import YEARS, DateInput, PractitionerField, TimeInput


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
        """Return the address of this page with some of it changed."""
        query = self.query(today=today, **changes)
        return reverse("staff:calendar") + (f"?{query}" if query else "")

    def query(self, *, today: date, **changes: Any) -> str:
        """Return what an address says of this page after its question mark; what goes without saying is left out."""
        said = {
            "view": "" if changes.get("is_week", self.is_week) else "day",
            "by": "room" if changes.get("by_room", self.by_room) else "",
            "on": _text(changes.get("on", self.on), but=today),
            "practitioner": _code(changes.get("practitioner", self.practitioner)),
            "room": _code(changes.get("room", self.room)),
            "cancelled": "on" if changes.get("has_cancelled", self.has_cancelled) else "",
        }
        return urlencode({name: value for name, value in said.items() if value})


def calendar_address(query: str, *, clinic: Clinic, today: date, **changes: Any) -> str:
    """Return the calendar's address with what of a query, as a page kept it, can be read."""
    return CalendarForm(QueryDict(query), clinic=clinic).filter(today=today).address(today=today, **changes)


def _text(on: date, *, but: date) -> str:
    return "" if on == but else on.isoformat()


def _code(row: StaffMember | Room | None) -> str:
    return str(row.code) if row is not None else ""


class CalendarForm(forms.Form):
    """The calendar's filter; a part that cannot be read is as if it were not there."""

    view = forms.ChoiceField(choices=[("week", ""), ("day", "")], required=False)
    by = forms.ChoiceField(choices=[("practitioner", ""), ("room", "")], required=False)
    on = forms.DateField(required=False, widget=DateInput(), validators=YEARS)
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


@dataclass(frozen=True, slots=True)
class BookingPlace:
    """A free place of the calendar that is to be booked, and the query of the page that it was seen on."""

    on: date
    at: time | None = None
    practitioner: StaffMember | None = None
    room: Room | None = None
    page: str = ""

    def address(self, course_code: uuid.UUID | None = None, **changes: Any) -> str:
        """Return where a course is chosen for this place, or where one that was chosen is booked there."""
        at = changes.get("at", self.at)
        said = {
            "on": changes.get("on", self.on).isoformat(),
            "at": f"{at:%H:%M}" if at else "",
            "practitioner": _code(self.practitioner),
            "room": _code(self.room),
            "page": self.page,
        }
        query = urlencode({name: value for name, value in said.items() if value})
        if course_code is None:
            return f"{reverse('staff:calendar-book')}?{query}"
        return f"{reverse('staff:calendar-book-course', args=[course_code])}?{query}"


class PlaceForm(forms.Form):
    """What an address of a free place says; a part that cannot be read is as if it were not there."""

    on = forms.DateField(required=False, validators=YEARS)
    at = forms.TimeField(required=False, widget=TimeInput())
    page = forms.CharField(required=False, max_length=400)
    q = forms.CharField(required=False, max_length=100, label=_("Client"))

    def __init__(self, data: QueryDict, *, clinic: Clinic) -> None:
        super().__init__(data)
        self.fields["practitioner"] = PractitionerField(clinic, required=False)
        self.fields["room"] = RoomField(clinic, required=False)

    def place(self, *, today: date) -> BookingPlace:
        self.is_valid()
        said = self.cleaned_data
        return BookingPlace(
            on=said.get("on") or today,
            at=said.get("at"),
            practitioner=said.get("practitioner"),
            room=said.get("room"),
            page=said.get("page", ""),
        )


class BookingForm(NextSlotForm):
    """A slot for a course chosen from the calendar; `judged` is the day of which the page said what it is to the course."""

    judged = forms.CharField(widget=forms.HiddenInput, required=False)

    def is_judged(self) -> bool:
        day: date = self.cleaned_data["on"]
        judged: str = self.cleaned_data["judged"]
        return judged == day.isoformat()

    def tell(self) -> None:
        """Remember that the page says what the day typed is to the course."""
        self.data = {**dict(self.data.items()), "judged": self.cleaned_data["on"].isoformat()}


class DropForm(SlotForm):
    """Where a session was dropped, which version of it was dragged, and the query of the calendar's address."""

    version = forms.IntegerField(min_value=1)
    page = forms.CharField(required=False, max_length=400)
