"""What happened: arrivals, outcomes, reactions, and their corrections."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.utils.translation import gettext as _

from audit.services import Actor
from clinics.models import StaffMember
from courses.convert import local_today
from courses.errors import CourseError
from courses.models import (
    BOOKED_STATUSES,
    CANCELLED_STATUSES,
    OUTCOME_STATUSES,
    Course,
    CourseStatus,
    Reaction,
    ResolvedReason,
    SessionStatus,
    TreatmentSession,
)
from courses.services.booking import drop_planned_on
from courses.services.changes import (
    change_session,
    changing,
    changing_session,
    fitting_text,
    refuse,
    require_open,
    require_session_move,
)
from courses.services.news import SessionNews, tell_sessions
from courses.services.slots import SlotWish, day_taken, holding, require_own
from courses.validators import LONGEST_MINUTES

EARLIEST_RECORD: Final = timedelta(days=366)


def record_arrival(*, session: TreatmentSession, by: Actor, now: datetime) -> TreatmentSession:
    """Put on record that the client is here.

    Raises: CourseError when the session is not booked for today.
    """
    with changing_session(
        session, action="session_arrived", by=by, now=now, reason=ResolvedReason.RECORDED
    ) as (locked, session):
        require_session_move(session.status, SessionStatus.ARRIVED)
        if session.on != local_today(locked.clinic, now):
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
    reason = ResolvedReason.ATTENDED if status == SessionStatus.ATTENDED else ResolvedReason.RECORDED
    with changing_session(
        session, action=f"session_{status}", by=by, now=now, reason=reason, is_open_required=False
    ) as (locked, session):
        _require_recordable(locked, session.on)
        require_session_move(session.status, status)
        _refuse_future(locked, session.on, now=now)
        if status == SessionStatus.ATTENDED:
            _refuse_second_attendance(locked, session.on, session)
        change_session(session, status=status, outcome_at=now, outcome_by_id=by.staff_member_id, **details)
    return session


def _require_recordable(course: Course, on: date) -> None:
    """Refuse what a course that is over cannot have seen; what came before its end may still be recorded.

    Raises: CourseError `course_not_open`.
    """
    if course.ended_at is None or on > local_today(course.clinic, course.ended_at):
        require_open(course)


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

    Raises: CourseError for a future day, a day that already has a session, or a foreign practitioner.
    """
    details = _checked_details(minutes, reaction, pain_before, pain_after, treatments, note)
    with changing(
        course,
        action="session_walked_in",
        by=by,
        now=now,
        reason=ResolvedReason.ATTENDED,
        is_open_required=False,
        on=on,
    ) as locked:
        _require_recordable(locked, on)
        _refuse_future(locked, on, now=now)
        _refuse_long_ago(locked, on)
        require_own(locked, practitioner, None)
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
        drop_planned_on(locked, on)
        tell_sessions(locked, [SessionNews(session)], now=now)
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

    Back to "booked" takes an outcome away. `on` mends the day of an attended session. The reason is kept: of a
    cancellation as its own, else as that of the correction.
    Raises: CourseError for a status that the session cannot have, a future day, a day that already has a
    session, or a booking on a discontinued course.
    """
    text = fitting_text(reason, column=TreatmentSession.correction_reason, field="reason")
    with changing_session(
        session,
        action="session_corrected",
        by=by,
        now=now,
        reason=ResolvedReason.CORRECTED,
        is_open_required=False,
    ) as (locked, session):
        day = on or session.on
        _require_correction(locked, session, status, day)
        values = _corrected_values(session, status, day, by=by, now=now, reason=text)
        if status in (SessionStatus.ATTENDED, SessionStatus.NO_SHOW):
            _refuse_future(locked, day, now=now)
        if status == SessionStatus.ATTENDED:
            _refuse_second_attendance(locked, day, session)
        if status in BOOKED_STATUSES:
            # The slot may have been given away since it was freed.
            with holding(_slot_of(session), course=locked, session=session):
                change_session(session, **values)
        else:
            change_session(session, **values)
    return session


def _require_correction(course: Course, session: TreatmentSession, status: str, day: date) -> None:
    if course.status == CourseStatus.DISCONTINUED and status in BOOKED_STATUSES:
        raise CourseError(_("The course was discontinued."), code="course_not_open")
    if day != session.on and status != SessionStatus.ATTENDED:
        raise refuse("on", _("Only the day of an attended session can be mended."), code="day_fixed")
    if day != session.on:
        _refuse_long_ago(course, day)
    is_day_mended = status == session.status == SessionStatus.ATTENDED and day != session.on
    if not is_day_mended:
        require_session_move(session.status, status, is_correction=True)


def _corrected_values(
    session: TreatmentSession, status: str, day: date, *, by: Actor, now: datetime, reason: str
) -> dict[str, Any]:
    """Return the columns of a corrected session, without what belonged to the outcome that was wrong."""
    values: dict[str, Any] = {"status": status, "cancel_reason": "", "correction_reason": ""}
    if status in OUTCOME_STATUSES:
        values |= {"outcome_at": now, "outcome_by_id": by.staff_member_id}
    else:
        values |= {"outcome_at": None, "outcome_by_id": None, "arrived_at": None}
    if status == SessionStatus.BOOKED:
        values["confirmed_at"] = None
    values["cancel_reason" if status in CANCELLED_STATUSES else "correction_reason"] = reason
    if day != session.on:
        # The slot belonged to the day that was wrong.
        values |= {"on": day, "starts_at": None, "ends_at": None}
    return values


def _slot_of(session: TreatmentSession) -> SlotWish:
    if session.starts_at is None or session.ends_at is None:
        raise refuse("status", _("The session never had a slot."), code="no_slot")
    return SlotWish(session.starts_at, session.ends_at, session.practitioner, session.room)


def _refuse_future(course: Course, on: date, *, now: datetime) -> None:
    if on > local_today(course.clinic, now):
        raise refuse("on", _("Outcomes are recorded for today or the past only."), code="outcome_future")


def _refuse_long_ago(course: Course, on: date) -> None:
    # A mistyped year would put everything after it out of its window.
    if on < course.start_on - EARLIEST_RECORD:
        raise refuse(
            "on", _("That is more than a year before the course. Check the date."), code="outcome_long_ago"
        )


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
        "note": fitting_text(note, column=TreatmentSession.note, field="note"),
    }
