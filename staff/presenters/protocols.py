"""Protocols in words: what each prescribes, where it comes from, and how it changed; nothing here runs a query."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import get_language, gettext_lazy, ngettext, pgettext, pgettext_lazy
from django.utils.translation import gettext as _

from courses.models import ContraindicationStrength, Protocol, ProtocolContraindication
from courses.prescription_words import phase_words, prescription_words
from courses.services.protocol_versions import ProtocolDraft, changed_fields
from staff.prescribe_forms import PhaseForm
from staff.presenters.badges import Badge
from staff.presenters.phases import phase_kind_words
from staff.presenters.sessions import moment_words
from staff.protocol_forms import treatments_words

# Words of the audit log too, which tells what a change was about.
FIELD_WORDS: Final[Mapping[str, str | Promise]] = {
    "name_en": gettext_lazy("name"),
    "name_ru": gettext_lazy("name"),
    "phases": gettext_lazy("phases"),
    "minutes_by_session": gettext_lazy("minutes by session number"),
    "conditions": gettext_lazy("contraindications"),
    "summary_en": gettext_lazy("summary"),
    "summary_ru": gettext_lazy("summary"),
    "modality": gettext_lazy("kind of treatment"),
    "preparation_en": gettext_lazy("preparation"),
    "preparation_ru": gettext_lazy("preparation"),
    "same_day_order": gettext_lazy("order of treatments"),
}
# The library writes a protocol's kind in English; a clinic writes its own as it likes.
_MODALITIES: Final[Mapping[str, str | Promise]] = {
    "manual massage": gettext_lazy("manual massage"),
    "device massage": gettext_lazy("device massage"),
    "combined": pgettext_lazy("kind of treatment", "combined"),
}
_LANGUAGES: Final = {"en": gettext_lazy("English"), "ru": gettext_lazy("Russian")}


@dataclass(frozen=True, slots=True)
class ProtocolLine:
    """One protocol as a line of the settings; `running` counts courses of all its versions."""

    protocol: Protocol
    url: str
    name: str
    words: str
    origin: str
    modality: str
    running: int
    running_words: str
    running_url: str


def protocol_line(
    protocol: Protocol, draft: ProtocolDraft, *, is_shipped: bool, running: int
) -> ProtocolLine:
    return ProtocolLine(
        protocol=protocol,
        url=reverse("staff:protocol-detail", args=[protocol.code]),
        name=protocol.name_in(get_language() or "en"),
        words=capfirst(prescription_words(draft.phases)),
        origin=origin_words(protocol, is_shipped=is_shipped),
        modality=str(_MODALITIES.get(protocol.modality, protocol.modality)),
        running=running,
        running_words=ngettext("%(n)s course runs", "%(n)s courses run", running) % {"n": running}
        if running
        else _("no course runs"),
        running_url=f"{reverse('staff:course-list')}?{urlencode({'protocol': protocol.slug})}",
    )


def origin_words(protocol: Protocol, *, is_shipped: bool) -> str:
    """Return whose a protocol is: the library's, the library's as adapted here, or the clinic's own."""
    if not is_shipped:
        return pgettext("protocol", "own")
    return _("from the library") if protocol.version == 1 else _("from the library, adapted")


def state_badge(protocol: Protocol) -> Badge:
    if not protocol.is_current:
        return Badge(_("Earlier version"), "quiet", "history")
    if protocol.retired_at:
        return Badge(pgettext("protocol", "Retired"), "quiet", "ban")
    return Badge(pgettext("protocol", "In use"), "good", "check")


# ---------------------------------------------------------------- one protocol


@dataclass(frozen=True, slots=True)
class PhaseLine:
    kind: str
    words: str
    # What else holds, each with the label that its field has.
    finer: tuple[tuple[str | Promise, str], ...]


def phase_lines(draft: ProtocolDraft) -> list[PhaseLine]:
    labels = {name: field.label or name for name, field in PhaseForm.base_fields.items()}
    steps = draft.minutes_by_session or [()] * len(draft.phases)
    lines = []
    for phase, minutes in zip(draft.phases, steps, strict=True):
        finer = {
            "rest_days": str(phase.cadence.rest_days),
            "flex_days": str(phase.cadence.flex_days),
            "grace_days": str(phase.grace_days),
            "lapse_days": str(phase.lapse_days),
            "minutes_by_session": ", ".join(map(str, minutes)),
        }
        lines.append(
            PhaseLine(
                capfirst(phase_kind_words(phase.kind)),
                capfirst(phase_words(phase)),
                tuple((labels[name], value) for name, value in finer.items() if value),
            )
        )
    return lines


def condition_groups(conditions: Sequence[ProtocolContraindication]) -> list[tuple[str, str, list[str]]]:
    """Return each strength that occurs with what it means and its conditions' names, the gravest first."""
    language = get_language() or "en"
    meanings = {
        ContraindicationStrength.PERMANENT: (
            _("Rules the protocol out"),
            _("A prescriber can override it with a written reason."),
        ),
        ContraindicationStrength.TEMPORARY: (
            _("Pauses the course while it lasts"),
            _("Asked again whenever the client arrives."),
        ),
        ContraindicationStrength.CAUTION: (_("Calls for caution"), _("Shown when prescribing.")),
    }
    return [
        (title, meaning, names)
        for strength, (title, meaning) in meanings.items()
        if (names := [row.name_in(language) for row in conditions if row.strength == strength])
    ]


def language_texts(protocol: Protocol, name: str) -> list[tuple[str | Promise, str]]:
    """Return a text of a protocol by the name of its language, as far as it is written."""
    found = ((label, getattr(protocol, f"{name}_{code}")) for code, label in _LANGUAGES.items())
    return [(label, text) for label, text in found if text]


def order_words(protocol: Protocol) -> str:
    return treatments_words(protocol.same_day_order)


@dataclass(frozen=True, slots=True)
class VersionLine:
    number: int
    url: str
    at: str
    by: str
    words: str
    is_current: bool
    is_shown: bool


def version_lines(
    versions: Sequence[tuple[Protocol, ProtocolDraft]], shown: Protocol, *, today: date
) -> list[VersionLine]:
    """Return the versions, which come oldest first, latest first, each with what it changed."""
    lines, before = [], None
    for row, draft in versions:
        lines.append(
            VersionLine(
                row.version,
                reverse("staff:protocol-detail", args=[row.code]),
                moment_words(row.created_at, today=today),
                row.created_by.display_name if row.created_by else _("the system"),
                _changed_words(before, draft),
                row.is_current,
                row.pk == shown.pk,
            )
        )
        before = draft
    return lines[::-1]


def _changed_words(before: ProtocolDraft | None, after: ProtocolDraft) -> str:
    if before is None:
        return _("the first version")
    words = dict.fromkeys(str(FIELD_WORDS[name]) for name in changed_fields(before, after))
    return _("changed: %(what)s") % {"what": ", ".join(words)}
