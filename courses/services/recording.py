"""What happened: arrivals, outcomes, reactions, and their corrections."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _

from audit.services import Actor
from clinics.models import StaffMember
from courses.convert import local_today
from courses.errors import CourseError
from courses.models import (
    BOOKED_STATUSES,
    OUTCOME_STATUSES,
    Course,
    CourseStatus,
    Reaction,
    ResolvedReason,
    SessionStatus,
    TreatmentSession,
)
from courses.services.booking import change_session, lock_session
from courses.services.changes import changing, refuse, require_session_move
from courses.services.slots import LONGEST_MINUTES, SlotWish, day_taken, holding


def record_arrival(*, session: TreatmentSession, by: Actor, now: datetime) -> TreatmentSession:
    """Put on record that the client is here.

    Raises: CourseError when the session is not booked for today.
    """
    with changing(
        session.course,
        action="session_arrived",
        by=by,
        now=now,
        reason=ResolvedReason.ATTENDED,
        session=str(session.code),
    ):
        session = lock_session(session)
        require_session_move(session.status, SessionStatus.ARRIVED)
        if session.on != local_today(session.clinic, now):
            raise refuse("session", _("Arrivals are recorded on the day itself."), code="not_today")
        session.status = SessionStatus.ARRIVED
        session.arrived_at = now
        session.save(update_fields=["status", "arrived_at"])
    return session


def record_attendance(
    *,
    session: TreatmentSession,
    by: Actor,
    now: datetime,
    minutes: int | None = None,
    reaction: str = "",
    pain_before: int | None = None,
    pain_after: int | None = None,
    treatments: Sequence[str] = (),
    note: str = "",
) -> TreatmentSession:
    """Record a session as attended, today or in the past, with how it went.

    Raises: CourseError for a future session, one with an outcome, or values out of range.
    """
    details = _checked_details(minutes, reaction, pain_before, pain_after, treatments, note)
    return _record_outcome(session, SessionStatus.ATTENDED, by=by, now=now, details=details)


def record_no_show(*, session: TreatmentSession, by: Actor, now: datetime) -> TreatmentSession:
    """Record that the client did not come, today or in the past.

    Raises: CourseError for a future session or one with an outcome.
    """
    return _record_outcome(session, SessionStatus.NO_SHOW, by=by, now=now, details={})


def _record_outcome(
    session: TreatmentSession, status: SessionStatus, *, by: Actor, now: datetime, details: dict[str, Any]
) -> TreatmentSession:
    reason = ResolvedReason.ATTENDED if status == SessionStatus.ATTENDED else ResolvedReason.TIME
    with changing(
        session.course,
        action=f"session_{status}",
        by=by,
        now=now,
        reason=reason,
        session=str(session.code),
    ) as locked:
        session = lock_session(session)
        require_session_move(session.status, status)
        _refuse_future(locked, session.on, now=now)
        if status == SessionStatus.ATTENDED:
            _refuse_second_attendance(locked, session.on, session)
        change_session(session, status=status, outcome_at=now, outcome_by_id=by.staff_member_id, **details)
    return session


def record_walk_in(
    *,
    course: Course,
    on: date,
    by: Actor,
    now: datetime,
    practitioner: StaffMember | None = None,
    minutes: int | None = None,
    reaction: str = "",
    pain_before: int | None = None,
    pain_after: int | None = None,
    treatments: Sequence[str] = (),
    note: str = "",
) -> TreatmentSession:
    """Record an attended session that was never booked, today or in the past.

    Raises: CourseError for a future day or a day that already has a session.
    """
    details = _checked_details(minutes, reaction, pain_before, pain_after, treatments, note)
    with changing(
        course, action="session_walked_in", by=by, now=now, reason=ResolvedReason.ATTENDED, on=on
    ) as locked:
        _refuse_future(locked, on, now=now)
        if TreatmentSession.objects.filter(
            course=locked, on=on, status__in=(*BOOKED_STATUSES, SessionStatus.ATTENDED)
        ).exists():
            raise day_taken()
        session = TreatmentSession.objects.create(
            clinic=locked.clinic,
            course=locked,
            client_id=locked.client_id,
            status=SessionStatus.ATTENDED,
            on=on,
            practitioner=practitioner,
            created_at=now,
            outcome_at=now,
            outcome_by_id=by.staff_member_id,
            **details,
        )
    return session


def correct_session(
    *,
    session: TreatmentSession,
    status: str,
    by: Actor,
    now: datetime,
    on: date | None = None,
    reason: str = "",
) -> TreatmentSession:
    """Mend a wrong outcome; the course is assessed again at once, also one that seemed completed.

    Back to "booked" takes an outcome away. `on` mends the day of an attended session.
    Raises: CourseError for a discontinued course, a status that the session cannot have, a future day,
    or a day that already has a session.
    """
    with changing(
        session.course,
        action="session_corrected",
        by=by,
        now=now,
        reason=ResolvedReason.CORRECTED,
        is_open_required=False,
        session=str(session.code),
        old=session.status,
        status=status,
        why=bool(reason.strip()),
    ) as locked:
        if locked.status == CourseStatus.DISCONTINUED:
            raise CourseError(_("The course was discontinued."), code="course_not_open")
        session = lock_session(session)
        require_session_move(session.status, status, is_correction=True)
        day = on or session.on
        values: dict[str, Any] = {"status": status}
        if status in OUTCOME_STATUSES:
            _refuse_future(locked, day, now=now)
            values |= {"outcome_at": now, "outcome_by_id": by.staff_member_id}
        else:
            values |= {"outcome_at": None, "outcome_by_id": None, "cancel_reason": ""}
        if status in (*BOOKED_STATUSES, SessionStatus.ATTENDED):
            _refuse_second_attendance(locked, day, session)
        if day != session.on:
            # The slot belonged to the day that was wrong.
            values |= {"on": day, "starts_at": None, "ends_at": None}
        if status in BOOKED_STATUSES:
            # The slot may have been given away since it was freed.
            with holding(_slot_of(session), course=locked, session=session):
                change_session(session, **values)
        else:
            change_session(session, **values)
    return session


def _slot_of(session: TreatmentSession) -> SlotWish:
    if session.starts_at is None or session.ends_at is None:
        raise refuse("status", _("The session never had a slot."), code="no_slot")
    return SlotWish(session.starts_at, session.ends_at, session.practitioner, session.room)


def _refuse_future(course: Course, on: date, *, now: datetime) -> None:
    if on > local_today(course.clinic, now):
        raise refuse("on", _("Outcomes are recorded for today or the past only."), code="outcome_future")


def _refuse_second_attendance(course: Course, on: date, session: TreatmentSession) -> None:
    if (
        TreatmentSession.objects.filter(
            course=course, on=on, status__in=(*BOOKED_STATUSES, SessionStatus.ATTENDED)
        )
        .exclude(pk=session.pk)
        .exists()
    ):
        raise day_taken()


def _checked_details(
    minutes: int | None,
    reaction: str,
    pain_before: int | None,
    pain_after: int | None,
    treatments: Sequence[str],
    note: str,
) -> dict[str, Any]:
    if minutes is not None and not 1 <= minutes <= LONGEST_MINUTES:
        raise refuse("minutes", _("A session lasts from 1 to 600 minutes."), code="minutes_out_of_range")
    if reaction and reaction not in Reaction:
        raise refuse("reaction", _("Choose one of the reactions."), code="unknown_reaction")
    for field, score in (("pain_before", pain_before), ("pain_after", pain_after)):
        if score is not None and not 0 <= score <= 10:
            raise refuse(field, _("A pain score lies from 0 to 10."), code="pain_out_of_range")
    return {
        "minutes": minutes,
        "reaction": reaction,
        "pain_before": pain_before,
        "pain_after": pain_after,
        "treatments": list(treatments),
        "note": note.strip(),
    }
