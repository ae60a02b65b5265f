"""Slots that bookings leave: noted in the transaction that frees them, offered with the next tick."""

from datetime import datetime, timedelta
from typing import Any, Final

from courses.models import BOOKED_STATUSES, FreedSlot, TreatmentSession, Waiting

# Nobody reads a message and comes sooner than this.
USEFUL_AHEAD: Final = timedelta(hours=3)


def slot_of(session: TreatmentSession) -> dict[str, Any] | None:
    """Return what a booking holds as column values, or None when it holds nothing."""
    if session.status not in BOOKED_STATUSES:
        return None
    return {
        "starts_at": session.starts_at,
        "ends_at": session.ends_at,
        "practitioner_id": session.practitioner_id,
        "room_id": session.room_id,
    }


def note_freed(before: dict[str, Any] | None, session: TreatmentSession, *, now: datetime) -> None:
    """Keep the slot that a booking had and has no more, where somebody of the clinic waits for an earlier one.

    Cost: none where nothing was freed in time to be of use, else one query, two where somebody waits.
    """
    if before is None or before == slot_of(session) or before["starts_at"] < now + USEFUL_AHEAD:
        return
    if before["practitioner_id"] is None and before["room_id"] is None:
        # Nothing holds such a slot, so nobody could be the first to take it.
        return
    waiting = Waiting.objects.filter(
        clinic=session.clinic_id, ended_at=None, session__starts_at__gt=before["starts_at"]
    )
    if waiting.exclude(session=session).exists():
        FreedSlot.objects.create(clinic_id=session.clinic_id, freed_at=now, **before)
