"""Slots that bookings leave: noted in the transaction that frees them, offered with the next tick."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from courses.models import FreedSlot, Waiting

# Nobody reads a message and comes sooner than this.
USEFUL_AHEAD: Final = timedelta(hours=3)


class FreeSlot(NamedTuple):
    """What a booking held: its time, and whom and which room it took, by row id."""

    starts_at: datetime
    ends_at: datetime
    practitioner_id: int | None
    room_id: int | None


def note_freed(clinic_id: int, left: Sequence[tuple[int, FreeSlot]], *, now: datetime) -> None:
    """Keep the slots that bookings had and have no more, where somebody else waits for an earlier one.

    left: the id of the booking that held each. Whether a slot stays free is asked when it is offered.
    Cost: none where nothing was freed in time to be of use, else one query, two where somebody waits.
    """
    useful = [
        (session_id, slot)
        for session_id, slot in left
        # What held nobody and nowhere cannot be taken by the first who comes.
        if slot.starts_at >= now + USEFUL_AHEAD and (slot.practitioner_id or slot.room_id)
    ]
    if not useful:
        return
    earliest = min(slot.starts_at for _session_id, slot in useful)
    waiting = Waiting.objects.filter(clinic=clinic_id, ended_at=None, session__starts_at__gt=earliest)
    wishes = list(waiting.values_list("session_id", "session__starts_at"))
    FreedSlot.objects.bulk_create(
        FreedSlot(clinic_id=clinic_id, freed_at=now, **slot._asdict())
        for session_id, slot in useful
        if any(
            waits != session_id and starts_at and slot.starts_at < starts_at for waits, starts_at in wishes
        )
    )
