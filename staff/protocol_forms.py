"""What is typed of a protocol: its names and texts, its phases as sentences, its contraindications line by line."""

import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from courses.models import ContraindicationStrength
from courses.services import ConditionDraft, ProtocolDraft
from courses.services.protocols import LONGEST_TEXT, MOST_CONDITIONS
from staff.forms import named
from staff.prescribe_forms import PhaseForm, minutes_of, phase_initial

_TEXTS: Final = (
    "name_en",
    "name_ru",
    "modality",
    "summary_en",
    "summary_ru",
    "preparation_en",
    "preparation_ru",
)


def _text(label: Any, help_text: Any = "", rows: int = 3) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=False,
        max_length=LONGEST_TEXT,
        help_text=help_text,
        widget=forms.Textarea(attrs={"rows": rows}),
    )


class ProtocolForm(forms.Form):
    """Names and texts of a protocol; whoever works in one language fills in that one."""

    name_en = forms.CharField(label=_("Name in English"), max_length=120, required=False)
    name_ru = forms.CharField(label=_("Name in Russian"), max_length=120, required=False)
    modality = forms.CharField(
        label=_("Kind of treatment"),
        max_length=60,
        required=False,
        help_text=_("For example manual massage."),
    )
    summary_en = _text(_("Summary in English"), _("For the staff."))
    summary_ru = _text(_("Summary in Russian"), _("For the staff."))
    preparation_en = _text(_("Preparation in English"), _("What the client does before a session."))
    preparation_ru = _text(_("Preparation in Russian"), _("What the client does before a session."))
    same_day_order = forms.CharField(
        label=_("Order of one day's treatments"),
        max_length=800,
        required=False,
        help_text=_("With commas between them; empty means any order."),
    )
    # The version that was looked at.
    known = forms.UUIDField(widget=forms.HiddenInput, required=False)

    def renew_known(self, code: uuid.UUID) -> None:
        """Look at the version in force around what was typed, so that saving again is meant."""
        self.data = {**dict(self.data.items()), "known": str(code)}


class ConditionForm(forms.Form):
    """One contraindication."""

    condition = forms.SlugField(max_length=80, required=False, widget=forms.HiddenInput)
    name_en = forms.CharField(label=_("Condition in English"), max_length=160, required=False)
    name_ru = forms.CharField(label=_("Condition in Russian"), max_length=160, required=False)
    strength = forms.ChoiceField(label=_("Strength"), choices=named(ContraindicationStrength.choices))


class KnownConditionForm(forms.Form):
    """The conditions that the clinic may name, and one that it does not know yet."""

    new_condition = forms.ChoiceField(label=_("Condition"), required=False)

    def __init__(self, *args: Any, known: Mapping[str, tuple[str, str]], used: Sequence[str], **kwargs: Any):
        super().__init__(*args, **kwargs)
        is_russian = get_language() == "ru"
        names = {word: (ru if is_russian else en) or en for word, (en, ru) in known.items()}
        choices = sorted(
            ((word, name) for word, name in names.items() if word not in used), key=lambda p: p[1]
        )
        self.fields["new_condition"].choices = [("", _("Another one")), *choices]  # type: ignore[attr-defined]


# ---------------------------------------------------------------- lines


def condition_count(data: Mapping[str, Any]) -> int:
    text = str(data.get("condition_count", ""))
    return min(int(text), MOST_CONDITIONS) if text.isdecimal() and len(text) < 5 else 0


def condition_forms(data: Mapping[str, Any]) -> list[ConditionForm]:
    """Return the contraindications that were posted, in order."""
    return [ConditionForm(data, prefix=f"conditions-{index}") for index in range(condition_count(data))]


def posted_conditions(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return each posted contraindication as it was typed, right or wrong."""
    return [
        {name: data.get(f"conditions-{index}-{name}", "") for name in ConditionForm.base_fields}
        for index in range(condition_count(data))
    ]


def unsent_condition_forms(values: Sequence[Mapping[str, Any]]) -> list[ConditionForm]:
    """Return contraindications to begin with, not yet checked."""
    return [
        ConditionForm(initial=dict(one), prefix=f"conditions-{index}")
        for index, one in enumerate(values[:MOST_CONDITIONS])
    ]


# ---------------------------------------------------------------- drafts


def treatments_words(treatments: Sequence[str]) -> str:
    """Return the order of a day's treatments as one line: "mechanical bed, massage"."""
    return ", ".join(treatment.replace("_", " ") for treatment in treatments)


def draft_initial(draft: ProtocolDraft) -> dict[str, Any]:
    """Return what the texts of a protocol start from."""
    texts = {name: getattr(draft, name) for name in _TEXTS}
    return texts | {"same_day_order": treatments_words(draft.same_day_order)}


def phases_initial(draft: ProtocolDraft) -> list[dict[str, Any]]:
    steps = draft.minutes_by_session or [()] * len(draft.phases)
    return list(map(phase_initial, draft.phases, steps))


def conditions_initial(draft: ProtocolDraft) -> list[dict[str, Any]]:
    return [{name: getattr(one, name) for name in ConditionForm.base_fields} for one in draft.conditions]


def typed_draft(
    form: ProtocolForm, phases: Sequence[PhaseForm], conditions: Sequence[ConditionForm]
) -> ProtocolDraft:
    """Return the protocol that valid forms describe."""
    values = form.cleaned_data
    return ProtocolDraft(
        phases=tuple(phase.spec() for phase in phases),
        minutes_by_session=minutes_of(phases),
        conditions=tuple(ConditionDraft(**condition.cleaned_data) for condition in conditions),
        same_day_order=tuple(re.split(r"[,;\n]", values["same_day_order"])),
        **{name: values[name] for name in _TEXTS},
    )
