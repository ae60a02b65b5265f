"""Booking, moving, confirming and cancelling one session."""

from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from audit.services import Actor
from clinics.models import Room, StaffMember
from courses import convert
from courses.models import Course, ResolvedReason, SessionStatus, TreatmentSession
from courses.services.changes import changing, refuse, require_session_move
from courses.services.slots import SlotWish, holding, wish_slot


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
    return session


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
) -> TreatmentSession:
    """Move a booking; moving in time is not a cancellation. A confirmed one asks to be confirmed again.

    Raises: CourseError when the session has an outcome or the slot cannot be held.
    """
    with changing(
        session.course,
        action="session_moved",
        by=by,
        now=now,
        reason=ResolvedReason.REBOOKED,
        session=str(session.code),
        old_starts_at=session.starts_at,
        starts_at=starts_at,
    ) as locked:
        session = lock_session(session)
        require_session_move(session.status, SessionStatus.BOOKED)
        slot = wish_slot(
            course=locked,
            starts_at=starts_at,
            minutes=minutes or minutes_of(session),
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


def minutes_of(session: TreatmentSession) -> int:
    """Return the length of the slot in minutes, 0 for a session without one."""
    if session.starts_at is None or session.ends_at is None:
        return 0
    return int((session.ends_at - session.starts_at).total_seconds()) // 60


def confirm_session(*, session: TreatmentSession, by: Actor, now: datetime) -> TreatmentSession:
    """Put on record that the client confirmed; doing it twice changes nothing.

    Raises: CourseError when the session is no longer booked.
    """
    session.refresh_from_db()
    if session.status == SessionStatus.CONFIRMED:
        return session
    with changing(
        session.course,
        action="session_confirmed",
        by=by,
        now=now,
        reason=ResolvedReason.REBOOKED,
        session=str(session.code),
    ):
        session = lock_session(session)
        require_session_move(session.status, SessionStatus.CONFIRMED)
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
    with changing(
        session.course,
        action="session_cancelled",
        by=by,
        now=now,
        reason=ResolvedReason.REBOOKED,
        session=str(session.code),
        whose=whose,
    ):
        session = lock_session(session)
        status = cancelled_status(session, whose=whose, now=now)
        require_session_move(session.status, status)
        change_session(
            session,
            status=status,
            outcome_at=now,
            outcome_by_id=by.staff_member_id,
            cancel_reason=reason.strip(),
        )
    return session


def cancelled_status(session: TreatmentSession, *, whose: str, now: datetime) -> SessionStatus:
    """Return the cancellation that it is: by whom, and for the client whether in time."""
    if whose == "clinic":
        return SessionStatus.CANCELLED_BY_CLINIC
    notice = timedelta(hours=session.clinic.notice_hours)
    is_late = session.starts_at is not None and now > session.starts_at - notice
    return SessionStatus.CANCELLED_LATE if is_late else SessionStatus.CANCELLED_BY_CLIENT


def lock_session(session: TreatmentSession) -> TreatmentSession:
    """Return the session as it is now, its row locked until the transaction ends."""
    return (
        TreatmentSession.objects.select_for_update(of=("self",))
        .select_related("clinic", "course")
        .get(pk=session.pk)
    )


def change_session(session: TreatmentSession, **values: object) -> None:
    """Write columns of a locked session and bump its version, so that messages about the old one are void."""
    for name, value in values.items():
        setattr(session, name, value)
    session.version += 1
    session.save(update_fields=[*values, "version"])
