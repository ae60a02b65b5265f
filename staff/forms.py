"""What staff type: fields and their checks; whether it may be done is for the services to say."""

from collections.abc import Collection, Iterator
from datetime import date, timedelta
from typing import Any, ClassVar, Final

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import QuerySet
from django.forms.models import ModelChoiceIterator
from django.utils.text import capfirst
from django.utils.translation import get_language, get_language_info
from django.utils.translation import gettext_lazy as _

from clients.models import Channel, Client
from clinics.dates import date_orders, reading_dates
from clinics.models import Clinic, Language, StaffMember, Weekday
from courses.models import (
    CallOutcome,
    Cause,
    FlagKind,
    PauseReason,
    Protocol,
    ProtocolContraindication,
    Reaction,
    Severity,
)
from courses.selectors import COURSE_ORDERS, treating_members
from staff.overtaken import SeenForm
from staff.templatetags.interface import day

# A mistyped year has no week before or after it that a date could hold.
YEARS: Final = (
    MinValueValidator(date(2000, 1, 1)),
    MaxValueValidator(date(2100, 12, 31)),
)


class DateInput(forms.DateInput):
    """The browser's own date field, which shows and reads the reader's order."""

    input_type = "date"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="%Y-%m-%d", **kwargs)


class TimeInput(forms.TimeInput):
    input_type = "time"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="%H:%M", **kwargs)


def named(choices: Any, empty: Any = None) -> list[tuple[str, Any]]:
    """Return choices with their names starting with a capital, and an empty one in front if it is named."""
    front = [] if empty is None else [("", empty)]
    return [*front, *((value, capfirst(label)) for value, label in choices)]


class _AtOnce(ModelChoiceIterator):  # type: ignore[type-arg]
    """Choices read in one go: a cursor in the database, as for thousands of them, is two more round trips."""

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        if self.field.empty_label is not None:
            yield "", self.field.empty_label
        yield from map(self.choice, self.queryset.all())


class PractitionerField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A treating member of the clinic, chosen by code."""

    iterator = _AtOnce

    def __init__(self, clinic: Clinic, **kwargs: Any) -> None:
        super().__init__(treating_members(clinic), to_field_name="code", **kwargs)


class ProtocolField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A current protocol of the clinic, chosen by slug and named in the reader's language."""

    iterator = _AtOnce

    def __init__(self, clinic: Clinic, **kwargs: Any) -> None:
        current = Protocol.objects.for_clinic(clinic).filter(is_current=True)
        super().__init__(current, to_field_name="slug", **kwargs)

    def label_from_instance(self, protocol: Protocol) -> str:
        return protocol.name_in(get_language() or "en")


class MembershipField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """One of a user's memberships, named by clinic and role."""

    def label_from_instance(self, member: StaffMember) -> str:
        return f"{member.clinic.name} ({member.get_role_display()})"


# ---------------------------------------------------------------- every page


class SearchForm(forms.Form):
    """What is looked for anywhere; it is posted, because names do not belong in addresses."""

    q = forms.CharField(required=False, max_length=100)


# ---------------------------------------------------------------- Today

_PAIN = [("", "–"), *((str(score), str(score)) for score in range(11))]


class DayForm(forms.Form):
    """Which day, and whose."""

    on = forms.DateField(required=False, widget=DateInput())

    def __init__(self, *args: Any, clinic: Clinic, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["practitioner"] = PractitionerField(clinic, required=False)


class AttendanceForm(forms.Form):
    minutes = forms.IntegerField(
        label=_("Length in minutes"),
        min_value=1,
        max_value=600,
        required=False,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    reaction = forms.ChoiceField(
        label=_("Reaction"), choices=named(Reaction.choices), initial=Reaction.NONE, widget=forms.RadioSelect
    )
    pain_before = forms.TypedChoiceField(
        label=_("Pain before"), choices=_PAIN, coerce=int, empty_value=None, required=False
    )
    pain_after = forms.TypedChoiceField(
        label=_("Pain after"), choices=_PAIN, coerce=int, empty_value=None, required=False
    )
    note = forms.CharField(
        label=_("Note"),
        max_length=2000,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class ScreeningForm(forms.Form):
    """What the client answered at arrival: which conditions hold, and until when."""

    conditions = forms.MultipleChoiceField(
        label=_("Does any of these hold today?"), widget=forms.CheckboxSelectMultiple, required=False
    )
    to_on = forms.DateField(label=_("Until about"), widget=DateInput(), required=False)

    def __init__(self, *args: Any, asked: list[ProtocolContraindication], today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        language = get_language() or "en"
        self.fields["conditions"].choices = [(item.condition, item.name_in(language)) for item in asked]  # type: ignore[attr-defined]
        self.fields["to_on"].widget.attrs["min"] = today.isoformat()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("conditions") and not cleaned.get("to_on") and "to_on" not in self.errors:
            self.add_error("to_on", _("Give the day until which it will probably hold."))
        return cleaned


class PauseForm(forms.Form):
    reason = forms.ChoiceField(
        label=_("Reason"), choices=named(PauseReason.choices), widget=forms.RadioSelect
    )
    to_on = forms.DateField(label=_("Pause until, that day included"), widget=DateInput())

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to_on"].widget.attrs["min"] = today.isoformat()


# ---------------------------------------------------------------- Needs attention


class AttentionFilterForm(forms.Form):
    """The worklist's filters; they live in the address."""

    show = forms.ChoiceField(
        label=_("Show"),
        required=False,
        choices=[("", _("Open")), ("new", _("Not acknowledged")), ("snoozed", _("Put off"))],
    )
    severity = forms.ChoiceField(
        label=_("Severity"), required=False, choices=lambda: named(reversed(Severity.choices), _("Any"))
    )
    kind = forms.ChoiceField(
        label=_("Finding"), required=False, choices=lambda: named(FlagKind.choices, _("Any"))
    )
    cause = forms.ChoiceField(
        label=_("Cause"), required=False, choices=lambda: named(Cause.choices, _("Any"))
    )

    def __init__(self, *args: Any, clinic: Clinic, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["practitioner"] = PractitionerField(
            clinic, required=False, label=_("Practitioner"), empty_label=_("Anybody")
        )


class AcknowledgeForm(forms.Form):
    note = forms.CharField(label=_("Note"), max_length=400, required=False)


class SnoozeForm(forms.Form):
    until_on = forms.DateField(label=_("Put off until"), widget=DateInput())
    note = forms.CharField(label=_("Why"), max_length=400, required=False)

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["until_on"].widget.attrs["min"] = (today + timedelta(days=1)).isoformat()
        self.fields["until_on"].initial = today + timedelta(days=3)


class SelectedFlagsForm(forms.Form):
    """What is done about several findings at once; each is named with what the reader saw of it."""

    action = forms.ChoiceField(
        choices=[("acknowledge", ""), ("snooze", ""), ("message", "")], widget=forms.HiddenInput
    )
    until_on = forms.DateField(label=_("Until"), widget=DateInput(), required=False)

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        self.fields["until_on"].widget.attrs["min"] = (today + timedelta(days=1)).isoformat()
        self.fields["until_on"].initial = today + timedelta(days=3)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        until_on = cleaned.get("until_on")
        if cleaned.get("action") == "snooze" and "until_on" not in self.errors:
            if until_on is None:
                self.add_error("until_on", _("Give the day until which it is put off."))
            elif until_on <= self.today:
                self.add_error("until_on", _("Choose a day after today."))
        return cleaned


class CallForm(forms.Form):
    outcome = forms.ChoiceField(
        label=_("How did the call end?"), choices=named(CallOutcome.choices), widget=forms.RadioSelect
    )
    next_on = forms.DateField(label=_("Ask again on"), widget=DateInput(), required=False)
    note = forms.CharField(label=_("Note"), max_length=400, required=False)

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["next_on"].widget.attrs["min"] = (today + timedelta(days=1)).isoformat()


# ---------------------------------------------------------------- Courses

COURSE_VIEWS = [
    ("", _("Running")),
    ("attention", _("With findings")),
    ("due", _("Due")),
    ("late", _("Late")),
    ("overdue", _("Overdue")),
    ("lapsed", _("Lapsed")),
    ("paused", _("Paused")),
    ("completed", _("Completed")),
    ("discontinued", _("Discontinued")),
    ("all", _("All")),
]


class CourseFilterForm(forms.Form):
    """The course list's search, filters and order; they live in the address."""

    q = forms.CharField(label=_("Client"), required=False, max_length=100)
    show = forms.ChoiceField(label=_("State"), required=False, choices=COURSE_VIEWS)
    order = forms.ChoiceField(
        required=False, choices=[(sign + name, name) for name in COURSE_ORDERS for sign in ("", "-")]
    )

    def __init__(self, *args: Any, clinic: Clinic, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["protocol"] = ProtocolField(
            clinic, required=False, label=_("Protocol"), empty_label=_("Any")
        )
        self.fields["practitioner"] = PractitionerField(
            clinic, required=False, label=_("Practitioner"), empty_label=_("Anybody")
        )


# ---------------------------------------------------------------- Clients


class ClientSearchForm(forms.Form):
    q = forms.CharField(label=_("Name, e-mail or telephone"), required=False, max_length=100)


_ADDRESS_FIELDS: Final[dict[str, str]] = {
    Channel.EMAIL: "email",
    Channel.SMS: "phone",
    Channel.TELEGRAM: "telegram",
    Channel.WHATSAPP: "whatsapp",
}


class ClientForm(SeenForm):
    """A client with contacts, consents and preferences."""

    given_name = forms.CharField(label=_("Given name"), max_length=120)
    family_name = forms.CharField(label=_("Family name"), max_length=120, required=False)
    birth_on = forms.DateField(label=_("Born"), widget=DateInput(), required=False)
    language = forms.ChoiceField(
        label=_("Language"),
        choices=Language.choices,
        help_text=_("Messages to the client are in this language."),
    )
    email = forms.CharField(
        label=_("E-mail"),
        max_length=254,
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    phone = forms.CharField(
        label=_("Telephone"),
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}),
    )
    telegram = forms.CharField(
        label="Telegram",
        max_length=40,
        required=False,
        help_text=_("The number of the client's chat with the clinic's bot."),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    whatsapp = forms.CharField(
        label="WhatsApp",
        max_length=40,
        required=False,
        help_text=_("Empty means the telephone."),
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}),
    )
    allowed = forms.MultipleChoiceField(
        label=_("Allows messages by"),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("Only what the client agreed to; each change is kept with its date."),
    )
    prefers_weekdays = forms.TypedMultipleChoiceField(
        label=_("Preferred weekdays"),
        choices=Weekday.choices,
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    prefers_from_time = forms.TimeField(label=_("From"), widget=TimeInput(), required=False)
    prefers_to_time = forms.TimeField(label=_("To"), widget=TimeInput(), required=False)
    health_notes = forms.CharField(
        label=_("Health notes"), required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, clinic: Clinic, channels: Collection[str], **kwargs: Any) -> None:
        """Ask about e-mail, telephone and those of the other channels that are named."""
        super().__init__(*args, **kwargs)
        self.asked = frozenset({Channel.EMAIL.value, Channel.SMS.value, *channels})
        for channel in (Channel.TELEGRAM, Channel.WHATSAPP):
            if channel not in self.asked:
                del self.fields[_ADDRESS_FIELDS[channel]]
        self.fields["allowed"].choices = named(  # type: ignore[attr-defined]
            choice for choice in Channel.choices if choice[0] in self.asked
        )
        self.fields["prefers_practitioner"] = PractitionerField(
            clinic, required=False, label=_("Preferred practitioner"), empty_label=_("Anybody")
        )

    def address_fields(self) -> list[forms.BoundField]:
        """Return the fields of the addresses that are asked for, in order."""
        return [self[name] for name in _ADDRESS_FIELDS.values() if name in self.fields]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if Channel.WHATSAPP in cleaned.get("allowed", ()) and not cleaned.get("whatsapp"):
            cleaned["whatsapp"] = cleaned.get("phone", "")
        starts, ends = cleaned.get("prefers_from_time"), cleaned.get("prefers_to_time")
        if starts and ends and starts > ends:
            self.add_error("prefers_to_time", _("The preferred time ends before it begins."))
        for channel, field in _ADDRESS_FIELDS.items():
            if channel in cleaned.get("allowed", ()) and not cleaned.get(field) and field not in self.errors:
                self.add_error(field, _("Messages are allowed on this channel, so its address is needed."))
        return cleaned


def client_initial(client: Client) -> dict[str, Any]:
    """Return what the form of an existing client starts from; contact points and consents must be loaded."""
    values = {name: getattr(client, name) for name in ClientForm.base_fields if hasattr(client, name)}
    # The first of each channel, which is the one that is written to.
    addresses = {point.channel: point.value for point in reversed(client.contact_points.all())}
    practitioner = client.prefers_practitioner
    return values | {
        **{field: addresses.get(channel, "") for channel, field in _ADDRESS_FIELDS.items()},
        "allowed": [consent.channel for consent in client.consents.all() if consent.withdrawn_at is None],
        "prefers_practitioner": practitioner.code if practitioner else None,
    }


# ---------------------------------------------------------------- own settings


class LanguageForm(forms.Form):
    """The language of the pages; each is named in itself, for whoever cannot read the present one."""

    language = forms.ChoiceField(
        label=_("Language of the pages"),
        choices=[(code, get_language_info(code)["name_local"]) for code in Language.values],
        widget=forms.RadioSelect,
    )


class DateOrderForm(forms.Form):
    """How dates are written, each way shown by an example."""

    # A button needs a value, so that of the language has one too.
    OWN: ClassVar = "own"

    date_order = forms.ChoiceField(label=_("How dates are written"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        shown = []
        for order in date_orders(get_language() or "en"):
            with reading_dates(order):
                shown.append((order or self.OWN, day(today, today)))
        self.fields["date_order"].choices = shown  # type: ignore[attr-defined]

    def order(self) -> str:
        """Return the order chosen; nothing for the language's own, and for what cannot be read."""
        said: str = self.cleaned_data["date_order"] if self.is_valid() else self.OWN
        return "" if said == self.OWN else said


class WorkplaceForm(forms.Form):
    member = MembershipField(
        StaffMember.objects.none(),
        to_field_name="code",
        label=_("Clinic you work in now"),
        widget=forms.RadioSelect,
        empty_label=None,
    )

    def __init__(self, *args: Any, members: QuerySet[StaffMember], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["member"].queryset = members  # type: ignore[attr-defined]
