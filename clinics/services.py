"""Clinics and their people."""

import uuid
from datetime import datetime, time
from typing import Final
from zoneinfo import available_timezones

from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from audit.models import ActorKind
from audit.services import Actor, record
from clinics.core import NO_ZONES
from clinics.models import Clinic, DateOrder, Language, OpeningHours, Role, Room, StaffMember, User

# What a clinic opens with until its owner says otherwise: (ISO weekday, opens, closes).
USUAL_HOURS: Final = tuple((weekday, time(9), time(18)) for weekday in range(1, 6))


def lock_clinic(clinic: Clinic) -> None:
    """Let changes of one clinic come one after the other; rows that merely refer to it do not wait."""
    Clinic.objects.select_for_update(no_key=True).values_list("pk").get(pk=clinic.pk)


def check_printable(text: str) -> None:
    """Refuse control characters, such as the end of a line, in what is to be one line.

    Raises: ValidationError.
    """
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise ValidationError(_("Leave out the characters that cannot be printed."))


def check_time_zone(name: str) -> None:
    """Refuse a zone that the time zone database does not know.

    Raises: ValidationError with code `unknown_zone`.
    """
    if name not in available_timezones() - NO_ZONES:
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


def start_clinic(
    *,
    name: str,
    country: str,
    time_zone: str,
    language: str,
    owner: User,
    display_name: str,
    now: datetime,
    is_treating: bool = False,
    by: Actor | None = None,
) -> StaffMember:
    """Found a clinic with its first owner and the usual hours, to be guided through what else it needs.

    Without `by` it is the owner who does it.
    Raises: ValidationError by field: no name of either, an unknown time zone, country or language.
    """
    code = uuid.uuid4()
    actor = by or Actor(ActorKind.STAFF, code=code)
    with transaction.atomic():
        clinic = create_clinic(
            name=name,
            time_zone=time_zone,
            country=country,
            language=language,
            is_being_set_up=True,
            by=actor,
            now=now,
        )
        OpeningHours.objects.bulk_create(
            OpeningHours(clinic=clinic, weekday=weekday, opens_time=opens, closes_time=closes)
            for weekday, opens, closes in USUAL_HOURS
        )
        return add_staff_member(
            clinic=clinic,
            user=owner,
            role=Role.OWNER,
            display_name=display_name,
            is_treating=is_treating,
            by=actor,
            now=now,
            code=code,
        )


def close_guide(*, clinic: Clinic, by: Actor, now: datetime) -> None:
    """Show the owners of a clinic no longer what it needs; twice is harmless."""
    with transaction.atomic():
        if Clinic.objects.filter(pk=clinic.pk, is_being_set_up=True).update(is_being_set_up=False):
            _record(clinic, "clinic.guide_closed", by=by, now=now)


def add_staff_member(
    *,
    clinic: Clinic,
    user: User,
    role: str,
    display_name: str,
    by: Actor,
    now: datetime,
    is_treating: bool = False,
    code: uuid.UUID | None = None,
) -> StaffMember:
    """Give a user a role in a clinic.

    Raises: ValidationError for an unknown role or a second membership.
    """
    with transaction.atomic():
        member = StaffMember(
            code=code or uuid.uuid4(),
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


def invite_staff_member(
    *,
    clinic: Clinic,
    email: str,
    role: str,
    display_name: str,
    by: Actor,
    now: datetime,
    is_treating: bool = False,
) -> StaffMember:
    """Give somebody a role by e-mail address; who has no login yet gets one that no password opens.

    Raises: ValidationError by field: no e-mail address, on the list already, no name, an unknown role.
    """
    address = User.objects.normalize_email(email.strip()).lower()
    try:
        validate_email(address)
    except ValidationError as error:
        raise ValidationError({"email": error}) from error
    with transaction.atomic():
        # Somebody must not be entered twice at once.
        lock_clinic(clinic)
        if StaffMember.objects.for_clinic(clinic).filter(user__email=address).exists():
            text = _("Somebody with this address is on the list already, perhaps without access.")
            raise ValidationError({"email": ValidationError(text, code="member_already")})
        # The same person may be entered by two clinics at once: whoever comes second finds the login.
        user, _is_new = User.objects.get_or_create(
            email=address, defaults={"password": make_password(None), "language": clinic.language}
        )
        return add_staff_member(
            clinic=clinic,
            user=user,
            role=role,
            display_name=display_name,
            by=by,
            now=now,
            is_treating=is_treating,
        )


def change_staff_member(
    *, member: StaffMember, role: str, display_name: str, is_treating: bool, by: Actor, now: datetime
) -> StaffMember:
    """Change what somebody is called and may do; the same values twice are harmless.

    Raises: ValidationError by field: no name, an unknown role, or code `last_owner` for the role.
    """
    with transaction.atomic():
        locked = _lock_member(member)
        before = {"role": locked.role, "is_treating": locked.is_treating}
        called = locked.display_name
        if locked.role == Role.OWNER and role != Role.OWNER:
            _require_other_owner(locked, field="role")
        locked.role, locked.is_treating = role, is_treating
        locked.display_name = display_name.strip()
        locked.full_clean()
        after = {"role": str(locked.role), "is_treating": locked.is_treating}
        changed = [name for name in before if before[name] != after[name]]
        # That the name was changed, never the name.
        fields = {"fields": ["display_name"]} if locked.display_name != called else {}
        if changed or fields:
            locked.save(update_fields=["role", "is_treating", "display_name"])
            _record_member(
                locked,
                "staff.changed",
                by=by,
                now=now,
                old={name: before[name] for name in changed},
                new={**{name: after[name] for name in changed}, **fields},
            )
    return locked


def deactivate_staff_member(*, member: StaffMember, by: Actor, now: datetime) -> StaffMember:
    """Take somebody's access to the clinic away at once; what they did and their bookings stay.

    Raises: ValidationError with code `last_owner`.
    """
    return _switch_member(member, is_active=False, by=by, now=now)


def reactivate_staff_member(*, member: StaffMember, by: Actor, now: datetime) -> StaffMember:
    """Give somebody their access back, in the role they had."""
    return _switch_member(member, is_active=True, by=by, now=now)


def _switch_member(member: StaffMember, *, is_active: bool, by: Actor, now: datetime) -> StaffMember:
    with transaction.atomic():
        locked = _lock_member(member)
        if locked.is_active == is_active:
            return locked
        if not is_active and locked.role == Role.OWNER:
            _require_other_owner(locked)
        locked.is_active = is_active
        locked.save(update_fields=["is_active"])
        action = "staff.reactivated" if is_active else "staff.deactivated"
        _record_member(locked, action, by=by, now=now)
    return locked


def record_sign_in(*, member: StaffMember, now: datetime) -> None:
    """Note that somebody signed in and works in this clinic. Cost: one query."""
    StaffMember.objects.filter(pk=member.pk).update(signed_in_at=now)


def record_factor_change(*, user: User, change: str, now: datetime) -> None:
    """Put on record, in every clinic where somebody works, that they changed how they sign in.

    A clinic that has only entered their address learns nothing of it.
    Cost: one query, and one for each clinic.
    """
    members = (
        StaffMember.objects.filter(user=user, is_active=True, signed_in_at__isnull=False)
        .select_related("clinic")
        .order_by("pk")
    )
    with transaction.atomic():
        for member in members:
            by = Actor(ActorKind.STAFF, code=member.code, staff_member_id=member.pk)
            _record_member(member, f"staff.{change}", by=by, now=now)


def _lock_member(member: StaffMember) -> StaffMember:
    # Two owners must not demote each other.
    lock_clinic(member.clinic)
    return (
        StaffMember.objects.select_for_update(of=("self",)).select_related("clinic", "user").get(pk=member.pk)
    )


def _require_other_owner(member: StaffMember, *, field: str | None = None) -> None:
    owners = StaffMember.objects.for_clinic(member.clinic).filter(
        role=Role.OWNER, is_active=True, user__is_active=True
    )
    if not member.is_active or owners.exclude(pk=member.pk).exists():
        return
    error = ValidationError(
        _("This is the clinic's last owner. Make somebody else an owner first."), code="last_owner"
    )
    raise ValidationError({field: error}) if field else error


def _record_member(
    member: StaffMember,
    action: str,
    *,
    by: Actor,
    now: datetime,
    old: dict[str, object] | None = None,
    new: dict[str, object] | None = None,
) -> None:
    record(
        action,
        at=now,
        by=by,
        clinic_code=member.clinic.code,
        subject_kind="staff_member",
        subject_code=member.code,
        old=old,
        new=new,
    )


def add_room(*, clinic: Clinic, name: str, by: Actor, now: datetime) -> Room:
    """Add a room.

    Raises: ValidationError when the name is empty or taken.
    """
    with transaction.atomic():
        # A name is looked for and taken at once.
        lock_clinic(clinic)
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
        lock_clinic(room.clinic)
        locked = Room.objects.select_related("clinic").get(pk=room.pk)
        old, locked.name = locked.name, name.strip()
        if locked.name == old:
            return locked
        _check_room(locked)
        locked.save(update_fields=["name"])
        _record(locked.clinic, "clinic.room_renamed", by=by, now=now, room=str(locked.code))
    return locked


def _check_room(room: Room) -> None:
    room.clean_fields(exclude=["clinic", "code"])
    try:
        check_printable(room.name)
    except ValidationError as error:
        raise ValidationError({"name": error}) from error
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


def choose_date_order(*, user: User, order: str, by: Actor, now: datetime) -> None:
    """Set the order in which the pages write dates to a user; an empty one means that of the language.

    Raises: ValidationError for an order that is none.
    """
    if order and order not in DateOrder:
        raise ValidationError(_("Choose one of the orders."), code="unknown_order")
    with transaction.atomic():
        old, user.date_order = user.date_order, order
        user.save(update_fields=["date_order"])
        record(
            "user.date_order_chosen",
            at=now,
            by=by,
            clinic_code=None,
            subject_kind="user",
            subject_code=user.code,
            old={"date_order": old},
            new={"date_order": order},
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
