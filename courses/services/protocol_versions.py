"""Versions of a protocol as values: read from their rows, compared, written as rows that are never altered."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from clinics.models import Clinic, StaffMember
from courses.convert import phase_row_values, phase_spec
from courses.core.types import PhaseSpec
from courses.models import Protocol, ProtocolContraindication, ProtocolPhase


@dataclass(frozen=True, slots=True)
class ConditionDraft:
    """One contraindication; without a `condition` it is known by its name."""

    strength: str
    name_en: str
    name_ru: str = ""
    condition: str = ""


@dataclass(frozen=True, slots=True)
class ProtocolDraft:
    """Everything that a version of a protocol says."""

    name_en: str
    name_ru: str
    phases: tuple[PhaseSpec, ...]
    # Minutes by session number for each phase, in their order; empty where no length rises.
    minutes_by_session: tuple[tuple[int, ...], ...] = ()
    conditions: tuple[ConditionDraft, ...] = ()
    summary_en: str = ""
    summary_ru: str = ""
    modality: str = ""
    preparation_en: str = ""
    preparation_ru: str = ""
    same_day_order: tuple[str, ...] = ()


# What is simply copied from one to the other.
_COLUMNS = ("name_en", "name_ru", "summary_en", "summary_ru", "modality", "preparation_en", "preparation_ru")


def draft_of(protocol: Protocol) -> ProtocolDraft:
    """Return what a version says.

    Cost: two queries, none where phases and contraindications were fetched with it.
    """
    phases = sorted(protocol.phases.all(), key=lambda row: row.position)
    steps = tuple(tuple(row.minutes_by_session) for row in phases)
    return ProtocolDraft(
        phases=tuple(phase_spec(row) for row in phases),
        minutes_by_session=steps if any(steps) else (),
        conditions=tuple(
            ConditionDraft(row.strength, row.name_en, row.name_ru, row.condition)
            for row in protocol.contraindications.all()
        ),
        same_day_order=tuple(protocol.same_day_order),
        **{name: getattr(protocol, name) for name in _COLUMNS},
    )


def changed_fields(old: ProtocolDraft, new: ProtocolDraft) -> list[str]:
    """Return the names of what differs, in the order of the draft."""
    return [
        field.name for field in fields(ProtocolDraft) if getattr(old, field.name) != getattr(new, field.name)
    ]


def write_version(
    draft: ProtocolDraft,
    *,
    clinic: Clinic,
    slug: str,
    version: int,
    member: StaffMember | None,
    now: datetime,
) -> Protocol:
    """Write a version as the current one; the caller checked it and made room for it.

    Cost: three writes.
    """
    protocol = Protocol.objects.create(
        clinic=clinic,
        slug=slug,
        version=version,
        same_day_order=list(draft.same_day_order),
        created_at=now,
        created_by=member,
        **{name: getattr(draft, name) for name in _COLUMNS},
    )
    steps: Sequence[Sequence[int]] = draft.minutes_by_session or [()] * len(draft.phases)
    ProtocolPhase.objects.bulk_create(
        ProtocolPhase(
            clinic=clinic,
            protocol=protocol,
            position=position,
            minutes_by_session=list(minutes),
            **phase_row_values(phase),
        )
        for position, (phase, minutes) in enumerate(zip(draft.phases, steps, strict=True))
    )
    ProtocolContraindication.objects.bulk_create(
        ProtocolContraindication(
            clinic=clinic,
            protocol=protocol,
            position=position,
            condition=found.condition,
            strength=found.strength,
            name_en=found.name_en,
            name_ru=found.name_ru,
        )
        for position, found in enumerate(draft.conditions)
    )
    return protocol
