"""The one way into the audit trail."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from audit.models import ActorKind, AuditEvent


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a staff member, a client or a program's token by code, or the system itself."""

    kind: ActorKind
    code: uuid.UUID | None = None
    # The acting staff member's row id, for columns such as prescribed_by; of a token that of whoever made it and
    # answers for what its program does; None for others.
    staff_member_id: int | None = None


SYSTEM = Actor(ActorKind.SYSTEM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One audit event to be written; old and new hold JSON values of changed fields only, as in record()."""

    action: str
    at: datetime
    by: Actor
    clinic_code: uuid.UUID | None
    subject_kind: str
    subject_code: uuid.UUID | None
    old: dict[str, Any] = field(default_factory=dict)
    new: dict[str, Any] = field(default_factory=dict)


def record_all(entries: Iterable[Entry]) -> None:
    """Write audit events in the caller's transaction, in their order. Cost: one query."""
    AuditEvent.objects.bulk_create(
        AuditEvent(
            at=entry.at,
            clinic_code=entry.clinic_code,
            actor_kind=entry.by.kind,
            actor_code=entry.by.code,
            action=entry.action,
            subject_kind=entry.subject_kind,
            subject_code=entry.subject_code,
            old=entry.old,
            new=entry.new,
        )
        for entry in entries
    )


def record(
    action: str,
    *,
    at: datetime,
    by: Actor,
    clinic_code: uuid.UUID | None,
    subject_kind: str,
    subject_code: uuid.UUID | None,
    old: dict[str, Any] | None = None,
    new: dict[str, Any] | None = None,
) -> None:
    """Write one audit event in the caller's transaction.

    old and new hold JSON values of changed fields only: never names, contacts or clinical text.
    """
    AuditEvent.objects.create(
        at=at,
        clinic_code=clinic_code,
        actor_kind=by.kind,
        actor_code=by.code,
        action=action,
        subject_kind=subject_kind,
        subject_code=subject_code,
        old=old or {},
        new=new or {},
    )
