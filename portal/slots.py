"""Slots that a client may choose from: signed, so that only what was offered, and is still meant, can be taken up."""

from datetime import UTC, datetime
from typing import Final, NamedTuple
from uuid import UUID

from django.core import signing

from clinics.models import Clinic, Room, StaffMember
from courses.services import SlotOffer
from reminders.services.answering import ChosenSlot

_SALT: Final = "portal.slots"
# As long as the page that shows them is remembered.
_OFFERED_SECONDS: Final = 3600


class Taken(NamedTuple):
    """A slot that was pressed, and the version of the visit for which it was shown."""

    slot: ChosenSlot
    seen_version: int


def sign_slot(offer: SlotOffer, *, about: str, version: int) -> str:
    """Return a slot as the value of a button; `about` is the link and what the slot is for."""
    seconds = int(offer.starts_at.timestamp())
    minutes = int((offer.ends_at - offer.starts_at).total_seconds()) // 60
    values = [seconds, minutes, _short(offer.practitioner), _short(offer.room), version]
    return signing.dumps(values, salt=f"{_SALT}:{about}")


def read_slot(value: str, *, about: str, clinic: Clinic) -> Taken | None:
    """Return the slot of a button, or None when nobody offered it for this, or too long ago.

    Cost: two queries at most.
    """
    try:
        seconds, minutes, practitioner, room, version = signing.loads(
            value, salt=f"{_SALT}:{about}", max_age=_OFFERED_SECONDS
        )
    except signing.BadSignature:
        return None
    people, rooms = StaffMember.objects.for_clinic(clinic), Room.objects.for_clinic(clinic)
    slot = ChosenSlot(
        datetime.fromtimestamp(seconds, UTC),
        minutes,
        people.filter(code=UUID(practitioner)).first() if practitioner else None,
        rooms.filter(code=UUID(room)).first() if room else None,
    )
    return Taken(slot, version)


def _short(code: str | None) -> str:
    return UUID(code).hex if code else ""
