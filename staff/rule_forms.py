"""What owners type about rules: times, channels, words; and how the clinic writes to its clients."""

from collections.abc import Mapping
from datetime import time
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from clients.models import Channel
from clinics.models import Clinic, Language
from reminders.models import ReminderRule, Trigger
from reminders.texts import check_text, shipped_text
from staff.forms import TimeInput, named
from staff.overtaken import SeenForm

MINUTES: Final = {"minutes": 1, "hours": 60, "days": 24 * 60}
UNITS = [("minutes", _("minutes")), ("hours", _("hours")), ("days", _("days"))]
TEXT_PARTS: Final = ("subject", "body", "short")
_LONGEST: Final = {"subject": 200, "body": 4000, "short": 200}
_BEFORE: Final = (Trigger.BEFORE_SESSION, Trigger.PREPARATION)
_BOOKING: Final = (Trigger.BOOK_NEXT, Trigger.MAINTENANCE_DUE)

# Which of the form's fields a message of each kind has, beside channels and texts.
_FIELDS: Final[dict[str, tuple[str, ...]]] = {
    Trigger.BEFORE_SESSION: ("lead", "at_time", "useful", "is_first_only", "skips_confirmed"),
    Trigger.PREPARATION: ("lead", "at_time", "useful", "is_first_only", "skips_confirmed"),
    Trigger.MISSED_SESSION: ("wait_minutes", "useful"),
    Trigger.AFTER_SESSION: ("wait_minutes", "is_first_only", "useful"),
    Trigger.OVERDUE: ("at_time", "repeat_days", "cap_count", "useful"),
    Trigger.BOOK_NEXT: ("lead_days", "at_time", "wait_minutes"),
    Trigger.MAINTENANCE_DUE: ("lead_days", "at_time", "wait_minutes"),
    Trigger.SCHEDULE: ("wait_minutes", "useful"),
    Trigger.CHANGE: ("wait_minutes", "useful"),
    Trigger.EARLIER_SLOT: ("useful",),
    Trigger.ACCESS_CODE: (),
    Trigger.COURSE_COMPLETED: ("wait_minutes", "useful"),
    Trigger.STAFF_DIGEST: ("at_time", "useful"),
}


def split_minutes(minutes: int) -> tuple[int, str]:
    """Return a span in its largest whole unit, for example 120 minutes as 2 hours."""
    unit = next(name for name in ("days", "hours", "minutes") if minutes % MINUTES[name] == 0)
    return minutes // MINUTES[unit], unit


def _number(label: Any, *, least: int, most: int, required: bool = True, help_text: Any = "") -> forms.Field:
    return forms.IntegerField(
        label=label,
        min_value=least,
        max_value=most,
        required=required,
        help_text=help_text,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )


def _timing_fields(trigger: str) -> dict[str, forms.Field]:
    """Return every field that a rule's times may have, by name."""
    is_before = trigger in _BEFORE
    return {
        "lead_amount": _number(_("How long before the session"), least=1, most=10_080),
        "lead_unit": forms.ChoiceField(label=_("Unit of the time before"), choices=UNITS),
        "lead_days": _number(
            _("Days before the next window begins"),
            least=0,
            most=60,
            required=False,
            help_text=_("Blank: as many days as the clinic books ahead."),
        ),
        "at_time": forms.TimeField(
            label=_("At what time"),
            widget=TimeInput(),
            required=trigger == Trigger.STAFF_DIGEST,
            help_text=_("The clinic's time. Blank: the time of the session; only for days before.")
            if is_before
            else _("The clinic's time."),
        ),
        "wait_minutes": _number(
            _("Wait so many minutes first"),
            least=0,
            most=10_080,
            help_text=_("What changes meanwhile joins the same message."),
        ),
        "useful_amount": _number(
            _("Of use for"),
            least=1,
            most=10_080,
            help_text=_("What could not go out by then, after an outage for example, is not sent at all."),
        ),
        "useful_unit": forms.ChoiceField(label=_("Unit of the time of use"), choices=UNITS),
        "repeat_days": _number(_("Repeat after so many days"), least=0, most=60),
        "cap_count": _number(
            _("At most so many times"), least=1, most=10, help_text=_("The first message counts.")
        ),
        "is_first_only": forms.BooleanField(
            label=_("Only before the first session") if is_before else _("Only after the first session"),
            required=False,
        ),
        "skips_confirmed": forms.BooleanField(
            label=_("Not to those who have already confirmed"), required=False
        ),
    }


class RuleForm(SeenForm):
    """One rule; refusals of the service name its own fields, which stand here under other names."""

    refused_as = {
        "lead_minutes": "lead_amount",
        "useful_minutes": "useful_amount",
        "channels": "channel_1",
        "texts": "subject_en",
    }

    def __init__(self, *args: Any, rule: ReminderRule, **kwargs: Any) -> None:
        self.rule = rule
        super().__init__(*args, **kwargs)
        wanted = _FIELDS[rule.trigger]
        for name, field in _timing_fields(rule.trigger).items():
            if name in wanted or name.removesuffix("_amount").removesuffix("_unit") in wanted:
                self.fields[name] = field
        self._add_channels()
        for language in Language.values:
            for part in TEXT_PARTS:
                self.fields[f"{part}_{language}"] = _text_field(part)
        self.initial = {**rule_initial(rule), **(self.initial or {})}
        if rule.trigger in _BEFORE:
            self.refused_as = {**self.refused_as, "lead_days": "lead_amount"}

    def _add_channels(self) -> None:
        is_digest = self.rule.trigger == Trigger.STAFF_DIGEST
        choices = [choice for choice in Channel.choices if not is_digest or choice[0] == Channel.EMAIL]
        number = min(len(choices), max(3, len(self.rule.channels) + 1))
        for place in range(1, number + 1):
            self.fields[f"channel_{place}"] = forms.ChoiceField(
                label=_("First") if place == 1 else _("Else"),
                choices=named(choices, None if place == 1 else _("nothing more")),
                required=place == 1,
            )

    @property
    def channel_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith("channel_")]

    @property
    def timing_names(self) -> list[str]:
        return [name for name in _timing_fields(self.rule.trigger) if name in self.fields]

    def texts_of(self, language: str) -> list[forms.BoundField]:
        return [self[f"{part}_{language}"] for part in TEXT_PARTS]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        # Kept apart: what is wrong leaves the cleaned data, and is to be looked at all the same.
        self.typed = self._read_texts()
        channels = [cleaned.get(field.name) for field in self.channel_fields]
        chosen = [channel for channel in channels if channel]
        if len(set(chosen)) != len(chosen):
            self.add_error("channel_2", _("Choose each channel at most once."))
        if cleaned.get("cap_count", 1) > 1 and not cleaned.get("repeat_days", 1):
            self.add_error("repeat_days", _("To send it several times, say after how many days."))
        if cleaned.get("at_time") and cleaned.get("lead_unit") in ("minutes", "hours"):
            self.add_error(
                "at_time", _("A time of the day goes with days before, not with hours or minutes.")
            )
        for name, text in self.typed.items():
            problems = check_text(text)
            if name.startswith("subject") and "\n" in text:
                problems.append(str(_("A subject is a single line.")))
            if problems and name not in self.errors:
                self.add_error(name, problems)
        return cleaned

    def _read_texts(self) -> dict[str, str]:
        """Return the texts with one kind of line end, by field."""
        return {
            f"{part}_{language}": _plain_lines(str(self.cleaned_data.get(f"{part}_{language}") or ""))
            for language in Language.values
            for part in TEXT_PARTS
        }

    def own_texts(self) -> dict[str, dict[str, str]]:
        """Return the clinic's own words by language; what is as shipped, or left blank, is left out."""
        typed, own = self.typed, {}
        for language in Language.values:
            shipped = shipped_text(self.rule.trigger, language)
            parts = {
                part: typed[f"{part}_{language}"]
                for part in TEXT_PARTS
                if typed[f"{part}_{language}"] not in ("", _plain_lines(getattr(shipped, part)))
            }
            if parts:
                own[language] = parts
        return own

    def values(self) -> dict[str, Any]:
        """Return the rule's fields as the form says them."""
        cleaned = self.cleaned_data
        values: dict[str, Any] = {
            name: cleaned[name]
            for name in ("lead_days", "at_time", "wait_minutes", "repeat_days", "cap_count")
            if name in self.fields
        }
        values |= {
            name: cleaned[name] for name in ("is_first_only", "skips_confirmed") if name in self.fields
        }
        if "lead_amount" in self.fields:
            amount, unit = cleaned["lead_amount"], cleaned["lead_unit"]
            is_days = unit == "days"
            values["lead_days"] = amount if is_days else None
            values["lead_minutes"] = None if is_days else amount * MINUTES[unit]
        if "useful_amount" in self.fields:
            values["useful_minutes"] = cleaned["useful_amount"] * MINUTES[cleaned["useful_unit"]]
        channels = [cleaned[field.name] for field in self.channel_fields]
        return values | {"channels": [name for name in channels if name], "texts": self.own_texts()}


def _text_field(part: str) -> forms.CharField:
    labels = {"subject": _("Subject"), "body": _("E-mail"), "short": _("SMS and messengers")}
    widget = (
        forms.TextInput()
        if part == "subject"
        else forms.Textarea(attrs={"rows": 14 if part == "body" else 3})
    )
    widget.attrs |= {"data-text": "", "spellcheck": "true"}
    return forms.CharField(
        label=labels[part], max_length=_LONGEST[part], required=False, widget=widget, strip=False
    )


def _plain_lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def rule_initial(rule: ReminderRule) -> dict[str, Any]:
    """Return what the form of a rule starts from: its times, its channels, and the words that go out now."""
    values: dict[str, Any] = {
        name: getattr(rule, name)
        for name in (
            "lead_days", "at_time", "wait_minutes", "repeat_days", "cap_count", "is_first_only", "skips_confirmed",
        )
    }  # fmt: skip
    values["useful_amount"], values["useful_unit"] = split_minutes(rule.useful_minutes)
    if rule.lead_minutes is not None:
        values["lead_amount"], values["lead_unit"] = split_minutes(rule.lead_minutes)
        if values["lead_unit"] == "days":
            # Whole days keep the wall time, minutes do not: what was meant in minutes stays so.
            values["lead_amount"], values["lead_unit"] = values["lead_amount"] * 24, "hours"
    else:
        values["lead_amount"], values["lead_unit"] = rule.lead_days, "days"
    values |= {f"channel_{place}": channel for place, channel in enumerate(rule.channels, start=1)}
    for language in Language.values:
        shipped, own = shipped_text(rule.trigger, language), rule.texts.get(language, {})
        values |= {f"{part}_{language}": own.get(part) or getattr(shipped, part) for part in TEXT_PARTS}
    return values


def version_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a kept version as change_rule() takes them; whether it was on is left as it is now."""
    found = {name: value for name, value in values.items() if name != "is_active"}
    if found.get("at_time"):
        found["at_time"] = time.fromisoformat(found["at_time"])
    return found


class PreviewForm(forms.Form):
    """Which form of a message is looked at."""

    language = forms.ChoiceField(label=_("Language"), choices=Language.choices, required=False)
    channel = forms.ChoiceField(label=_("Channel"), choices=Channel.choices, required=False)


class TestMessageForm(forms.Form):
    """A message to oneself; e-mail goes to the address one signs in with."""

    __test__ = False

    language = forms.ChoiceField(label=_("Language"), choices=Language.choices)
    channel = forms.ChoiceField(label=_("Channel"))
    address = forms.CharField(
        label=_("Your number there"),
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("Not for e-mail: that goes to the address you sign in with."),
    )

    def __init__(self, *args: Any, channels: frozenset[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["channel"].choices = named(  # type: ignore[attr-defined]
            choice for choice in Channel.choices if choice[0] in channels and choice[0] != Channel.WEBHOOK
        )


class MessageSettingsForm(SeenForm):
    """How a clinic writes to its clients."""

    sender_name = forms.CharField(
        label=_("Name of the sender"),
        max_length=80,
        required=False,
        help_text=_("What stands as the sender of an e-mail. Blank: the clinic's name."),
    )
    reply_to_email = forms.EmailField(
        label=_("Answers go to"),
        required=False,
        help_text=_("Where an answer to an e-mail arrives. Blank: nowhere, the sender takes none."),
    )
    quiet_from_time = forms.TimeField(
        label=_("Quiet from"),
        widget=TimeInput(),
        help_text=_("From then on nothing goes out: what is before a session goes earlier, all else later."),
    )
    quiet_to_time = forms.TimeField(
        label=_("Quiet until"),
        widget=TimeInput(),
        help_text=_("In the client's own time zone. Twice the same time: no quiet hours."),
    )
    daily_message_cap = forms.IntegerField(
        label=_("At most so many messages a day"),
        min_value=1,
        max_value=20,
        help_text=_("To one client, on all channels together. What is above it is not sent, and says so."),
    )
    shows_treatment_in_messages = forms.BooleanField(
        label=_("Messages may name the treatment"),
        required=False,
        help_text=_(
            "Then they tell which session of how many it is and how to prepare. Off, a message names day, time "
            "and place only: others may read it."
        ),
    )
    reminder_holdout_percent = forms.IntegerField(
        label=_("Sessions without a reminder, in %"),
        min_value=0,
        max_value=50,
        help_text=_("0: every session gets its reminders. 5 to 10 are enough for a clinic of some size."),
    )

    def __init__(self, *args: Any, clinic: Clinic, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {**{name: getattr(clinic, name) for name in self.fields}, **(self.initial or {})}
