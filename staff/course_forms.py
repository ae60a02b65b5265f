"""What staff type on a course's page; whether it may be done is for the services to say."""

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from clinics.core import to_utc
from clinics.models import Clinic, Room
from courses.core.states import SESSION_CORRECTIONS
from courses.models import (
    BOOKED_STATUSES,
    PauseReason,
    PlanPolicy,
    ProtocolContraindication,
    SessionStatus,
    TreatmentSession,
)
from staff.forms import YEARS, DateInput, PractitionerField, TimeInput, named
from staff.overtaken import SeenForm
from staff.templatetags.interface import day


class CoursePauseForm(forms.Form):
    """A pause of any dates; without an end it is open."""

    reason = forms.ChoiceField(
        label=_("Reason"), choices=named(PauseReason.choices), widget=forms.RadioSelect
    )
    from_on = forms.DateField(label=_("From"), widget=DateInput())
    to_on = forms.DateField(
        label=_("Until, that day included"),
        widget=DateInput(),
        required=False,
        help_text=_("Leave it empty when nobody knows yet."),
    )
    note = forms.CharField(label=_("Note"), max_length=200, required=False)


class ConditionForm(forms.Form):
    """A condition of the client that the protocol knows, with the days on which it holds."""

    condition = forms.ChoiceField(label=_("Condition"))
    from_on = forms.DateField(label=_("From"), widget=DateInput())
    to_on = forms.DateField(
        label=_("Until, that day included"),
        widget=DateInput(),
        required=False,
        help_text=_("Leave it empty when it does not pass."),
    )
    note = forms.CharField(label=_("Note"), max_length=200, required=False)

    def __init__(self, *args: Any, known: list[ProtocolContraindication], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        language = get_language() or "en"
        self.fields["condition"].choices = [(row.condition, row.name_in(language)) for row in known]  # type: ignore[attr-defined]


class ReasonForm(forms.Form):
    """A decision that is kept with its reason."""

    reason = forms.CharField(label=_("Why"), max_length=200)


class OverrideForm(forms.Form):
    reason = forms.CharField(
        label=_("Why it does not stop this course"), max_length=400, widget=forms.Textarea(attrs={"rows": 3})
    )


class DecisionForm(forms.Form):
    """A decision of a prescriber that counts from a day."""

    on = forms.DateField(label=_("On"), widget=DateInput())
    reason = forms.CharField(label=_("Why"), max_length=200, required=False)


class CorrectionForm(SeenForm):
    """What really became of a session, and why it stood there wrongly."""

    status = forms.ChoiceField(label=_("What really happened"), widget=forms.RadioSelect)
    on = forms.DateField(
        label=_("Day"),
        widget=DateInput(),
        required=False,
        help_text=_("Only the day of an attended session can be mended."),
    )
    reason = forms.CharField(label=_("Why is it corrected?"), max_length=200)

    def __init__(self, *args: Any, session: TreatmentSession, today: date, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"status": session.status, "on": session.on})
        super().__init__(*args, **kwargs)
        allowed = SESSION_CORRECTIONS[session.status]  # type: ignore[index]
        is_attended = session.status == SessionStatus.ATTENDED
        words = dict(named(SessionStatus.choices))
        # The same again mends the day only; a booking needs the slot it once had.
        self.fields["status"].choices = [  # type: ignore[attr-defined]
            (status, words[status])
            for status in SessionStatus.values
            if (status in allowed and (status not in BOOKED_STATUSES or session.starts_at))
            or (status == session.status and is_attended)
        ]
        self.fields["on"].widget.attrs["max"] = today.isoformat()

    def words_for(self, name: str, field: forms.Field, stored: Any) -> str:
        # What it is now is no choice, as a rule: it would correct nothing.
        if name == "status":
            return str(dict(named(SessionStatus.choices))[stored])
        return super().words_for(name, field, stored)


class EndPhaseForm(DecisionForm):
    """The end of the phase that the reader saw the course in."""

    phase = forms.IntegerField(widget=forms.HiddenInput, required=False)


class TargetForm(SeenForm):
    target = forms.TypedChoiceField(label=_("Number of sessions"), coerce=int, widget=forms.RadioSelect)
    # Not one of the next phase, should the course have come there meanwhile.
    phase = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, least: int, most: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["target"].choices = [(n, str(n)) for n in range(least, most + 1)]  # type: ignore[attr-defined]


class RoomField(forms.ModelChoiceField):  # type: ignore[type-arg]  # generic in its stubs only
    """A room of the clinic, chosen by code."""

    def __init__(self, clinic: Clinic, **kwargs: Any) -> None:
        rooms = Room.objects.for_clinic(clinic).filter(is_active=True)
        super().__init__(rooms, to_field_name="code", **kwargs)


class SlotForm(forms.Form):
    """A slot in the clinic's wall time: an offered one in a click, or another one typed."""

    refused_as: ClassVar = {"starts_at": "at"}

    on = forms.DateField(label=_("Day"), widget=DateInput())
    at = forms.TimeField(label=_("Time"), widget=TimeInput())
    minutes = forms.IntegerField(
        label=_("Length in minutes"),
        min_value=1,
        max_value=600,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )

    def __init__(self, *args: Any, clinic: Clinic, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.clinic = clinic
        self.fields["practitioner"] = PractitionerField(
            clinic, required=False, label=_("Practitioner"), empty_label=_("Nobody yet")
        )
        self.fields["room"] = RoomField(clinic, required=False, label=_("Room"), empty_label=_("None"))

    def slot(self) -> dict[str, Any]:
        """Return the slot as the booking verbs take it."""
        on: date = self.cleaned_data["on"]
        at: time = self.cleaned_data["at"]
        starts_at: datetime = to_utc(on, at, ZoneInfo(self.clinic.time_zone))
        return {
            "starts_at": starts_at,
            "minutes": self.cleaned_data["minutes"],
            "practitioner": self.cleaned_data["practitioner"],
            "room": self.cleaned_data["room"],
        }


class MoveForm(SlotForm, SeenForm):
    """Where a booking is to go; `initial` is where it is now."""


class NextSlotForm(SlotForm):
    """A slot for one more session; the page posts back which days the course had booked when it was shown."""

    booked = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, booked: Sequence[date], today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._days = ", ".join(day(on, today) for on in booked)
        self.known = " ".join(on.isoformat() for on in booked) or "none"
        self.initial["booked"] = self.known

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("booked", "") not in ("", self.known):
            # Two who want to book the next session would book two; pressed again, that is meant.
            words = _(
                "Somebody has meanwhile changed what is booked: %(days)s. Still wanted? Book once more."
            )
            self.add_error(None, words % {"days": self._days or _("nothing now")})
            self.data = {**dict(self.data.items()), "booked": self.known}
        return cleaned


class ReplanForm(forms.Form):
    """How the rest is planned anew; lives in the address until it is applied."""

    policy = forms.ChoiceField(
        label=_("What was missed"),
        choices=[
            (PlanPolicy.SHIFT, _("Shift the rest")),
            (PlanPolicy.CATCH_UP, _("Catch up inside the windows")),
            (PlanPolicy.DROP, _("Drop what was missed")),
        ],
        widget=forms.RadioSelect,
        initial=PlanPolicy.SHIFT,
    )
    not_before_on = forms.DateField(
        label=_("Not before"), widget=DateInput(), required=False, validators=YEARS
    )
    digest = forms.CharField(widget=forms.HiddenInput, required=False)
