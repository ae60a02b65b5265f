"""News of single sessions: whoever writes one tells it here, in the transaction of the change."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from courses.models import BOOKED_STATUSES, Course, TreatmentSession
from courses.services.freeing import FreeSlot, note_freed
from courses.signals import session_changed


@dataclass(frozen=True, slots=True)
class Stand:
    """How a session stood: its status, its slot, and with whom and where."""

    status: str
    on: date
    starts_at: datetime | None
    ends_at: datetime | None
    practitioner_id: int | None
    room_id: int | None

    @property
    def slot(self) -> FreeSlot | None:
        """Return what it held, or None when it held nothing."""
        if self.status not in BOOKED_STATUSES or self.starts_at is None or self.ends_at is None:
            return None
        return FreeSlot(self.starts_at, self.ends_at, self.practitioner_id, self.room_id)


@dataclass(frozen=True, slots=True)
class SessionNews:
    """A session as it is now, and how it stood before; None when it is new."""

    session: TreatmentSession
    before: Stand | None = None


def stand_of(session: TreatmentSession) -> Stand:
    """Return how a session stands."""
    return Stand(
        str(session.status),
        session.on,
        session.starts_at,
        session.ends_at,
        session.practitioner_id,
        session.room_id,
    )


def tell_sessions(course: Course, news: Sequence[SessionNews], *, now: datetime) -> None:
    """Announce sessions of one locked course that changed, and keep the slots that they left.

    Those that stand as they stood are passed over.
    Cost: none where no slot was left in time to be of use, else one query, two where somebody waits.
    """
    changed = [one for one in news if one.before != stand_of(one.session)]
    left = [
        (one.session.pk, one.before.slot)
        for one in changed
        if one.before and one.before.slot and one.before.slot != stand_of(one.session).slot
    ]
    note_freed(course.clinic_id, left, now=now)
    for one in changed:
        session_changed.send(
            sender=TreatmentSession,
            session_id=one.session.pk,
            session=one.session,
            course=course,
            before=one.before,
            now=now,
        )
