"""Clinics and their people."""

from datetime import datetime
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from audit.services import Actor, record
from clinics.models import Clinic, Language, Role, Room, StaffMember, User


def check_time_zone(name: str) -> None:
    """Refuse a zone that the time zone database does not know.

    Raises: ValidationError with code `unknown_zone`.
    """
    if name not in available_timezones():
        raise ValidationError(
            _("%(name)s is not a time zone. Choose one such as Europe/Riga."),
            code="unknown_zone",
            params={"name": name},
        )


def create_clinic(*, name: str, time_zone: str, by: Actor, now: datetime, **fields: object) -> Clinic:
    """Found a clinic; its hours, rooms and people come next.

    Raises: ValidationError for an empty name or an unknown time zone.
    """
    check_time_zone(time_zone)
    with transaction.atomic():
        clinic = Clinic(name=name.strip(), time_zone=time_zone, created_at=now, **fields)
        clinic.full_clean()
        clinic.save()
        _record(clinic, "clinic.created", by=by, now=now)
    return clinic


def add_staff_member(
    *,
    clinic: Clinic,
    user: User,
    role: str,
    display_name: str,
    by: Actor,
    now: datetime,
    is_treating: bool = False,
) -> StaffMember:
    """Give a user a role in a clinic.

    Raises: ValidationError for an unknown role or a second membership.
    """
    with transaction.atomic():
        member = StaffMember(
            clinic=clinic,
            user=user,
            role=Role(role) if role in Role else role,
            display_name=display_name.strip(),
            is_treating=is_treating,
            position=StaffMember.objects.for_clinic(clinic).count(),
        )
        member.full_clean()
        member.save()
        _record(clinic, "clinic.staff_added", by=by, now=now, member=str(member.code), role=str(role))
    return member


def add_room(*, clinic: Clinic, name: str, by: Actor, now: datetime) -> Room:
    """Add a room.

    Raises: ValidationError when the name is empty or taken.
    """
    with transaction.atomic():
        _lock_rooms(clinic)
        room = Room(clinic=clinic, name=name.strip(), position=Room.objects.for_clinic(clinic).count())
        _check_room(room)
        room.save()
        _record(clinic, "clinic.room_added", by=by, now=now, room=str(room.code))
    return room


def rename_room(*, room: Room, name: str, by: Actor, now: datetime) -> Room:
    """Give a room another name and return it; the same name twice is harmless.

    Raises: ValidationError when the name is empty or taken.
    """
    with transaction.atomic():
        _lock_rooms(room.clinic)
        locked = Room.objects.select_related("clinic").get(pk=room.pk)
        old, locked.name = locked.name, name.strip()
        if locked.name == old:
            return locked
        _check_room(locked)
        locked.save(update_fields=["name"])
        _record(locked.clinic, "clinic.room_renamed", by=by, now=now, room=str(locked.code))
    return locked


def _lock_rooms(clinic: Clinic) -> None:
    """Let changes of one clinic's rooms come one after the other, so that a name is looked for and taken at once."""
    Clinic.objects.select_for_update(no_key=True).values_list("pk").get(pk=clinic.pk)


def _check_room(room: Room) -> None:
    room.clean_fields(exclude=["clinic", "code"])
    if any(ord(character) < 32 or ord(character) == 127 for character in room.name):
        raise ValidationError({"name": _("Leave out the characters that cannot be printed.")})
    namesake = Room.objects.for_clinic(room.clinic).filter(name=room.name).exclude(pk=room.pk).first()
    if namesake is not None:
        message = (
            _("There is a room of this name already.")
            if namesake.is_active
            else _("A retired room has this name. Take that one into use again, or choose another name.")
        )
        raise ValidationError({"name": message}, code="room_name_taken")


def _record(clinic: Clinic, action: str, *, by: Actor, now: datetime, **details: str) -> None:
    record(
        action,
        at=now,
        by=by,
        clinic_code=clinic.code,
        subject_kind="clinic",
        subject_code=clinic.code,
        new=details,
    )


def choose_language(*, user: User, language: str, by: Actor, now: datetime) -> None:
    """Set the language in which the pages speak to a user.

    Raises: ValidationError for a language the product does not speak.
    """
    if language not in Language:
        raise ValidationError(_("Choose one of the languages."), code="unknown_language")
    with transaction.atomic():
        old, user.language = user.language, language
        user.save(update_fields=["language"])
        record(
            "user.language_chosen",
            at=now,
            by=by,
            clinic_code=None,
            subject_kind="user",
            subject_code=user.code,
            old={"language": old},
            new={"language": language},
        )


def choose_digest(*, member: StaffMember, wants: bool, by: Actor, now: datetime) -> StaffMember:
    """Set whether a member of staff gets the morning summary; the same wish twice is harmless."""
    with transaction.atomic():
        locked = (
            StaffMember.objects.select_for_update(of=("self",)).select_related("clinic").get(pk=member.pk)
        )
        if locked.gets_digest != wants:
            locked.gets_digest = wants
            locked.save(update_fields=["gets_digest"])
            details = {"member": str(locked.code), "wants": "yes" if wants else "no"}
            _record(locked.clinic, "clinic.digest_chosen", by=by, now=now, **details)
    return locked
