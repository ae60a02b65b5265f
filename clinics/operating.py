"""What only whoever runs the installation may do to logins and clinics; clinics read in their log that it was done."""

from datetime import datetime

from allauth.mfa.models import Authenticator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from audit.services import Actor, record
from clinics.models import Clinic, Role, StaffMember, User
from clinics.services import lock_clinic


def switch_login(*, user: User, is_active: bool, by: Actor, now: datetime) -> None:
    """Switch a login off, which ends its sessions with their next request, or on again; twice is harmless.

    Raises: ValidationError with code `own_login`: nobody shuts themselves out.
    """
    if user.code == by.code and not is_active:
        raise ValidationError(_("This is your own login."), code="own_login")
    with transaction.atomic():
        if User.objects.filter(pk=user.pk, is_active=not is_active).update(is_active=is_active):
            _record_login(user, "login_on" if is_active else "login_off", by=by, now=now)


def reset_second_step(*, user: User, by: Actor, now: datetime) -> None:
    """Let somebody who lost their second step sign in without it; twice is harmless."""
    with transaction.atomic():
        removed, _rows = Authenticator.objects.filter(user=user).delete()
        if removed:
            _record_login(user, "second_step_reset", by=by, now=now)


def shut_clinic(*, clinic: Clinic, by: Actor, now: datetime) -> int:
    """Take everybody's access to a clinic away at once, its owners' too; return how many had it.

    Its rows and what is booked stay, and messages to its clients go on being sent.
    """
    return _switch_members(clinic, is_active=False, action="clinic.shut", by=by, now=now)


def let_owners_in(*, clinic: Clinic, by: Actor, now: datetime) -> int:
    """Give a clinic's owners their access back, who can let in everybody else; return how many had none."""
    return _switch_members(clinic, is_active=True, action="clinic.let_in", by=by, now=now, role=Role.OWNER)


def deactivate_clinic(*, clinic: Clinic, by: Actor, now: datetime) -> bool:
    """Let nobody into a clinic and nothing out of it, and return whether that is new; every row stays as it is.

    Its people keep their access for the day on which it is reactivated, its programs their tokens and its clients
    their links; none of them opens anything until then. Messages that fall due meanwhile are put down as not sent.
    """
    return _switch_clinic(clinic, deactivated_at=now, action="clinic.deactivated", by=by, now=now)


def reactivate_clinic(*, clinic: Clinic, by: Actor, now: datetime) -> bool:
    """Open a deactivated clinic again as it was, and return whether that is new; what did not go out stays so."""
    return _switch_clinic(clinic, deactivated_at=None, action="clinic.reactivated", by=by, now=now)


def _switch_clinic(
    clinic: Clinic, *, deactivated_at: datetime | None, action: str, by: Actor, now: datetime
) -> bool:
    with transaction.atomic():
        others = Clinic.objects.filter(pk=clinic.pk, deactivated_at__isnull=deactivated_at is not None)
        is_new = bool(others.update(deactivated_at=deactivated_at))
        if is_new:
            record(
                action,
                at=now,
                by=by,
                clinic_code=clinic.code,
                subject_kind="clinic",
                subject_code=clinic.code,
            )
    return is_new


def _switch_members(
    clinic: Clinic, *, is_active: bool, action: str, by: Actor, now: datetime, **only: str
) -> int:
    with transaction.atomic():
        lock_clinic(clinic)
        members = StaffMember.objects.for_clinic(clinic).filter(is_active=not is_active, **only)
        count = members.update(is_active=is_active)
        if count:
            record(
                action,
                at=now,
                by=by,
                clinic_code=clinic.code,
                subject_kind="clinic",
                subject_code=clinic.code,
                new={"count": count},
            )
    return count


def _record_login(user: User, change: str, *, by: Actor, now: datetime) -> None:
    """Put a change of a login on record in every clinic where somebody works, or for the installation alone."""
    members = list(StaffMember.objects.filter(user=user).select_related("clinic").order_by("pk"))
    for member in members:
        record(
            f"staff.{change}",
            at=now,
            by=by,
            clinic_code=member.clinic.code,
            subject_kind="staff_member",
            subject_code=member.code,
        )
    if not members:
        record(f"user.{change}", at=now, by=by, clinic_code=None, subject_kind="user", subject_code=user.code)
