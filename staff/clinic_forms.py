"""What owners type about the clinic itself: its details, hours, closures and rooms."""

import json
from collections.abc import Iterable
from datetime import date, time
from functools import lru_cache
from itertools import pairwise
from typing import Any, ClassVar, Final
from zoneinfo import available_timezones

from babel import Locale
from django import forms
from django.utils.text import capfirst
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from clinics.models import Clinic, Language, Room, Weekday
from courses.services.clinic_details import CHANGEABLE, LIMITS
from staff.forms import DateInput, TimeInput, named
from staff.overtaken import SeenForm

Hours = list[tuple[int, time, time]]
# Two spans of a day leave a midday break; a third row appears once both are used.
_SPANS: Final = 2


@lru_cache
def _countries(language: str) -> tuple[tuple[str, str], ...]:
    """Return every country's two letters with its name in a language, by name."""
    territories = Locale(language).territories
    # Codes that stand for a group, for nowhere, or are kept for tests.
    others = {"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ"}
    found = ((code, name) for code, name in territories.items() if len(code) == 2 and code.isalpha())
    return tuple(
        sorted(((code, name) for code, name in found if code not in others), key=lambda pair: pair[1])
    )


@lru_cache
def _zones() -> tuple[str, ...]:
    areas = (
        "Africa",
        "America",
        "Antarctica",
        "Arctic",
        "Asia",
        "Atlantic",
        "Australia",
        "Europe",
        "Indian",
        "Pacific",
    )
    return tuple(
        sorted(name for name in available_timezones() if name.split("/")[0] in areas and "/" in name)
    )


def countries() -> tuple[tuple[str, str], ...]:
    """Return every country's two letters with its name in the reader's language, by name."""
    return _countries(get_language() or "en")


def country_name(code: str) -> str:
    """Return a country's name in the reader's language; its letters when it has none."""
    return dict(countries()).get(code, code)


class NumberInput(forms.NumberInput):
    def __init__(self) -> None:
        super().__init__(attrs={"inputmode": "numeric"})


def _number(name: str, label: Any, help_text: Any = "") -> forms.IntegerField:
    least, most = LIMITS[name]
    return forms.IntegerField(
        label=label, min_value=least, max_value=most, help_text=help_text, widget=NumberInput()
    )


class ClinicForm(forms.Form):
    """What the clinic says of itself and how it books."""

    name = forms.CharField(label=_("Name of the clinic"), max_length=120)
    address = forms.CharField(
        label=_("Address"),
        max_length=300,
        required=False,
        help_text=_("Stands in messages and calendar files."),
    )
    phone = forms.CharField(
        label=_("Telephone"),
        max_length=32,
        required=False,
        widget=forms.TextInput(attrs={"type": "tel"}),
        help_text=_("Stands in messages and on the pages of clients."),
    )
    language = forms.ChoiceField(
        label=_("Language"),
        choices=Language.choices,
        help_text=_("New clients start with it, and holidays are named in it."),
    )
    country = forms.ChoiceField(
        label=_("Country"),
        required=False,
        help_text=_("Telephone numbers without a country code are read as this country's; so are holidays."),
    )
    time_zone = forms.ChoiceField(label=_("Time zone"))
    booking_lead_days = _number(
        "booking_lead_days",
        _("Book so many days ahead"),
        _("A course with nothing booked so many days before its next window needs attention."),
    )
    booking_horizon_days = _number(
        "booking_horizon_days",
        _("Plan so many days ahead"),
        _("How far courses that last for months are given dates; the rest follows by itself."),
    )
    notice_hours = _number(
        "notice_hours",
        _("Hours of notice"),
        _("A client who cancels later than so many hours before has cancelled late."),
    )
    longest_pause_days = _number(
        "longest_pause_days",
        _("Longest pause in days"),
        _("A longer one is marked for the prescriber to look at."),
    )
    slot_step_minutes = _number(
        "slot_step_minutes",
        _("Minutes from one start to the next"),
        _("Sessions start on this grid, counted from the time at which the clinic opens."),
    )
    known = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, clinic: Clinic, is_zone_open: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        shown = {name: getattr(clinic, name) for name in CHANGEABLE}
        self.initial = {**shown, "known": json.dumps(shown), **(self.initial or {})}
        self.fields["country"].choices = named(countries(), _("Not named"))  # type: ignore[attr-defined]
        if is_zone_open:
            names = sorted({*_zones(), clinic.time_zone})
            self.fields["time_zone"].choices = [(name, name.replace("_", " ")) for name in names]  # type: ignore[attr-defined]
        else:
            del self.fields["time_zone"]

    def values(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in CHANGEABLE if name in self.cleaned_data}

    def known_values(self) -> dict[str, Any]:
        """Return what the page showed when these were typed; nothing when that cannot be read."""
        try:
            found = json.loads(self.cleaned_data["known"])
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def renew_known(self, clinic: Clinic) -> None:
        """Show the present state around what was typed, so that saving again is meant."""
        present = {name: getattr(clinic, name) for name in CHANGEABLE}
        seen = self.known_values()
        untouched = {name for name, value in self.values().items() if name in seen and seen[name] == value}
        self.data = {
            **dict(self.data.items()),
            **{name: str(present[name]) for name in untouched},
            "known": json.dumps(present),
        }


# ---------------------------------------------------------------- hours


def hours_words(hours: Iterable[tuple[int, time, time]]) -> str:
    """Return hours as one line for a hidden field."""
    return ";".join(f"{weekday} {opens:%H:%M} {closes:%H:%M}" for weekday, opens, closes in hours)


def read_count(text: str) -> int:
    """Return the number that a hidden field says, none when it says anything else."""
    return int(text) if text.isdecimal() and len(text) < 9 else 0


def _told(words: str, subject: str) -> int:
    """Return the number of bookings told about a subject; none when something else is meant by now."""
    count, _slash, about = words.partition("/")
    return read_count(count) if about == subject else 0


def _read_hours(words: str) -> Hours | None:
    try:
        parts = [span.split(" ") for span in words.split(";") if span]
        return [
            (int(day), time.fromisoformat(opens), time.fromisoformat(closes)) for day, opens, closes in parts
        ]
    except ValueError:
        return None


class HoursForm(forms.Form):
    """The opening hours: some spans for each weekday, each from and to; blank means closed."""

    must_open: ClassVar = True
    labels: ClassVar = (_("%(day)s, opens"), _("%(day)s, closes"))

    known = forms.CharField(widget=forms.HiddenInput, required=False)
    told = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, hours: Hours, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.hours = hours
        used = max((sum(one[0] == day for one in hours) for day in Weekday.values), default=0)
        self.places = range(max(_SPANS, used + (used >= _SPANS)))
        initial: dict[str, Any] = {"known": hours_words(hours)}
        for day in Weekday:
            spans = [one[1:] for one in hours if one[0] == day]
            for place in self.places:
                for end, label in enumerate(self.labels):
                    name = f"{('opens', 'closes')[end]}_{day.value}_{place}"
                    words = label % {"day": capfirst(day.label)}
                    self.fields[name] = forms.TimeField(label=words, required=False, widget=TimeInput())
                    if place < len(spans):
                        initial[name] = spans[place][end]
        self.initial = {**initial, **(self.initial or {})}

    def lines(self) -> list[dict[str, Any]]:
        """Return each weekday with its pairs of fields and what is wrong with them."""
        found = []
        for day in Weekday:
            pairs = [
                (self[f"opens_{day.value}_{place}"], self[f"closes_{day.value}_{place}"])
                for place in self.places
            ]
            errors = [error for pair in pairs for bound in pair for error in bound.errors]
            found.append(
                {"label": capfirst(day.label), "number": day.value, "pairs": pairs, "errors": errors}
            )
        return found

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        self.typed: Hours = []
        for day in Weekday.values:
            spans = []
            for place in self.places:
                names = f"opens_{day}_{place}", f"closes_{day}_{place}"
                if set(names) & set(self.errors):
                    continue
                opens, closes = cleaned.get(names[0]), cleaned.get(names[1])
                if (opens is None) != (closes is None):
                    self.add_error(names[opens is not None], _("Give both times of a span, or neither."))
                elif opens is not None and closes is not None and opens >= closes:
                    self.add_error(names[1], _("The end must come after the beginning."))
                elif opens is not None and closes is not None:
                    spans.append((opens, closes, names[0]))
            spans.sort()
            for before, after in pairwise(spans):
                if after[0] < before[1]:
                    self.add_error(after[2], _("Two spans of this day overlap."))
            self.typed += [(day, opens, closes) for opens, closes, _name in spans]
        if self.must_open and not self.typed and not self.errors:
            self.add_error(None, _("The clinic must open on at least one weekday."))
        return cleaned

    def known_hours(self) -> Hours | None:
        return _read_hours(self.cleaned_data["known"])

    def known_bookings(self) -> int:
        """Return of how many bookings outside just these hours the owner was told."""
        return _told(self.cleaned_data["told"], hours_words(self.typed))

    def renew(self, *, bookings: int = 0) -> None:
        """Show the present hours with what was typed, and remember of how many bookings the owner is told."""
        told = f"{bookings}/{hours_words(self.typed)}"
        self.data = {**dict(self.data.items()), "known": hours_words(self.hours), "told": told}


class WorkingHoursForm(HoursForm):
    """Somebody's own hours: blank on every weekday means the clinic's."""

    must_open = False
    labels = (_("%(day)s, begins"), _("%(day)s, ends"))


# ---------------------------------------------------------------- closures and rooms


class ClosureForm(forms.Form):
    """Days on which the clinic is closed; one day needs no last day."""

    from_on = forms.DateField(label=_("First day"), widget=DateInput())
    to_on = forms.DateField(
        label=_("Last day"), required=False, widget=DateInput(), help_text=_("Blank: only the first day.")
    )
    reason = forms.CharField(
        label=_("Note"), max_length=120, required=False, help_text=_("For the staff: a holiday, repairs.")
    )
    told = forms.CharField(widget=forms.HiddenInput, required=False)

    def days(self) -> tuple[date, date]:
        """Return the first and the last day."""
        first: date = self.cleaned_data["from_on"]
        return first, self.cleaned_data["to_on"] or first

    def known_bookings(self) -> int:
        """Return of how many bookings on just these days the owner was told."""
        return _told(self.cleaned_data["told"], self._days_words())

    def tell(self, bookings: int) -> None:
        """Remember of how many bookings the owner is told."""
        self.data = {**dict(self.data.items()), "told": f"{bookings}/{self._days_words()}"}

    def _days_words(self) -> str:
        return " ".join(day.isoformat() for day in self.days())


class RoomForm(SeenForm):
    name = forms.CharField(label=_("Name of the room"), max_length=60)

    def __init__(self, *args: Any, room: Room | None = None, **kwargs: Any) -> None:
        if room is not None:
            kwargs.setdefault("initial", {"name": room.name})
            kwargs.setdefault("auto_id", f"id_{room.code}_%s")
        super().__init__(*args, **kwargs)


class YearForm(forms.Form):
    """Which year's holidays, from this one on; chosen by address."""

    year = forms.TypedChoiceField(label=_("Year"), coerce=int)

    def __init__(self, *args: Any, today: date, usual: int | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.usual = today.year if usual is None else usual
        self.fields["year"].choices = [(year, year) for year in range(today.year, today.year + 3)]  # type: ignore[attr-defined]
        self.initial = {"year": self.usual, **(self.initial or {})}
