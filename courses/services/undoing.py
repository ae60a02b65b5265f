"""Taking back what was just done to a session: it is what it was before, unless somebody has been there since."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from audit.services import Actor
from clinics.models import Room, StaffMember
from courses import convert
from courses.errors import CourseError
from courses.models import (
    BOOKED_STATUSES,
    Course,
    CourseStatus,
    ResolvedReason,
    SessionStatus,
    TreatmentSession,
)
from courses.services.changes import change_session, changing_session, refuse
from courses.services.slots import SlotWish, booking_in_the_way, holding


@dataclass(frozen=True, slots=True)
class SessionBefore:
    """What a session was before an act, as much of it as an act changes; codes and instants only.

    `acted_at` is when the act took it from there, `left_status` and `left_version` what the act made of it.
    """

    status: str
    starts_at: datetime | None
    ends_at: datetime | None
    practitioner: str | None
    room: str | None
    is_pinned: bool
    confirmed_at: datetime | None
    arrived_at: datetime | None
    acted_at: datetime
    left_status: str
    left_version: int


def before_act(
    before: TreatmentSession, after: TreatmentSession, *, acted_at: datetime
) -> SessionBefore | None:
    """Return what an undo needs of an act, or None when more than that act lies between the two."""
    if before.has_outcome or after.version - before.version > 1:
        return None
    return SessionBefore(
        status=before.status,
        starts_at=before.starts_at,
        ends_at=before.ends_at,
        practitioner=str(before.practitioner.code) if before.practitioner else None,
        room=str(before.room.code) if before.room else None,
        is_pinned=before.is_pinned,
        confirmed_at=before.confirmed_at,
        arrived_at=before.arrived_at,
        acted_at=acted_at,
        left_status=after.status,
        left_version=after.version,
    )


def undo_session(
    *, session: TreatmentSession, before: SessionBefore, by: Actor, now: datetime
) -> TreatmentSession:
    """Make a session again what it was before an act of the same day; its messages follow.

    Raises: CourseError `too_late` on another day, `stale` when it was changed since, `course_not_open` on a
    discontinued course, `slot_taken` or `day_taken` when its slot was given away.
    """
    with changing_session(
        session,
        action="session_undone",
        by=by,
        now=now,
        reason=ResolvedReason.CORRECTED,
        is_open_required=False,
    ) as (locked, session):
        _refuse_undo(locked, session, before, now=now)
        values = _values_before(locked, session, before)
        if before.status in BOOKED_STATUSES:
            # The slot may have been given away since it was left.
            with holding(_slot(locked, before), course=locked, session=session):
                change_session(session, **values)
        else:
            change_session(session, **values)
    return session


def find_holder(*, session: TreatmentSession, before: SessionBefore | None = None) -> TreatmentSession | None:
    """Return the booking that has the slot which a session left, by what it was before if that was another one.

    Cost: up to three queries.
    """
    if before is not None and before.starts_at is not None:
        slot = _slot(session.course, before)
    elif session.starts_at is not None and session.ends_at is not None:
        slot = SlotWish(session.starts_at, session.ends_at, session.practitioner, session.room)
    else:
        return None
    return booking_in_the_way(slot, course=session.course, session=session)


def _refuse_undo(course: Course, session: TreatmentSession, before: SessionBefore, *, now: datetime) -> None:
    if convert.local_today(course.clinic, before.acted_at) != convert.local_today(course.clinic, now):
        raise CourseError(
            _("This was done on another day. Correct the session on the course's page."), code="too_late"
        )
    if (session.status, session.version) != (before.left_status, before.left_version):
        raise refuse(
            "session", _("Somebody changed this session meanwhile. Look how it stands now."), code="stale"
        )
    if course.status == CourseStatus.DISCONTINUED:
        raise CourseError(_("The course was discontinued."), code="course_not_open")


def _slot(course: Course, before: SessionBefore) -> SlotWish:
    # A session that is booked has a slot.
    assert before.starts_at is not None
    assert before.ends_at is not None
    person = room = None
    if before.practitioner:
        person = StaffMember.objects.for_clinic(course.clinic).filter(code=before.practitioner).first()
    if before.room:
        room = Room.objects.for_clinic(course.clinic).filter(code=before.room).first()
    return SlotWish(before.starts_at, before.ends_at, person, room)


def _values_before(course: Course, session: TreatmentSession, before: SessionBefore) -> dict[str, Any]:
    values: dict[str, Any] = {
        "status": before.status,
        "is_pinned": before.is_pinned,
        "confirmed_at": before.confirmed_at,
        "arrived_at": before.arrived_at,
    }
    if session.has_outcome:
        values |= {"outcome_at": None, "outcome_by_id": None, "cancel_reason": ""}
    if session.status == SessionStatus.ATTENDED:
        # What was noted belonged to the treatment that did not take place.
        values |= {"minutes": None, "reaction": "", "pain_before": None, "pain_after": None}
        values |= {"treatments": [], "note": ""}
    if (session.starts_at, session.ends_at) != (before.starts_at, before.ends_at):
        values |= {"starts_at": before.starts_at, "ends_at": before.ends_at}
        if before.starts_at is not None:
            values["on"] = before.starts_at.astimezone(convert.zone_of(course.clinic)).date()
    if before.starts_at is not None:
        slot = _slot(course, before)
        values |= {"practitioner": slot.practitioner, "room": slot.room}
    return values
