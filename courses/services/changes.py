"""What every verb shares: lock the course, guard, then reassess, announce and audit in one transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from audit.services import Actor, record
from clinics.access import Capability, is_allowed
from clinics.models import Clinic, StaffMember
from courses.core.states import (
    SESSION_CORRECTIONS,
    SESSION_TRANSITIONS,
    TransitionError,
    check_transition,
)
from courses.errors import CourseError
from courses.models import Course, CourseStatus, SessionStatus
from courses.services.assessing import reassess
from courses.signals import course_changed


@contextmanager
def changing(
    course: Course,
    *,
    action: str,
    by: Actor,
    now: datetime,
    reason: str,
    is_open_required: bool = True,
    **details: Any,
) -> Iterator[Course]:
    """Yield the locked course; afterwards reassess it, announce the change and audit it, all or nothing.

    `reason` resolves flags that no longer hold. `details` go to the audit event: ids, dates and words of
    our own, never names or clinical text.
    Raises: CourseError when the course is over or still a draft and that matters.
    """
    with transaction.atomic():
        locked = lock_course(course)
        if is_open_required:
            require_open(locked)
        yield locked
        finish_change(locked, action=action, by=by, now=now, reason=reason, details=details)
    # The caller's copy shows what was stored.
    course.refresh_from_db()


def finish_change(
    course: Course, *, action: str, by: Actor, now: datetime, reason: str, details: dict[str, Any]
) -> None:
    """Reassess, announce and audit a change of a locked course."""
    course.version += 1
    course.save(update_fields=["version"])
    if course.status not in (CourseStatus.DRAFT, CourseStatus.DISCONTINUED):
        reassess(course=course, now=now, reason=reason)
    course_changed.send(sender=Course, course_id=course.pk, now=now)
    record(
        f"course.{action}",
        at=now,
        by=by,
        clinic_code=course.clinic.code,
        subject_kind="course",
        subject_code=course.code,
        new={name: _plain(value) for name, value in details.items()},
    )


def lock_course(course: Course) -> Course:
    """Return the course as it is now, its row locked until the transaction ends."""
    return (
        Course.objects.select_for_update(of=("self",))
        .select_related("clinic", "client", "protocol")
        .get(pk=course.pk)
    )


def require_open(course: Course) -> None:
    """Refuse what only a running course allows.

    Raises: CourseError `course_not_open`.
    """
    if not course.is_open:
        raise CourseError(
            _("This course is %(status)s; nothing on it can be changed.")
            % {"status": course.get_status_display()},
            code="course_not_open",
        )


def require_prescriber(by: Actor, clinic: Clinic) -> StaffMember:
    """Return the acting prescriber of the clinic.

    Raises: CourseError `prescriber_required` for anybody else.
    """
    member = StaffMember.objects.filter(pk=by.staff_member_id, clinic=clinic, is_active=True).first()
    if member is None or not is_allowed(member, Capability.PRESCRIBE):
        raise CourseError(_("Only a prescriber may do this."), code="prescriber_required")
    return member


def require_staff(by: Actor, clinic: Clinic) -> StaffMember:
    """Return the acting staff member of the clinic.

    Raises: CourseError `staff_required` for anybody else.
    """
    member = StaffMember.objects.filter(pk=by.staff_member_id, clinic=clinic, is_active=True).first()
    if member is None:
        raise CourseError(_("Only the clinic's staff may do this."), code="staff_required")
    return member


def require_session_move(old: str, new: str, *, is_correction: bool = False) -> None:
    """Refuse a change of a session's status that the tables do not allow.

    Raises: CourseError `transition_refused`.
    """
    table = SESSION_CORRECTIONS if is_correction else SESSION_TRANSITIONS
    try:
        check_transition(table, old, new)  # type: ignore[type-var]  # unknown words are refused too
    except TransitionError as error:
        words = dict(SessionStatus.choices)
        message = _("A session that is %(old)s cannot become %(new)s.") % {
            "old": words.get(old, old),
            "new": words.get(new, new),
        }
        raise CourseError(message, code=error.code, fields={"status": message}) from error


def require_reason(reason: str, *, field: str = "reason") -> str:
    """Return the reason without surrounding space.

    Raises: CourseError `reason_required` when it is empty.
    """
    text = reason.strip()
    if not text:
        message = _("Say why, in a few words.")
        raise CourseError(message, code="reason_required", fields={field: message})
    return text


def refuse(field: str, message: str, *, code: str) -> CourseError:
    """Return a refusal that concerns one field."""
    return CourseError(message, code=code, fields={field: message})


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime) else value
