"""What staff say about a file: of what, in which form, and whether it is to come again."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import time
from typing import Any, Final

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from clients.models import Channel
from clinics.models import StaffMember, Weekday
from courses.models import Cause, FlagKind, SessionStatus, Severity
from courses.selectors import COURSE_ORDERS
from exports.columns import Table
from exports.core.choice import FHIR, Choice
from exports.making import is_entitled
from exports.models import Frequency
from reminders.models import Trigger
from staff.forms import COURSE_VIEWS, YEARS, DateInput, PractitionerField, ProtocolField, TimeInput, named
from staff.message_forms import GROUPS
from staff.presenters.exports import FORMAT_WORDS

PLAIN: Final = "plain"
ANONYMOUS: Final = "anonymous"
_SHOWN: Final[dict[str, Any]] = {
    "courses": COURSE_VIEWS,
    "findings": [
        ("all", _("All that ever were")),
        ("", _("Open")),
        ("new", _("Open and not acknowledged")),
        ("snoozed", _("Put off")),
    ],
    "messages": [("", _("All")), *GROUPS],
}


def _choice(label: Any, choices: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, required=False, choices=lambda: named(choices, _("Any")))


# By the names that the lists' own addresses use, so that a link from a list narrows the file alike.
_FILTERS: Final[Mapping[str, Callable[[Table, StaffMember], forms.Field]]] = {
    "show": lambda table, _m: forms.ChoiceField(
        label=_("Which ones"), required=False, choices=_SHOWN[table.name]
    ),
    "status": lambda _t, _m: _choice(_("Status"), SessionStatus.choices),
    "severity": lambda _t, _m: _choice(_("Severity"), list(reversed(Severity.choices))),
    "kind": lambda _t, _m: _choice(_("Finding"), FlagKind.choices),
    "cause": lambda _t, _m: _choice(_("Cause"), Cause.choices),
    "channel": lambda _t, _m: _choice(_("Channel"), Channel.choices),
    "trigger": lambda _t, _m: _choice(_("Message"), Trigger.choices),
    "protocol": lambda _t, member: ProtocolField(
        member.clinic, required=False, label=_("Protocol"), empty_label=_("Any")
    ),
    "practitioner": lambda _t, member: PractitionerField(
        member.clinic, required=False, label=_("Practitioner"), empty_label=_("Anybody")
    ),
    "q": lambda _t, _m: forms.CharField(
        label=_("Client"),
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    ),
    "order": lambda _t, _m: forms.ChoiceField(
        required=False,
        choices=[(sign + name, name) for name in COURSE_ORDERS for sign in ("", "-")],
        widget=forms.HiddenInput,
    ),
}


class ExportForm(forms.Form):
    """One table: its filters, then the form of the file."""

    file_format = forms.ChoiceField(label=_("Format"), widget=forms.RadioSelect)
    variant = forms.ChoiceField(label=_("Who is in it"), widget=forms.RadioSelect)
    columns = forms.MultipleChoiceField(
        label=_("Columns"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one column.")},
    )

    def __init__(self, *args: Any, table: Table, member: StaffMember, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.table = table
        for name in table.filters:
            if name == "period":
                self.fields["from_on"] = self._day(_("From day"))
                self.fields["to_on"] = self._day(_("To day"))
            else:
                self.fields[name] = _FILTERS[name](table, member)
        formats = [(name, FORMAT_WORDS[name]) for name in table.formats]
        self.fields["file_format"].choices = formats  # type: ignore[attr-defined]
        named_variant = [(PLAIN, _("With names"))]
        if table.has_anonymous:
            named_variant.append((ANONYMOUS, _("Anonymised, with pseudonyms")))
        self.fields["variant"].choices = named_variant  # type: ignore[attr-defined]
        columns = [(column.name, column.title) for column in table.columns]
        self.fields["columns"].choices = columns  # type: ignore[attr-defined]
        self.initial = {
            "file_format": "semicolon" if get_language() == "ru" else "csv",
            "variant": PLAIN,
            "columns": [name for name, _title in columns],
            **(self.initial or {}),
        }

    def _day(self, label: Any) -> forms.DateField:
        return forms.DateField(label=label, required=False, widget=DateInput(), validators=YEARS)

    def narrowing(self) -> list[forms.BoundField]:
        """Return the fields that say which rows: the days side by side, then the others in the table's order."""
        parts = sorted(self.table.filters, key=lambda part: part != "period")
        return [self[name] for part in parts for name in _names(part)]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        first, last = cleaned.get("from_on"), cleaned.get("to_on")
        if first and last and first > last:
            self.add_error("to_on", _("The last day is before the first."))
        return cleaned

    def choice(self) -> Choice:
        """Return what a valid form asks for."""
        chosen = self.cleaned_data
        is_anonymous = chosen["variant"] == ANONYMOUS
        filters = {
            name: str(getattr(value, _KEYS[name])) if name in _KEYS else str(value)
            for name in self.table.filters
            if name not in ("period", "q") and (value := chosen.get(name))
        }
        wanted = Choice(
            table=self.table.name,
            file_format=chosen["file_format"],
            is_anonymous=is_anonymous,
            columns=tuple(chosen["columns"]),
            from_on=chosen.get("from_on"),
            to_on=chosen.get("to_on"),
            filters=filters,
            search=chosen.get("q", ""),
            language=get_language() or "en",
        )
        if len(wanted.columns) == len(self.table.columns) or wanted.file_format == FHIR:
            # All of them, those too that the table gets later; a bundle is whole.
            return replace(wanted, columns=())
        return wanted


_KEYS: Final = {"protocol": "slug", "practitioner": "code"}


def _names(part: str) -> tuple[str, ...]:
    return ("from_on", "to_on") if part == "period" else (part,)


def read_address(data: Mapping[str, Any], form: ExportForm) -> dict[str, Any]:
    """Return what an address says of a form's fields, as far as each can be understood: where it starts from."""
    found: dict[str, Any] = {}
    for name, field in form.fields.items():
        if name in ("columns", "variant", "file_format") or not data.get(name):
            continue
        try:
            field.clean(data[name])
        except forms.ValidationError:
            continue
        found[name] = data[name]
    return found


class ScheduleForm(forms.Form):
    """How often a file is to come, when, and to whom."""

    frequency = forms.ChoiceField(
        label=_("How often"), choices=lambda: named(Frequency.choices), initial=Frequency.WEEKLY
    )
    weekday = forms.TypedChoiceField(
        label=_("Weekday"),
        help_text=_("For what comes every week."),
        choices=lambda: named(Weekday.choices),
        coerce=int,
        initial=Weekday.MONDAY,
    )
    at_time = forms.TimeField(label=_("At"), widget=TimeInput(), initial=time(7))

    def __init__(
        self, *args: Any, table: Table, member: StaffMember, may_manage: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        members = StaffMember.objects.for_clinic(member.clinic).filter(is_active=True).select_related("user")
        entitled = [one.pk for one in members if is_entitled(one, table)] if may_manage else [member.pk]
        self.fields["member"] = forms.ModelChoiceField(
            members.filter(pk__in=entitled),
            to_field_name="code",
            label=_("Link by e-mail to"),
            initial=member,
            empty_label=None,
        )
