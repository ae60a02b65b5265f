"""Rooms that are no longer booked, and those that are again."""

from datetime import datetime

from django.db.models import F
from django.utils.translation import ngettext

from audit.services import Actor, record
from clinics.models import Clinic, Room
from courses.errors import CourseError
from courses.selectors import booked_in_rooms
from courses.services.changes import transacting


def retire_room(*, room: Room, by: Actor, now: datetime, known_bookings: int | None = None) -> Room:
    """Take a room out of use and return it; what is booked there stays booked. Twice is harmless.

    known_bookings: how many coming bookings the person who retires it was told of; None asks nothing.
    Raises: CourseError `room_booked` when it has coming bookings, and not as many.
    """
    with transacting():
        locked = _lock(room)
        if not locked.is_active:
            return locked
        booked = booked_in_rooms(locked.clinic, now=now).get(locked.pk, 0)
        if booked and known_bookings not in (None, booked):
            message = ngettext(
                "%(count)s coming session is booked in this room. It stays booked there until it is moved.",
                "%(count)s coming sessions are booked in this room. They stay booked there until they are moved.",
                booked,
            ) % {"count": booked}
            raise CourseError(message, code="room_booked")
        _switch(locked, is_active=False, by=by, now=now)
    return locked


def reopen_room(*, room: Room, by: Actor, now: datetime) -> Room:
    """Take a retired room into use again and return it. Twice is harmless."""
    with transacting():
        locked = _lock(room)
        if not locked.is_active:
            _switch(locked, is_active=True, by=by, now=now)
    return locked


def _lock(room: Room) -> Room:
    return Room.objects.select_for_update(of=("self",)).select_related("clinic").get(pk=room.pk)


def _switch(room: Room, *, is_active: bool, by: Actor, now: datetime) -> None:
    room.is_active = is_active
    room.save(update_fields=["is_active"])
    # Plans that were made with the rooms as they were are stale.
    Clinic.objects.filter(pk=room.clinic_id).update(calendar_version=F("calendar_version") + 1)
    record(
        "clinic.room_reopened" if is_active else "clinic.room_retired",
        at=now,
        by=by,
        clinic_code=room.clinic.code,
        subject_kind="clinic",
        subject_code=room.clinic.code,
        new={"room": str(room.code)},
    )
