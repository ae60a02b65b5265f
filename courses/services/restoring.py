"""Restoring: an applied disruption is taken back by a background job, as far as nothing else has changed since."""

import logging
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from django.db import DatabaseError, transaction
from django.utils.translation import gettext as _

from audit.services import Actor
from clinics.models import Absence, BackgroundJob, Closure
from clinics.services import lock_clinic
from courses import convert
from courses.errors import CourseError
from courses.models import (
    BOOKED_STATUSES,
    Course,
    CourseStatus,
    DisruptedSession,
    Disruption,
    DisruptionStatus,
    MoveOutcome,
    PlanPolicy,
    PlanRevision,
    ResolvedReason,
    SessionStatus,
    TreatmentSession,
    UndoOutcome,
)
from courses.services.calendar import remove_absence, remove_closure
from courses.services.changes import change_session, changing, lock_session, transacting
from courses.services.disrupting import hand_over, lock_of, rows_of
from courses.services.news import SessionNews, stand_of, tell_sessions
from courses.services.rebooking import COURSES_A_STEP, actor_of, new_day_of
from courses.services.slots import SlotWish, holding, wish_slot

logger = logging.getLogger(__name__)

UNDO_KIND: Final = "undo_disruption"
_DONE: Final = (MoveOutcome.MOVED, MoveOutcome.CANCELLED)
# What applying left each session as.
_LEFT_AS: Final = {
    MoveOutcome.MOVED: SessionStatus.BOOKED,
    MoveOutcome.CANCELLED: SessionStatus.CANCELLED_BY_CLINIC,
}


def is_undoable(disruption: Disruption) -> bool:
    """Return whether what a disruption did can be taken back: it was applied, or that or this stopped half-way."""
    half_way = (DisruptionStatus.APPLYING, DisruptionStatus.UNDOING)
    return disruption.status == DisruptionStatus.APPLIED or (
        disruption.status in half_way and disruption.job is not None and disruption.job.has_ended
    )


def undo_disruption(*, disruption: Disruption, by: Actor, now: datetime) -> Disruption:
    """Start the job that takes the outage out of the calendar again and puts the sessions back where they were.

    Raises: CourseError `not_applied` when there is nothing to take back, or somebody is at it (twice pressed).
    """
    with transacting():
        lock_clinic(disruption.clinic)
        locked = (
            Disruption.objects.select_for_update(of=("self",))
            .select_related("clinic", "job")
            .get(pk=disruption.pk)
        )
        if not is_undoable(locked):
            raise CourseError(_("There is nothing to take back, or it is under way."), code="not_applied")
        locked.status, locked.ended_at = DisruptionStatus.UNDOING, None
        locked.save(update_fields=["status", "ended_at"])
        waiting = locked.sessions.filter(outcome__in=_DONE, undone="").count()
        hand_over(locked, UNDO_KIND, by=by, now=now, total_count=waiting)
    return locked


def undo_step(job: BackgroundJob, now: datetime) -> bool:
    """Take back some more of a disruption: first the calendar's entry, then a few courses; a step of a background job.

    Raises: JobError `stale_plan` when the disruption is not waiting for that.
    """
    disruption = lock_of(job, DisruptionStatus.UNDOING)
    by = actor_of(job)
    if disruption.entry_code is not None:
        _take_off_record(disruption, by=by, now=now)
        return False
    waiting = rows_of(disruption).select_related("practitioner", "room").filter(outcome__in=_DONE, undone="")
    ids = list(dict.fromkeys(waiting.values_list("course", flat=True)))[:COURSES_A_STEP]
    # All in one order, as wherever several are locked.
    list(Course.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk").values_list("pk"))
    rows = list(waiting.filter(course__in=ids))
    for _pk, group in groupby(rows, key=lambda row: row.course_id):
        _restore_course(disruption, list(group), by=by, now=now)
    DisruptedSession.objects.bulk_update(rows, ["undone", "refusal"])
    job.done_count += len(rows)
    if waiting.exists():
        return False
    disruption.status, disruption.ended_at = DisruptionStatus.UNDONE, now
    disruption.save(update_fields=["status", "ended_at"])
    return True


def _take_off_record(disruption: Disruption, *, by: Actor, now: datetime) -> None:
    """Take the absence or the closure that this disruption entered out of the calendar, if it is still there."""
    of_clinic = {"clinic": disruption.clinic, "code": disruption.entry_code}
    if absence := Absence.objects.select_related("clinic").filter(**of_clinic).first():
        remove_absence(absence=absence, by=by, now=now)
    elif closure := Closure.objects.select_related("clinic").filter(**of_clinic).first():
        remove_closure(closure=closure, by=by, now=now)
    disruption.entry_code, disruption.is_recorded = None, False
    disruption.save(update_fields=["entry_code", "is_recorded"])


def _restore_course(
    disruption: Disruption, rows: Sequence[DisruptedSession], *, by: Actor, now: datetime
) -> None:
    """Put the sessions of one course back, each that can go, and note on its row what came of it."""
    course, code = rows[0].course, str(disruption.code)
    try:
        with (
            transaction.atomic(),
            changing(
                course,
                action="disruption_undone",
                by=by,
                now=now,
                reason=ResolvedReason.CORRECTED,
                is_open_required=False,
                disruption=code,
            ) as locked,
        ):
            refused = _restore_sessions(locked, rows, now=now)
            _restore_dates(locked, [row for row in rows if row.pk not in refused], now=now)
            if len(refused) == len(rows):
                # Nothing changed, so nothing is announced.
                raise _NothingRestored(refused)
    except _NothingRestored as nothing:
        refused = nothing.refused
    except CourseError as error:
        if error.code == "busy":
            # Of another's doing at this moment: the whole step is tried again.
            raise
        refused = {row.pk: error.code for row in rows}
    except DatabaseError:
        raise
    except Exception:
        # One course that cannot be worked out must not hold up those behind it.
        logger.exception("Course %s of a disruption could not be restored.", course.code)
        refused = {row.pk: "broken" for row in rows}
    for row in rows:
        row.refusal = refused.get(row.pk, "")
        row.undone = UndoOutcome.KEPT if row.pk in refused else UndoOutcome.BACK


class _NothingRestored(Exception):
    """What was tried for a course is taken back; no error."""

    def __init__(self, refused: dict[int, str]) -> None:
        super().__init__()
        self.refused = refused


def _restore_sessions(course: Course, rows: Sequence[DisruptedSession], *, now: datetime) -> dict[int, str]:
    """Put back what can go, and return by row id why the others cannot.

    One may stand where another was: whatever was refused is tried again as long as others make way.
    """
    if course.status == CourseStatus.DISCONTINUED:
        raise CourseError(_("The course was discontinued."), code="course_not_open")
    waiting, refused = list(rows), dict[int, str]()
    while waiting:
        refused = {}
        for row in waiting:
            try:
                _restore_session(course, row, now=now)
            except CourseError as error:
                refused[row.pk] = error.code
        if len(refused) == len(waiting):
            break
        waiting = [row for row in waiting if row.pk in refused]
    return refused


def _restore_dates(course: Course, rows: Sequence[DisruptedSession], *, now: datetime) -> None:
    """Plan by date again what gave way to sessions that have gone back, unless the course was planned anew since."""
    kept = [row for row in rows if "gave_way" in row.before]
    if not kept or not course.is_open:
        return
    last = PlanRevision.objects.filter(course=course).order_by("number").last()
    if last is None or last.policy != PlanPolicy.DISRUPTION:
        return
    today = convert.local_today(course.clinic, now)
    holding_day = (*BOOKED_STATUSES, SessionStatus.ATTENDED, SessionStatus.PLANNED)
    taken = set(
        TreatmentSession.objects.filter(course=course, status__in=holding_day).values_list("on", flat=True)
    )
    TreatmentSession.objects.bulk_create(
        TreatmentSession(
            clinic_id=course.clinic_id,
            course=course,
            client_id=course.client_id,
            status=SessionStatus.PLANNED,
            on=on,
            why=row.before["gave_way"],
            created_at=now,
        )
        for row in kept
        if (on := new_day_of(row)) is not None and on >= today and on not in taken
    )


def _restore_session(course: Course, row: DisruptedSession, *, now: datetime) -> None:
    """Make one session what it was before the disruption.

    Raises: CourseError `changed_since`, `confirmed_since`, or as wish_slot() and holding() for its slot.
    """
    session = lock_session(row.session)
    if session.status == SessionStatus.CONFIRMED and row.outcome == MoveOutcome.MOVED:
        raise CourseError(_("The client has confirmed the new time."), code="confirmed_since")
    if (session.status, session.version) != (
        _LEFT_AS[MoveOutcome(row.outcome)],
        row.before.get("version", 0) + 1,
    ):
        raise CourseError(_("The session was changed since."), code="changed_since")
    minutes = int((row.ends_at - row.starts_at).total_seconds()) // 60
    slot = wish_slot(
        course=course,
        starts_at=row.starts_at,
        minutes=minutes,
        practitioner=row.practitioner,
        room=row.room,
        now=now,
    )
    stood = stand_of(session)
    with holding(slot, course=course, session=session):
        change_session(session, **_values_before(course, session, row, slot))
    tell_sessions(course, [SessionNews(session, stood)], now=now)


def _values_before(
    course: Course, session: TreatmentSession, row: DisruptedSession, slot: SlotWish
) -> dict[str, Any]:
    confirmed = row.before["confirmed_at"]
    values: dict[str, Any] = {
        "status": row.before["status"],
        "confirmed_at": datetime.fromisoformat(confirmed) if confirmed else None,
        "on": slot.starts_at.astimezone(convert.zone_of(course.clinic)).date(),
        "starts_at": slot.starts_at,
        "ends_at": slot.ends_at,
        "practitioner": slot.practitioner,
        "room": slot.room,
        "why": row.before["why"],
    }
    if session.has_outcome:
        values |= {"outcome_at": None, "outcome_by_id": None, "cancel_reason": ""}
    return values
