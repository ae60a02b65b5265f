"""What a prescriber types: whom, what and from when, and each phase as fields within a sentence."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from clients.models import Client
from clinics.models import Clinic
from courses.core.types import Cadence, PhaseSpec
from courses.models import PhaseKind, Protocol
from courses.validators import LONGEST_MINUTES, LONGEST_PHASE_DAYS
from staff.forms import DateInput, PractitionerField, named

MOST_PHASES: Final = 8
# The prefix of phases that made way for a protocol's.
KEPT: Final = "kept"
# So many lengths may rise one by one; later sessions take the last.
_MOST_STEPS: Final = 60
_DAYS_OF_UNIT: Final = {"days": 1, "weeks": 7, "years": 365}


class PrescribeForm(forms.Form):
    """Whom, which protocol, from when, and with whom if possible."""

    start_on = forms.DateField(label=_("Starts on"), widget=DateInput())

    def __init__(self, *args: Any, clinic: Clinic, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["client"] = forms.ModelChoiceField(
            Client.objects.for_clinic(clinic).filter(erased_at=None),
            to_field_name="code",
            label=_("Client"),
            widget=forms.HiddenInput,
            error_messages={"required": _("Choose a client."), "invalid_choice": _("Choose a client.")},
        )
        self.fields["protocol"] = forms.ModelChoiceField(
            Protocol.objects.for_clinic(clinic).filter(is_current=True, retired_at=None),
            to_field_name="code",
            label=_("Protocol"),
            empty_label=_("Choose a protocol"),
            error_messages={
                "invalid_choice": _("This protocol was changed or retired meanwhile. Choose it again.")
            },
        )
        language = get_language() or "en"
        self.fields["protocol"].label_from_instance = lambda protocol: protocol.name_in(language)  # type: ignore[attr-defined]
        self.fields["practitioner"] = PractitionerField(
            clinic, required=False, label=_("With, if possible"), empty_label=_("Anybody")
        )


def _number(label: Any, *, least: int = 1, most: int = 366, required: bool = False) -> forms.IntegerField:
    widget = forms.NumberInput(attrs={"inputmode": "numeric", "placeholder": "–"})
    return forms.IntegerField(label=label, min_value=least, max_value=most, required=required, widget=widget)


class PhaseForm(forms.Form):
    """One phase as a sentence: 10–15 sessions, 1 every 1–2 days, 30–60 minutes, for as long as it lasts."""

    kind = forms.ChoiceField(label=_("Kind of phase"), choices=named(PhaseKind.choices))
    sessions_min = _number(_("Sessions, at least"), most=400)
    sessions_max = _number(_("Sessions, at most"), most=400)
    frequency = _number(_("How many at a time"), most=60)
    period_min = _number(_("Every so many days, at least"), required=True)
    period_max = _number(_("Every so many days, at most"))
    minutes_min = _number(_("Minutes, at least"), most=600)
    minutes_max = _number(_("Minutes, at most"), most=600)
    duration = _number(_("For how long"), most=3650)
    duration_unit = forms.ChoiceField(
        label=_("Unit of time"),
        choices=[("days", _("days")), ("weeks", _("weeks")), ("years", _("years"))],
        required=False,
    )
    rest_days = _number(_("Days from one session to the next, at least"))
    flex_days = _number(_("The period gives by so many days"), least=0)
    grace_days = _number(_("Late days before it is overdue"), least=0)
    lapse_days = _number(_("Late days before it has lapsed"))
    minutes_by_session = forms.CharField(
        label=_("Minutes by session number"),
        required=False,
        max_length=400,
        widget=forms.TextInput(attrs={"placeholder": "20, 25, 30", "autocomplete": "off"}),
        help_text=_("Where sessions grow longer; those after the last number take the last."),
    )

    def clean_minutes_by_session(self) -> tuple[int, ...]:
        words = [word for word in re.split(r"[\s,;]+", self.cleaned_data["minutes_by_session"]) if word]
        if not all(word.isdecimal() and 1 <= int(word) <= LONGEST_MINUTES for word in words):
            raise forms.ValidationError(_("Write minutes from 1 to 600 with commas between them."))
        if len(words) > _MOST_STEPS:
            raise forms.ValidationError(_("Write at most %(most)s numbers.") % {"most": _MOST_STEPS})
        return tuple(int(word) for word in words)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        for name in ("sessions", "minutes"):
            least, most = values.get(f"{name}_min"), values.get(f"{name}_max")
            if f"{name}_min" in self.errors or f"{name}_max" in self.errors:
                continue
            values[f"{name}_min"] = least = least if least is not None else most
            values[f"{name}_max"] = most = most if most is not None else least
            self._check_order(least, most, f"{name}_max")
        period_min, period_max = values.get("period_min"), values.get("period_max")
        if period_min is not None and "period_max" not in self.errors:
            values["period_max"] = period_max or period_min
            self._check_order(period_min, values["period_max"], "period_max")
        self._check_amount(values)
        self._check_cadence(values)
        return values

    def _check_order(self, least: int | None, most: int | None, field: str) -> None:
        if least is not None and most is not None and least > most:
            self.add_error(field, _("The second number is smaller than the first."))

    def _check_amount(self, values: Mapping[str, Any]) -> None:
        has_amount = values.get("sessions_max") or values.get("duration")
        if not has_amount and not {"sessions_min", "sessions_max", "duration"} & set(self.errors):
            self.add_error("sessions_max", _("Say how many sessions, or for how long."))
        # The services would refuse it too, but by a name that this form does not have.
        if (_days_of(values) or 0) > LONGEST_PHASE_DAYS:
            self.add_error("duration", _("A phase lasts at most ten years."))

    def _check_cadence(self, values: Mapping[str, Any]) -> None:
        period_min, period_max = values.get("period_min"), values.get("period_max")
        frequency, flex_days = values.get("frequency"), values.get("flex_days")
        if period_max and frequency and frequency > period_max:
            self.add_error("frequency", _("There is one session a day at most."))
        if period_min and flex_days is not None and flex_days >= period_min:
            self.add_error("flex_days", _("The period cannot give by its whole length."))
        grace, lapse = values.get("grace_days"), values.get("lapse_days")
        if grace is not None and lapse is not None and grace > lapse:
            self.add_error("grace_days", _("Overdue comes before lapsed."))

    def spec(self) -> PhaseSpec:
        """Return the phase; what was left out is as usual for its rhythm."""
        values = self.cleaned_data
        cadence = Cadence.of(
            values["frequency"] or 1,
            values["period_min"],
            values["period_max"],
            values["rest_days"],
            values["flex_days"],
        )
        grace, lapse = cadence.usual_leniency
        lapse_days = values["lapse_days"]
        # Of the two, what is usual gives way to what was typed.
        usual_grace = grace if lapse_days is None else min(grace, lapse_days)
        grace_days = usual_grace if values["grace_days"] is None else values["grace_days"]
        return PhaseSpec(
            kind=values["kind"],
            cadence=cadence,
            sessions_min=values["sessions_min"],
            sessions_max=values["sessions_max"],
            duration_days=_days_of(values),
            grace_days=grace_days,
            lapse_days=max(lapse, grace_days) if lapse_days is None else lapse_days,
            minutes_min=values["minutes_min"],
            minutes_max=values["minutes_max"],
        )


def _days_of(values: Mapping[str, Any]) -> int | None:
    """Return how many days a phase lasts by what was typed; None where it does not say, or not well."""
    duration = values.get("duration")
    return duration * _DAYS_OF_UNIT[values.get("duration_unit") or "days"] if duration else None


def minutes_of(forms: Sequence[PhaseForm]) -> tuple[tuple[int, ...], ...]:
    """Return the minutes by session number of valid phases; nothing where no length rises."""
    steps = tuple(form.cleaned_data["minutes_by_session"] for form in forms)
    return steps if any(steps) else ()


def phase_initial(phase: PhaseSpec, minutes_by_session: Sequence[int] = ()) -> dict[str, Any]:
    """Return what the sentence of a phase starts from; what is as usual stays empty."""
    usual = Cadence.of(phase.cadence.frequency, phase.cadence.period_min, phase.cadence.period_max)
    grace, lapse = phase.cadence.usual_leniency
    duration, unit = _duration(phase.duration_days)
    return {
        "kind": phase.kind,
        "sessions_min": phase.sessions_min,
        "sessions_max": phase.sessions_max,
        "frequency": phase.cadence.frequency,
        "period_min": phase.cadence.period_min,
        "period_max": phase.cadence.period_max
        if phase.cadence.period_max > phase.cadence.period_min
        else None,
        "minutes_min": phase.minutes_min,
        "minutes_max": phase.minutes_max,
        "duration": duration,
        "duration_unit": unit,
        "rest_days": None if phase.cadence.rest_days == usual.rest_days else phase.cadence.rest_days,
        "flex_days": None if phase.cadence.flex_days == usual.flex_days else phase.cadence.flex_days,
        "grace_days": None if phase.grace_days == grace else phase.grace_days,
        "lapse_days": None if phase.lapse_days == lapse else phase.lapse_days,
        "minutes_by_session": ", ".join(map(str, minutes_by_session)),
    }


def _duration(days: int | None) -> tuple[int | None, str]:
    if days is None:
        return None, "weeks"
    unit = next(unit for unit in ("years", "weeks", "days") if days % _DAYS_OF_UNIT[unit] == 0)
    return days // _DAYS_OF_UNIT[unit], unit


NEW_PHASE: Final = {
    "kind": "maintenance",
    "frequency": 1,
    "period_min": 14,
    "duration_unit": "weeks",
}


def phase_forms(data: Mapping[str, Any]) -> list[PhaseForm]:
    """Return the phases that were posted, in order."""
    return [PhaseForm(data, prefix=f"phases-{index}") for index in range(phase_count(data))]


def phase_count(data: Mapping[str, Any], name: str = "phase_count") -> int:
    try:
        return max(0, min(int(data.get(name, 0)), MOST_PHASES))
    except ValueError:
        return 0


def posted_phases(data: Mapping[str, Any], prefix: str = "phases") -> list[dict[str, Any]]:
    """Return each posted phase as it was typed, right or wrong; with the prefix KEPT those that were set aside."""
    count = phase_count(data, "kept_count" if prefix == KEPT else "phase_count")
    return [
        {name: data.get(f"{prefix}-{index}-{name}") for name in PhaseForm.base_fields}
        for index in range(count)
    ]


def kept_fields(values: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return phases that are set aside as names and values of hidden fields, which posted_phases() reads again."""
    return [(f"{KEPT}-{index}-{name}", _text(one[name])) for index, one in enumerate(values) for name in one]


def is_same(one: Sequence[Mapping[str, Any]], other: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether two lists of phases would stand the same in their fields."""
    texts = [
        [{name: _text(value) for name, value in phase.items()} for phase in phases] for phases in (one, other)
    ]
    return texts[0] == texts[1]


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


def unsent_phase_forms(values: list[dict[str, Any]]) -> list[PhaseForm]:
    """Return phases to begin with, not yet checked."""
    return [
        PhaseForm(initial=one, prefix=f"phases-{index}") for index, one in enumerate(values[:MOST_PHASES])
    ]
