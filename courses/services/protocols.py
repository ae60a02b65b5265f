"""Protocols of a clinic: making them, changing them by new versions, taking them out of use and back."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.utils.text import slugify
from django.utils.translation import gettext as _

from audit.services import Actor, record
from clinics.models import Clinic
from clinics.services import check_printable, lock_clinic
from courses.errors import CourseError
from courses.models import ContraindicationStrength, Protocol, ProtocolContraindication
from courses.services.changes import fitting_text, refuse, require_prescriber, transacting
from courses.services.library import library_conditions, read_library
from courses.services.protocol_versions import (
    ConditionDraft,
    ProtocolDraft,
    changed_fields,
    draft_of,
    write_version,
)
from courses.validators import check_minutes, check_phases

MOST_CONDITIONS: Final = 60
MOST_TREATMENTS: Final = 12
LONGEST_TEXT: Final = 2_000
_LONGEST_TREATMENT: Final = 60
_LINES: Final = ("name_en", "name_ru", "modality")
_TEXTS: Final = ("summary_en", "summary_ru", "preparation_en", "preparation_ru")


def create_protocol(*, clinic: Clinic, draft: ProtocolDraft, by: Actor, now: datetime) -> Protocol:
    """Give the clinic a protocol of its own, its first version.

    Raises: CourseError for anybody but a prescriber, and by field as check_protocol().
    """
    member = require_prescriber(by, clinic)
    with transacting():
        lock_clinic(clinic)
        checked = check_protocol(draft, clinic=clinic)
        taken = set(Protocol.objects.for_clinic(clinic).values_list("slug", flat=True)) | set(read_library())
        slug = _free_slug(_slug_of(checked.name_en)[:50] or "protocol", taken)
        protocol = write_version(checked, clinic=clinic, slug=slug, version=1, member=member, now=now)
        _record(protocol, "created", by=by, now=now)
    return protocol


def revise_protocol(*, protocol: Protocol, draft: ProtocolDraft, by: Actor, now: datetime) -> Protocol:
    """Put a new version in force and return it; the same as before is left as it is.

    `protocol` is the version that was looked at. Running courses keep the version they were prescribed from.
    Raises: CourseError for anybody but a prescriber, for a retired one, `protocol_changed` when another version
    has come into force meanwhile, and by field as check_protocol().
    """
    member = require_prescriber(by, protocol.clinic)
    with transacting():
        current = _lock_current(protocol)
        if current.pk != protocol.pk:
            raise CourseError(
                _(
                    "Somebody has meanwhile changed this protocol: version %(version)s is in force. "
                    "What you typed stands below; save again to put it in place of theirs."
                )
                % {"version": current.version},
                code="protocol_changed",
            )
        if current.retired_at is not None:
            raise CourseError(
                _("This protocol is retired. Take it into use again first."), code="protocol_retired"
            )
        before = draft_of(current)
        checked = check_protocol(draft, clinic=protocol.clinic, slug=current.slug)
        changed = changed_fields(before, checked)
        if not changed:
            return current
        current.is_current = False
        current.save(update_fields=["is_current"])
        revised = write_version(
            checked,
            clinic=protocol.clinic,
            slug=current.slug,
            version=current.version + 1,
            member=member,
            now=now,
        )
        _record(revised, "revised", by=by, now=now, fields=changed)
    return revised


def retire_protocol(*, protocol: Protocol, by: Actor, now: datetime) -> Protocol:
    """Let nobody prescribe a protocol any more; its courses go on, and twice is harmless.

    Raises: CourseError for anybody but a prescriber.
    """
    return _switch(protocol, retired_at=now, action="retired", by=by, now=now)


def reopen_protocol(*, protocol: Protocol, by: Actor, now: datetime) -> Protocol:
    """Let a retired protocol be prescribed again; twice is harmless.

    Raises: CourseError for anybody but a prescriber, and where another one has taken its name.
    """
    return _switch(protocol, retired_at=None, action="reopened", by=by, now=now)


def _switch(
    protocol: Protocol, *, retired_at: datetime | None, action: str, by: Actor, now: datetime
) -> Protocol:
    require_prescriber(by, protocol.clinic)
    with transacting():
        current = _lock_current(protocol)
        if (current.retired_at is None) == (retired_at is None):
            return current
        if retired_at is None:
            _check_name(current.name_en, clinic=protocol.clinic, slug=current.slug)
        current.retired_at = retired_at
        current.save(update_fields=["retired_at"])
        _record(current, action, by=by, now=now)
    return current


def _lock_current(protocol: Protocol) -> Protocol:
    """Return the version in force; changes of the clinic's protocols come one after the other."""
    lock_clinic(protocol.clinic)
    versions = Protocol.objects.for_clinic(protocol.clinic).select_related("clinic")
    return versions.get(slug=protocol.slug, is_current=True)


def _record(protocol: Protocol, action: str, *, by: Actor, now: datetime, **details: Any) -> None:
    first = Protocol.objects.for_clinic(protocol.clinic).filter(slug=protocol.slug).order_by("version")
    record(
        f"protocol.{action}",
        at=now,
        by=by,
        clinic_code=protocol.clinic.code,
        subject_kind="protocol",
        # One code for all versions, so that everything about a protocol is found together.
        subject_code=first.values_list("code", flat=True)[0],
        new={"version": protocol.version, **details},
    )


# ---------------------------------------------------------------- checks


def check_protocol(draft: ProtocolDraft, *, clinic: Clinic, slug: str = "") -> ProtocolDraft:
    """Return the draft as it is stored: texts trimmed, a missing English name filled in, conditions known.

    `slug` is the protocol's own where it has versions already.
    Raises: CourseError with every wrong field: names, texts, `phases[0]…`, `minutes_by_session[0]`,
    `conditions[0].name_en`, `conditions[0].strength`, `same_day_order`.
    """
    wrong: dict[str, str] = {}
    texts: dict[str, Any] = {}
    for name in (*_LINES, *_TEXTS):
        with _collecting(wrong):
            texts[name] = _text(draft, name)
    # A clinic that works in one language names its protocols in that one.
    texts["name_en"] = texts.get("name_en") or texts.get("name_ru", "")
    with _collecting(wrong):
        if not {"name_en", "name_ru"} & set(wrong):
            _check_name(texts["name_en"], clinic=clinic, slug=slug)
    with _collecting(wrong):
        check_phases(draft.phases)
    with _collecting(wrong):
        check_minutes(draft.minutes_by_session, phase_count=len(draft.phases))
    with _collecting(wrong):
        texts["same_day_order"] = _order(draft.same_day_order)
    conditions = _checked_conditions(draft.conditions, clinic=clinic, wrong=wrong)
    if wrong:
        raise CourseError(_("This protocol cannot be saved as it stands."), code="bad_protocol", fields=wrong)
    steps = draft.minutes_by_session if any(draft.minutes_by_session) else ()
    return replace(draft, conditions=conditions, minutes_by_session=steps, **texts)


@contextmanager
def _collecting(wrong: dict[str, str]) -> Iterator[None]:
    """Put down by field what is refused in the body, so that all of it is named at once."""
    try:
        yield
    except CourseError as error:
        wrong.update(error.fields)


def _text(draft: ProtocolDraft, name: str) -> str:
    typed: str = getattr(draft, name)
    if name in _LINES:
        return _line(typed, column=getattr(Protocol, name), field=name)
    text = fitting_text(typed.replace("\r\n", "\n"), column=getattr(Protocol, name), field=name)
    if len(text) > LONGEST_TEXT:
        message = _("Write at most %(longest)s characters.") % {"longest": LONGEST_TEXT}
        raise refuse(name, message, code="text_too_long")
    return text


def _line(typed: str, *, column: Any, field: str) -> str:
    text = fitting_text(typed, column=column, field=field)
    try:
        check_printable(text)
    except ValidationError as error:
        raise refuse(field, " ".join(error.messages), code="text_unreadable") from error
    return text


def _check_name(name: str, *, clinic: Clinic, slug: str) -> None:
    """Refuse no name, and one that another protocol in use has: whoever prescribes could not tell them apart."""
    if not name:
        raise refuse("name_en", _("Give the protocol a name."), code="name_required")
    in_use = Protocol.objects.for_clinic(clinic).filter(is_current=True, retired_at=None).exclude(slug=slug)
    if any(name.casefold() == other.casefold() for other in in_use.values_list("name_en", flat=True)):
        raise refuse("name_en", _("Another protocol has this name."), code="protocol_name_taken")


def _order(treatments: Sequence[str]) -> tuple[str, ...]:
    """Return the treatments of a day as words without spaces, each once."""
    found = tuple(dict.fromkeys(slugify(one, allow_unicode=True).replace("-", "_") for one in treatments))
    found = tuple(one for one in found if one)
    if len(found) > MOST_TREATMENTS or any(len(one) > _LONGEST_TREATMENT for one in found):
        raise refuse(
            "same_day_order",
            _("Name at most %(most)s treatments, in a few words each.") % {"most": MOST_TREATMENTS},
            code="order_too_long",
        )
    return found


def _checked_conditions(
    drafts: Sequence[ConditionDraft], *, clinic: Clinic, wrong: dict[str, str]
) -> tuple[ConditionDraft, ...]:
    if len(drafts) > MOST_CONDITIONS:
        wrong["conditions"] = _("Name at most %(most)s contraindications.") % {"most": MOST_CONDITIONS}
        return ()
    known = known_conditions(clinic) if drafts else {}
    found: dict[str, ConditionDraft] = {}
    for index, draft in enumerate(drafts):
        at = f"conditions[{index}]"
        names = {"name_en": "", "name_ru": ""}
        for name in names:
            with _collecting(wrong):
                column = getattr(ProtocolContraindication, name)
                names[name] = _line(getattr(draft, name), column=column, field=f"{at}.{name}")
        names["name_en"] = names["name_en"] or names["name_ru"]
        if not names["name_en"] and not {f"{at}.name_en", f"{at}.name_ru"} & set(wrong):
            wrong[f"{at}.name_en"] = _("Name the condition, or remove its line.")
        if draft.strength not in ContraindicationStrength:
            wrong[f"{at}.strength"] = _("Choose one of the strengths.")
        condition = draft.condition if draft.condition in known else ""
        condition = condition or _condition_of(names, known, taken=found)
        if condition in found:
            wrong[f"{at}.name_en"] = _("This condition stands in the list already.")
        found[condition] = replace(draft, condition=condition, **names)
    return tuple(found.values())


def _condition_of(names: dict[str, str], known: dict[str, tuple[str, str]], *, taken: Collection[str]) -> str:
    """Return under what a condition goes: as the clinic knows it by this name, else something new."""
    wanted = {name.casefold() for name in names.values() if name}
    for condition, others in known.items():
        if wanted & {name.casefold() for name in others if name}:
            return condition
    base = _slug_of(names["name_en"]).replace("-", "_")[:70] or "condition"
    return _free_slug(base, {*known, *taken}, joint="_")


def _slug_of(name: str) -> str:
    """Return the name in Latin letters and digits; nothing where no letter is left."""
    slug = slugify(name)
    return slug if any(character.isalpha() for character in slug) else ""


def _free_slug(base: str, taken: Collection[str], *, joint: str = "-") -> str:
    numbers = range(2, len(taken) + 3)
    return next(slug for slug in (base, *(f"{base}{joint}{n}" for n in numbers)) if slug not in taken)


def known_conditions(clinic: Clinic) -> dict[str, tuple[str, str]]:
    """Return the conditions that the clinic may name, with their English and Russian names.

    A client's recorded condition is matched by its word: the same one in two protocols must have the same.
    Cost: one query.
    """
    found = {word: (names["en"], names["ru"]) for word, names in library_conditions().items()}
    rows = ProtocolContraindication.objects.for_clinic(clinic).order_by("pk")
    for condition, name_en, name_ru in rows.values_list("condition", "name_en", "name_ru"):
        found[condition] = (name_en, name_ru)
    return found
