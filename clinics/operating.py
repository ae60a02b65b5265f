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
