"""The one way into the audit trail."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audit.models import ActorKind, AuditEvent


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a staff member or client by code, or the system itself."""

    kind: ActorKind
    code: uuid.UUID | None = None
    # The acting staff member's row id, for columns such as prescribed_by; None for others.
    staff_member_id: int | None = None


SYSTEM = Actor(ActorKind.SYSTEM)


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
