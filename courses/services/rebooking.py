"""Rebooking: of a disruption that was planned, what was chosen is done by a background job."""

import logging
import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import Final

from django.db import DatabaseError, transaction
from django.utils.translation import gettext as _

from audit.models import ActorKind
from audit.services import SYSTEM, Actor
from clinics.jobs import JobError
from clinics.models import Absence, BackgroundJob, Closure
from clinics.services import lock_clinic
from courses import convert
from courses.core.plan import Plan, PlanCost, PlannedSession
from courses.errors import CourseError
from courses.models import (
    Course,
    DisruptedSession,
    Disruption,
    DisruptionStatus,
    MoveChoice,
    MoveOutcome,
    PlanPolicy,
    SessionStatus,
    TreatmentSession,
)
from courses.services.applying import apply_plan
from courses.services.booking import cancel_session
from courses.services.calendar import add_absence, add_closure
from courses.services.changes import transacting
from courses.services.disrupted import (
    is_on_record,
)
from courses.services.disrupting import hand_over, lock_of, outage_of, rows_of
from courses.services.moving import apply_moves
from courses.services.proposing import PlanProposal

logger = logging.getLogger(__name__)

APPLY_KIND: Final = "apply_disruption"
# A few tenths of a second, during which nobody else can change these courses.
COURSES_A_STEP: Final = 25


def choose_moves(*, disruption: Disruption, choices: Mapping[uuid.UUID, str]) -> None:
    """Keep what was chosen for some of the sessions, by the code of their rows; unknown codes are left out.

    A session without a proposed slot cannot take it. Where the disruption is not planned any more, nothing changes.
    Cost: two queries.
    """
    if disruption.status != DisruptionStatus.PLANNED:
        return
    changed = []
    for row in disruption.sessions.filter(code__in=choices):
        choice = choices[row.code]
        if choice not in MoveChoice.values or (choice == MoveChoice.MOVE and not row.has_slot):
            choice = MoveChoice.LEAVE
        if row.choice != choice:
            row.choice = choice
            changed.append(row)
    DisruptedSession.objects.bulk_update(changed, ["choice"])


def apply_disruption(*, disruption: Disruption, by: Actor, now: datetime) -> Disruption:
    """Start the job that puts the outage in the calendar and does with each session what was chosen.

    Raises: CourseError `not_planned` when it is not waiting for that (twice pressed), `stale_plan` when hours,
    closures or absences have changed since it was planned.
    """
    with transacting():
        lock_clinic(disruption.clinic)
        locked = (
            Disruption.objects.select_for_update(of=("self",)).select_related("clinic").get(pk=disruption.pk)
        )
        if locked.status != DisruptionStatus.PLANNED:
            raise CourseError(_("This is being applied already."), code="not_planned")
        _refuse_other_calendar(locked)
        locked.status = DisruptionStatus.APPLYING
        locked.save(update_fields=["status"])
        hand_over(locked, APPLY_KIND, by=by, now=now)
    return locked


def _refuse_other_calendar(disruption: Disruption) -> None:
    if disruption.clinic.calendar_version != disruption.calendar_version:
        raise CourseError(
            _("Hours, closures or absences were changed after this was planned. Plan it again."),
            code="stale_plan",
        )


def apply_step(job: BackgroundJob, now: datetime) -> bool:
    """Do some more of a disruption: first the calendar, then a few courses at a time; a step of a background job.

    Raises: JobError `stale_plan` when the calendar changed before the outage stood in it.
    """
    disruption = lock_of(job, DisruptionStatus.APPLYING)
    by = actor_of(job)
    if not disruption.is_recorded:
        _put_on_record(disruption, by=by, now=now)
        return False
    waiting = rows_of(disruption).filter(outcome="")
    ids = list(dict.fromkeys(waiting.values_list("course", flat=True)))[:COURSES_A_STEP]
    # All in one order, as wherever several are locked; each one's verb then finds it held already.
    list(Course.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk").values_list("pk"))
    rows = list(waiting.filter(course__in=ids))
    _keep_dates(rows)
    groups = [list(group) for _pk, group in groupby(rows, key=lambda row: row.course_id)]
    for group in _apply_moves(disruption, groups, by=by, now=now):
        _apply_course(disruption, group, by=by, now=now)
    DisruptedSession.objects.bulk_update(rows, ["outcome", "refusal", "before"])
    job.done_count += len(rows)
    if job.done_count < job.total_count:
        return False
    disruption.status, disruption.ended_at = DisruptionStatus.APPLIED, now
    disruption.save(update_fields=["status", "ended_at"])
    return True


def _keep_dates(rows: Sequence[DisruptedSession]) -> None:
    """Note on the rows of a step which dates without a slot give way to where they go, so that these can come back."""
    planned = TreatmentSession.objects.filter(
        course__in=[row.course_id for row in rows], status=SessionStatus.PLANNED
    )
    why = {(course_id, on): why for course_id, on, why in planned.values_list("course", "on", "why")}
    for row in rows:
        if row.choice == MoveChoice.MOVE and (key := (row.course_id, new_day_of(row))) in why:
            row.before["gave_way"] = why[key]


def new_day_of(row: DisruptedSession) -> date | None:
    """Return the clinic's day on which a session is to go, if it goes anywhere."""
    zone = convert.zone_of(row.course.clinic)
    return row.new_starts_at.astimezone(zone).date() if row.new_starts_at else None


def actor_of(job: BackgroundJob) -> Actor:
    """Return whoever started a job, as the actor of what it does."""
    member = job.started_by
    return Actor(ActorKind.STAFF, code=member.code, staff_member_id=member.pk) if member else SYSTEM


def _put_on_record(disruption: Disruption, *, by: Actor, now: datetime) -> None:
    """Enter the absence or the closure, unless the calendar has it already, and keep to the calendar as it is then."""
    clinic, outage = disruption.clinic, outage_of(disruption)
    lock_clinic(clinic)
    clinic.refresh_from_db(fields=["calendar_version"])
    try:
        _refuse_other_calendar(disruption)
    except CourseError as error:
        raise JobError(error.code) from error
    if not is_on_record(outage):
        first, last, reason = outage.from_on, outage.to_on, disruption.reason
        entry: Absence | Closure
        if outage.practitioner is None:
            entry = add_closure(clinic=clinic, from_on=first, to_on=last, reason=reason, by=by, now=now)
        else:
            person = outage.practitioner
            entry = add_absence(practitioner=person, from_on=first, to_on=last, reason=reason, by=by, now=now)
        disruption.entry_code = entry.code
        clinic.refresh_from_db(fields=["calendar_version"])
    disruption.is_recorded, disruption.calendar_version = True, clinic.calendar_version
    disruption.save(update_fields=["is_recorded", "calendar_version", "entry_code"])


def _apply_moves(
    disruption: Disruption, groups: Sequence[Sequence[DisruptedSession]], *, by: Actor, now: datetime
) -> list[Sequence[DisruptedSession]]:
    """Do together what is only moved or left, by course, and return the courses that are still to be worked."""
    alike = [
        rows
        for rows in groups
        if all(row.choice != MoveChoice.CANCEL for row in rows)
        and any(row.choice == MoveChoice.MOVE for row in rows)
    ]
    proposals = [
        _proposal_of(
            disruption,
            rows[0].course,
            [row for row in rows if row.choice == MoveChoice.MOVE],
            course_version=rows[0].course_version or 0,
        )
        for rows in alike
    ]
    if not proposals:
        return list(groups)
    try:
        with transaction.atomic():
            refused = apply_moves(proposals=proposals, by=by, now=now)
    except (CourseError, DatabaseError):
        raise
    except Exception:
        # One of them cannot be worked out: each by itself then, so that the others are moved.
        logger.exception(
            "The courses of a step of disruption %s could not be moved together.", disruption.code
        )
        return list(groups)
    for rows in alike:
        error = refused.get(rows[0].course_id)
        _settle(rows, error.code if error else "")
    return [rows for rows in groups if rows not in alike]


def _apply_course(
    disruption: Disruption, rows: Sequence[DisruptedSession], *, by: Actor, now: datetime
) -> None:
    """Move and cancel what was chosen of one course, all of it or nothing, and note on the rows what came of it."""
    moves = [row for row in rows if row.choice == MoveChoice.MOVE]
    cancels = [row for row in rows if row.choice == MoveChoice.CANCEL]
    refusal = ""
    try:
        with transaction.atomic():
            _change_course(disruption, rows[0].course, moves, cancels, by=by, now=now)
    except CourseError as error:
        if error.code == "busy":
            # Of another's doing at this moment: the whole step is tried again.
            raise
        refusal = error.code
    except DatabaseError:
        raise
    except Exception:
        # One course that cannot be worked out must not hold up those behind it.
        logger.exception("Course %s of a disruption could not be changed.", rows[0].course.code)
        refusal = "broken"
    _settle(rows, refusal)


def _settle(rows: Sequence[DisruptedSession], refusal: str) -> None:
    """Note on the rows of one course what came of them."""
    for row in rows:
        if row.choice == MoveChoice.LEAVE:
            row.outcome = MoveOutcome.LEFT
        elif refusal:
            row.outcome, row.refusal = MoveOutcome.REFUSED, refusal
        else:
            row.outcome = MoveOutcome.MOVED if row.choice == MoveChoice.MOVE else MoveOutcome.CANCELLED


def _change_course(
    disruption: Disruption,
    course: Course,
    moves: Sequence[DisruptedSession],
    cancels: Sequence[DisruptedSession],
    *,
    by: Actor,
    now: datetime,
) -> None:
    if not moves and not cancels:
        return
    if any(row.course_version != course.version for row in (*moves, *cancels)):
        raise CourseError(_("The course has changed meanwhile."), code="stale_plan")
    # First, so that a session may take the day of one that is cancelled.
    for row in cancels:
        cancel_session(session=row.session, whose="clinic", reason="", by=by, now=now)
    if moves:
        version = course.version + len(cancels)
        proposal = _proposal_of(disruption, course, moves, course_version=version)
        apply_plan(course=course, proposal=proposal, by=by, now=now)


def _proposal_of(
    disruption: Disruption, course: Course, rows: Sequence[DisruptedSession], *, course_version: int
) -> PlanProposal:
    zone = convert.zone_of(disruption.clinic)
    sessions = tuple(
        PlannedSession(
            on=row.new_starts_at.astimezone(zone).date(),
            phase=None,
            session=None,
            start=row.new_starts_at,
            end=row.new_ends_at,
            practitioner=str(row.new_practitioner.code) if row.new_practitioner else None,
            room=str(row.new_room.code) if row.new_room else None,
            pinned=False,
            days_outside=row.days_outside,
            preferences_missed=0,
            why=tuple(convert.read_reason(reason) for reason in row.why),
        )
        for row in rows
        if row.new_starts_at is not None
    )
    outside = sum(session.days_outside for session in sessions)
    return PlanProposal(
        course_version=course_version,
        policy=PlanPolicy.DISRUPTION,
        plan=Plan(sessions, PlanCost(0, outside, 0, 0, max(session.on for session in sessions)), ()),
        before=tuple(row.session for row in rows),
        phases=(),
        course_id=course.pk,
        calendar_version=disruption.calendar_version,
    )
