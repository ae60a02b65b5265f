"""What every verb shares: lock the course, guard, then reassess, announce and audit in one transaction."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, Final

from django.db import OperationalError, transaction
from django.utils.translation import gettext as _

from audit.models import ActorKind
from audit.services import Actor, Entry, record_all
from clinics.access import Capability, is_allowed
from clinics.models import Clinic, StaffMember
from courses import convert
from courses.core.states import (
    SESSION_CORRECTIONS,
    SESSION_TRANSITIONS,
    TransitionError,
    check_transition,
)
from courses.errors import CourseError
from courses.models import OUTCOME_STATUSES, Course, CourseStatus, SessionStatus, TreatmentSession
from courses.services.assessing import open_flags, reassess, store_assessment, store_measures
from courses.services.news import SessionNews, stand_of, tell_sessions
from courses.signals import course_acted, course_changed, courses_changed

# Serialization failure, deadlock, lock not available: what PostgreSQL ends one of two transactions with.
_CONFLICT_STATES: Final = ("40001", "40P01", "55P03")
_LONGEST_NOTE: Final = 10_000


@contextmanager
def transacting() -> Iterator[None]:
    """Run the body in one transaction; losing against one at the same moment is a refusal, not a fault.

    Raises: CourseError `busy`, after which the same may be tried again.
    """
    try:
        with transaction.atomic():
            yield
    except OperationalError as error:
        if not is_conflict(error):
            raise
        raise CourseError(
            _("Somebody else was changing the same at this moment. Try it again."), code="busy"
        ) from error


def is_conflict(error: OperationalError) -> bool:
    """Return whether the database gave up because of another transaction, and trying again may do."""
    state = getattr(error.__cause__, "sqlstate", None)
    return state in _CONFLICT_STATES or "database is locked" in str(error)


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
    with transacting():
        locked = lock_course(course)
        if is_open_required:
            require_open(locked)
        yield locked
        finish_change(locked, action=action, by=by, now=now, reason=reason, details=details)
    # The caller's copy shows what was stored.
    course.refresh_from_db()


@contextmanager
def changing_session(
    session: TreatmentSession,
    *,
    action: str,
    by: Actor,
    now: datetime,
    reason: str,
    is_open_required: bool = True,
    **details: Any,
) -> Iterator[tuple[Course, TreatmentSession]]:
    """Yield the session's course and the session, both locked; else as changing().

    What the body changes of the session's status, day and slot is audited with its old values.
    """
    with transacting():
        course = lock_course(session.course)
        if is_open_required:
            require_open(course)
        locked = lock_session(session)
        before, stood = _audited(locked), stand_of(locked)
        yield course, locked
        after = _audited(locked)
        changed = [name for name in before if before[name] != after[name]]
        tell_sessions(course, [SessionNews(locked, stood)], now=now)
        finish_change(
            course,
            action=action,
            by=by,
            now=now,
            reason=reason,
            old={name: before[name] for name in changed},
            details={"session": str(locked.code), **details, **{name: after[name] for name in changed}},
        )
    session.course.refresh_from_db()


def _audited(session: TreatmentSession) -> dict[str, Any]:
    return {
        "status": str(session.status),
        "on": session.on,
        "starts_at": session.starts_at,
        "practitioner": str(session.practitioner.code) if session.practitioner else None,
        "room": str(session.room.code) if session.room else None,
    }


def finish_change(
    course: Course,
    *,
    action: str,
    by: Actor,
    now: datetime,
    reason: str,
    details: dict[str, Any],
    old: dict[str, Any] | None = None,
) -> None:
    """Reassess, announce and audit a change of a locked course."""
    course.version += 1
    course.save(update_fields=["version"])
    if course.status == CourseStatus.DISCONTINUED:
        store_measures(course, now=now)
    elif course.status != CourseStatus.DRAFT:
        reassess(course=course, now=now, reason=reason)
    _tell(course, action=action, by=by, now=now, details=details, old=old)


def _tell(
    course: Course,
    *,
    action: str,
    by: Actor,
    now: datetime,
    details: dict[str, Any],
    old: dict[str, Any] | None = None,
) -> None:
    course_changed.send(sender=Course, course_id=course.pk, course=course, now=now)
    _announce(course, action, details, now=now)
    record_all([_audit_entry(course, action, by=by, now=now, details=details, old=old)])


def _announce(course: Course, action: str, details: dict[str, Any], *, now: datetime) -> None:
    new = {name: _plain(value) for name, value in details.items()}
    course_acted.send(sender=Course, course_id=course.pk, course=course, action=action, details=new, now=now)


def _audit_entry(
    course: Course,
    action: str,
    *,
    by: Actor,
    now: datetime,
    details: dict[str, Any],
    old: dict[str, Any] | None = None,
) -> Entry:
    return Entry(
        action=f"course.{action}",
        at=now,
        by=by,
        clinic_code=course.clinic.code,
        subject_kind="course",
        subject_code=course.code,
        old={name: _plain(value) for name, value in (old or {}).items()},
        new={name: _plain(value) for name, value in details.items()},
    )


def finish_changes(
    courses: Sequence[Course],
    *,
    action: str,
    by: Actor,
    now: datetime,
    reason: str,
    details: Mapping[int, dict[str, Any]],
) -> None:
    """Do what finish_change() does of one for several open courses of one clinic that are locked; `details` by id.

    Cost: as load_facts(), two queries to write the versions and the audit events, and those of what changed.
    """
    if not courses:
        return
    today = convert.local_today(courses[0].clinic, now)
    for course in courses:
        course.version += 1
    Course.objects.bulk_update(courses, ["version"])
    facts, flags = convert.load_facts(courses), open_flags(courses)
    for course in courses:
        assessment = convert.assess_facts(facts[course.pk], today=today)
        store_assessment(course, assessment, today=today, now=now, reason=reason, flags=flags[course.pk])
    courses_changed.send(sender=Course, courses=courses, now=now)
    for course in courses:
        _announce(course, action, details[course.pk], now=now)
    record_all(_audit_entry(course, action, by=by, now=now, details=details[course.pk]) for course in courses)


def lock_courses(ids: Collection[int]) -> list[Course]:
    """Return the courses as they are now, their rows locked until the transaction ends, in the order of ids."""
    return list(
        Course.objects.select_for_update(of=("self",))
        .select_related("clinic", "client", "protocol")
        .filter(pk__in=ids)
        .order_by("pk")
    )


def lock_course(course: Course) -> Course:
    """Return the course as it is now, its row locked until the transaction ends."""
    return (
        Course.objects.select_for_update(of=("self",))
        .select_related("clinic", "client", "protocol")
        .get(pk=course.pk)
    )


def lock_session(session: TreatmentSession) -> TreatmentSession:
    """Return the session as it is now, its row locked until the transaction ends."""
    return (
        TreatmentSession.objects.select_for_update(of=("self",))
        .select_related("clinic", "course", "practitioner", "room")
        .get(pk=session.pk)
    )


def change_session(session: TreatmentSession, **values: object) -> None:
    """Write columns of a locked session and bump its version, so that messages about the old one are void."""
    for name, value in values.items():
        setattr(session, name, value)
    session.version += 1
    session.save(update_fields=[*values, "version"])


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
    member = StaffMember.objects.filter(pk=by.staff_member_id or 0, clinic=clinic, is_active=True).first()
    # A prescriber who made a token has not prescribed what its program asks for.
    is_program = by.kind == ActorKind.TOKEN
    if member is None or is_program or not is_allowed(member, Capability.PRESCRIBE):
        raise CourseError(_("Only a prescriber may do this."), code="prescriber_required")
    return member


def require_staff(by: Actor, clinic: Clinic) -> StaffMember:
    """Return the acting staff member of the clinic, for a token whoever made it, also one who has left since.

    Raises: CourseError `staff_required` for anybody else.
    """
    member = StaffMember.objects.filter(pk=by.staff_member_id or 0, clinic=clinic).first()
    if member is None or not (member.is_active or by.kind == ActorKind.TOKEN):
        raise CourseError(_("Only the clinic's staff may do this."), code="staff_required")
    return member


def require_session_move(old: str, new: str, *, is_correction: bool = False) -> None:
    """Refuse a change of a session's status that the tables do not allow.

    Raises: CourseError `transition_refused`.
    """
    # Plain texts: words that the tables do not know are refused too.
    table: Any = SESSION_CORRECTIONS if is_correction else SESSION_TRANSITIONS
    try:
        check_transition(table, old, new)
    except TransitionError as error:
        words: dict[Any, Any] = dict(SessionStatus.choices)
        said = _("A session that is %(old)s cannot become %(new)s.")
        if old in OUTCOME_STATUSES and not is_correction:
            # As a rule a colleague was faster.
            said = _("This session is recorded already: %(old)s. If that is wrong, correct it on its course.")
        message = said % {"old": words.get(old, old), "new": words.get(new, new)}
        raise CourseError(message, code=error.code, fields={"status": message}) from error


def require_reason(reason: str, *, column: Any, field: str = "reason") -> str:
    """Return the reason without surrounding space, when it fits its column.

    Raises: CourseError `reason_required` when it is empty, else as fitting_text().
    """
    text = fitting_text(reason, column=column, field=field)
    if not text:
        raise refuse(field, _("Say why, in a few words."), code="reason_required")
    return text


def fitting_text(text: str, *, column: Any, field: str) -> str:
    """Return what was typed without surrounding space, when the column (such as Pause.note) can hold it.

    Raises: CourseError `text_too_long` or `text_unreadable` naming the field.
    """
    found = text.strip()
    longest = column.field.max_length or _LONGEST_NOTE
    if len(found) > longest:
        raise refuse(
            field, _("Write at most %(longest)s characters.") % {"longest": longest}, code="text_too_long"
        )
    if "\0" in found:
        raise refuse(field, _("Leave out the characters that cannot be printed."), code="text_unreadable")
    return found


def refuse(field: str, message: str, *, code: str) -> CourseError:
    """Return a refusal that concerns one field."""
    return CourseError(message, code=code, fields={field: message})


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime) else value
