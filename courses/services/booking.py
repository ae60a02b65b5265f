"""Booking, moving, confirming and cancelling one session."""

from datetime import date, datetime, timedelta

from django.utils.translation import gettext as _

from audit.services import Actor
from clinics.models import Room, StaffMember
from courses import convert
from courses.models import Course, ResolvedReason, SessionStatus, TreatmentSession
from courses.services.changes import (
    change_session,
    changing,
    changing_session,
    fitting_text,
    lock_course,
    lock_session,
    refuse,
    require_session_move,
    transacting,
)
from courses.services.news import SessionNews, tell_sessions
from courses.services.slots import SlotWish, holding, minutes_of, session_minutes, wish_slot


def book_session(
    *,
    course: Course,
    starts_at: datetime,
    minutes: int,
    practitioner: StaffMember | None,
    room: Room | None,
    by: Actor,
    now: datetime,
    is_pinned: bool = True,
) -> TreatmentSession:
    """Book one more session of a course; what a person chose stays where it is when the rest is replanned.

    Raises: CourseError when the slot cannot be held.
    """
    with changing(course, action="session_booked", by=by, now=now, reason=ResolvedReason.REBOOKED) as locked:
        slot = wish_slot(
            course=locked,
            starts_at=starts_at,
            minutes=minutes,
            practitioner=practitioner,
            room=room,
            now=now,
        )
        with holding(slot, course=locked):
            session = TreatmentSession.objects.create(
                clinic=locked.clinic,
                course=locked,
                client_id=locked.client_id,
                status=SessionStatus.BOOKED,
                created_at=now,
                is_pinned=is_pinned,
                **slot_values(locked, slot),
            )
            drop_planned_on(locked, session.on)
        tell_sessions(locked, [SessionNews(session)], now=now)
    return session


def drop_planned_on(course: Course, day: date) -> None:
    """Forget that a session was planned by date for a day that now has one."""
    TreatmentSession.objects.filter(course=course, status=SessionStatus.PLANNED, on=day).delete()


def slot_values(course: Course, slot: SlotWish) -> dict[str, object]:
    """Return a slot as the column values of a session."""
    return {
        "on": slot.starts_at.astimezone(convert.zone_of(course.clinic)).date(),
        "starts_at": slot.starts_at,
        "ends_at": slot.ends_at,
        "practitioner": slot.practitioner,
        "room": slot.room,
    }


def move_session(
    *,
    session: TreatmentSession,
    starts_at: datetime,
    practitioner: StaffMember | None,
    room: Room | None,
    by: Actor,
    now: datetime,
    minutes: int | None = None,
    seen_version: int | None = None,
) -> TreatmentSession:
    """Move a booking; moving in time is not a cancellation. A confirmed one asks to be confirmed again.

    `seen_version` is the session's as the mover saw it: a session that changed since stays where others put it.
    Raises: CourseError when the session has begun, has an outcome or changed since, or the slot cannot be held.
    """
    with changing_session(
        session, action="session_moved", by=by, now=now, reason=ResolvedReason.REBOOKED
    ) as (locked, session):
        require_session_move(session.status, SessionStatus.BOOKED)
        if seen_version is not None and session.version != seen_version:
            raise refuse(
                "session", _("Somebody changed this session meanwhile. Look where it is now."), code="stale"
            )
        if session.starts_at is not None and session.starts_at <= now:
            # Moving it would hide that the client did not come.
            raise refuse(
                "starts_at",
                _("This session's time has passed. Record what happened, then book another one."),
                code="session_past",
            )
        slot = wish_slot(
            course=locked,
            starts_at=starts_at,
            minutes=minutes if minutes is not None else _minutes_wanted(locked, session),
            practitioner=practitioner,
            room=room,
            now=now,
        )
        with holding(slot, course=locked, session=session):
            change_session(
                session,
                status=SessionStatus.BOOKED,
                confirmed_at=None,
                arrived_at=None,
                is_pinned=True,
                why=[],
                **slot_values(locked, slot),
            )
    return session


def _minutes_wanted(course: Course, session: TreatmentSession) -> int:
    """Return the length to book: the slot's own, for one planned by date what the prescription asks for."""
    if session.starts_at is not None:
        return minutes_of(session)
    phases = convert.load_facts([course])[course.pk].prescription.phases
    return session_minutes(phases[course.phase_position or 0 :])


def confirm_session(*, session: TreatmentSession, by: Actor, now: datetime) -> TreatmentSession:
    """Put on record that the client confirmed; doing it twice changes nothing.

    Raises: CourseError when the session is no longer booked, or its day has passed.
    """
    with transacting():
        lock_course(session.course)
        found = lock_session(session)
        if found.status == SessionStatus.CONFIRMED:
            return found
        with changing_session(
            session, action="session_confirmed", by=by, now=now, reason=ResolvedReason.CHANGED
        ) as (locked, session):
            require_session_move(session.status, SessionStatus.CONFIRMED)
            if session.on < convert.local_today(locked.clinic, now):
                raise refuse("session", _("The day of this session has passed."), code="session_past")
            # The slot stays: a reminder of it is still true, so the version stays too.
            session.status = SessionStatus.CONFIRMED
            session.confirmed_at = now
            session.save(update_fields=["status", "confirmed_at"])
    return session


def cancel_session(
    *, session: TreatmentSession, whose: str, by: Actor, now: datetime, reason: str = ""
) -> TreatmentSession:
    """Cancel a booking for the client or the clinic; inside the notice time a client's counts as late.

    Raises: CourseError when the session is not booked, or `whose` is neither "client" nor "clinic".
    """
    if whose not in ("client", "clinic"):
        raise refuse("whose", _("Say who cancelled: the client or the clinic."), code="unknown_canceller")
    text = fitting_text(reason, column=TreatmentSession.cancel_reason, field="reason")
    with changing_session(
        session, action="session_cancelled", by=by, now=now, reason=ResolvedReason.CANCELLED, whose=whose
    ) as (_locked, session):
        status = cancelled_status(session, whose=whose, now=now)
        require_session_move(session.status, status)
        change_session(
            session,
            status=status,
            outcome_at=now,
            outcome_by_id=by.staff_member_id,
            cancel_reason=text,
        )
    return session


def cancelled_status(session: TreatmentSession, *, whose: str, now: datetime) -> SessionStatus:
    """Return the cancellation that it is: by whom, and for the client whether in time."""
    if whose == "clinic":
        return SessionStatus.CANCELLED_BY_CLINIC
    notice = timedelta(hours=session.clinic.notice_hours)
    is_late = session.starts_at is not None and now > session.starts_at - notice
    return SessionStatus.CANCELLED_LATE if is_late else SessionStatus.CANCELLED_BY_CLIENT
