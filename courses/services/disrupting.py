"""Disruptions: what an outage hits is written down and planned together; rebooking.py then does what was chosen."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import groupby, zip_longest
from typing import Any, Final

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from audit.services import Actor
from clinics.jobs import JobError, start_job
from clinics.models import Absence, BackgroundJob, Clinic
from courses import convert
from courses.convert import CourseFacts
from courses.core.plan import Plan, PlannedSession
from courses.core.types import Finding
from courses.errors import CourseError
from courses.models import (
    BOOKED_STATUSES,
    Course,
    DisruptedSession,
    Disruption,
    DisruptionStatus,
    MoveChoice,
    TreatmentSession,
)
from courses.services.availability import ClinicTime, load_clinic_time
from courses.services.calendar import check_range
from courses.services.changes import fitting_text, refuse, transacting
from courses.services.disrupted import (
    MOVABLE,
    Outage,
    drift_values,
    foresee_drift,
    sessions_hit,
    with_outage,
)
from courses.services.proposing import plan_elsewhere

PLAN_KIND: Final = "plan_disruption"
# Planned while the page waits: about a second's work.
PLANNED_AT_ONCE: Final = 40
_PLANNED_A_STEP: Final = 50
# A client needs the time to read of a new time before it.
_NOTICE: Final = timedelta(hours=2)
_SlotKey = tuple[datetime | None, datetime | None, str | None, str | None]
# Between the first places of two courses: more sessions than a course has ahead.
_PLACES: Final = 1000
_PLANNED_COLUMNS: Final = (
    "course_version",
    "new_starts_at",
    "new_ends_at",
    "new_practitioner_id",
    "new_room_id",
    "days_outside",
    "before",
    "why",
    "choice",
    "refusal",
)


def start_disruption(*, outage: Outage, by: Actor, now: datetime, reason: str = "") -> Disruption:
    """Write down what an outage hits and plan where it could go instead; neither calendar nor bookings change.

    What is little is planned when this returns, else a background job plans it.
    Raises: CourseError for a range upside down, too long or over, or a practitioner of another clinic.
    Cost: about forty queries, those of a job's step included.
    """
    check_range(outage.from_on, outage.to_on)
    if outage.to_on < convert.local_today(outage.clinic, now):
        raise refuse("to_on", _("These days are over."), code="range_over")
    if outage.practitioner is not None and outage.practitioner.clinic_id != outage.clinic.pk:
        raise refuse("practitioner", _("Choose a practitioner of this clinic."), code="practitioner_unknown")
    text = fitting_text(reason, column=Absence.reason, field="reason")
    with transacting():
        # Read before the bookings: what changes between the two makes the plan stale, never the other way round.
        version = Clinic.objects.values_list("calendar_version", flat=True).get(pk=outage.clinic.pk)
        disruption = Disruption.objects.create(
            clinic=outage.clinic,
            practitioner=outage.practitioner,
            from_on=outage.from_on,
            to_on=outage.to_on,
            reason=text,
            calendar_version=version,
            created_by_id=by.staff_member_id,
            created_at=now,
        )
        rows = _write_rows(disruption, outage, now=now)
        if len({row.course_id for row in rows}) <= PLANNED_AT_ONCE:
            _plan_some(disruption, now=now, most=PLANNED_AT_ONCE)
        else:
            hand_over(disruption, PLAN_KIND, by=by, now=now)
    return disruption


def hand_over(
    disruption: Disruption, kind: str, *, by: Actor, now: datetime, total_count: int | None = None
) -> None:
    """Let a background job of a kind go on with a disruption, and remember which; it has all sessions to do, or so many."""
    disruption.job = start_job(
        clinic=disruption.clinic,
        kind=kind,
        by=by,
        now=now,
        parameters={"disruption": str(disruption.code)},
        total_count=disruption.sessions.count() if total_count is None else total_count,
    )
    disruption.save(update_fields=["job"])


def _write_rows(disruption: Disruption, outage: Outage, *, now: datetime) -> list[DisruptedSession]:
    """Write a row for each session hit; those of one course together, the courses that would suffer most first."""
    sessions = sessions_hit(outage, now=now)
    drift = foresee_drift(outage, sessions, now=now)

    def urgency(session: TreatmentSession) -> tuple[object, ...]:
        return _urgency(drift.get(session.course_id, ())), firsts[session.course_id], session.course_id

    firsts: dict[int, datetime | None] = {}
    for session in sessions:
        firsts.setdefault(session.course_id, session.starts_at)
    ordered = sorted(sessions, key=urgency)
    places = {
        course_id: place for place, course_id in enumerate(dict.fromkeys(row.course_id for row in ordered))
    }
    numbers = dict.fromkeys(places, 0)
    rows = []
    for session in ordered:
        row = _new_row(disruption, session, places[session.course_id] * _PLACES + numbers[session.course_id])
        row.drift = [drift_values(finding) for finding in drift.get(session.course_id, ())]
        numbers[session.course_id] += 1
        rows.append(row)
    return DisruptedSession.objects.bulk_create(rows)


def _new_row(disruption: Disruption, session: TreatmentSession, position: int) -> DisruptedSession:
    assert session.starts_at is not None, "a booking has its slot"
    assert session.ends_at is not None, "a booking has its slot"
    return DisruptedSession(
        clinic_id=disruption.clinic_id,
        disruption=disruption,
        course_id=session.course_id,
        session=session,
        position=position,
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        practitioner_id=session.practitioner_id,
        room_id=session.room_id,
    )


def _urgency(findings: Sequence[Finding]) -> int:
    return -max((finding.days or 0 for finding in findings), default=0)


# ---------------------------------------------------------------- planning


def plan_step(job: BackgroundJob, now: datetime) -> bool:
    """Plan some more courses of a disruption; a step of a background job.

    Raises: JobError `stale_plan` when the disruption is not waiting to be planned.
    """
    disruption = lock_of(job, DisruptionStatus.PLANNING)
    left = _plan_some(disruption, now=now, most=_PLANNED_A_STEP)
    job.total_count = disruption.sessions.count()
    job.done_count = job.total_count - left
    return not left


def lock_of(job: BackgroundJob, status: DisruptionStatus) -> Disruption:
    """Return the disruption that a job works on, locked; raises JobError `stale_plan` when it stands elsewhere."""
    found = (
        Disruption.objects.select_for_update(of=("self",))
        .select_related("clinic", "practitioner")
        .filter(job=job, status=status)
        .first()
    )
    if found is None:
        raise JobError("stale_plan")
    return found


def outage_of(disruption: Disruption) -> Outage:
    """Return the days of a disruption and who is away on them."""
    return Outage(disruption.clinic, disruption.practitioner, disruption.from_on, disruption.to_on)


def _plan_some(disruption: Disruption, *, now: datetime, most: int) -> int:
    """Plan up to `most` courses against what is booked and what was proposed before; return the sessions left.

    Cost: about thirty queries, however many courses.
    """
    waiting = list(disruption.sessions.filter(course_version=None).values_list("course", flat=True))
    ids = list(dict.fromkeys(waiting))[:most]
    found = rows_of(disruption).filter(course_version=None, course__in=ids)
    groups = [list(rows) for _pk, rows in groupby(found, key=lambda row: row.course_id)]
    outage, today = outage_of(disruption), convert.local_today(disruption.clinic, now)
    courses = [rows[0].course for rows in groups]
    facts = convert.load_facts(courses)
    ahead: dict[int, list[TreatmentSession]] = {}
    booked = TreatmentSession.objects.filter(course__in=courses, status__in=BOOKED_STATUSES, on__gte=today)
    for session in booked.select_related("practitioner", "room").order_by("on", "pk"):
        ahead.setdefault(session.course_id, []).append(session)
    time = _time_around(disruption, outage, now=now)
    joining: list[DisruptedSession] = []
    for rows in groups:
        course = rows[0].course
        known = with_outage(facts[course.pk], outage)
        joining += _plan_course(course, rows, known, ahead.get(course.pk, []), time, outage, today=today)
    planned = [row for rows in groups for row in rows]
    # By way of an insertion that meets the row: an update of many rows and columns at once takes ten times as long.
    DisruptedSession.objects.bulk_create(
        planned,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=[name.removesuffix("_id") for name in _PLANNED_COLUMNS],
    )
    DisruptedSession.objects.bulk_create(joining)
    left = len(waiting) - len(planned)
    if not left:
        disruption.status = DisruptionStatus.PLANNED
        disruption.save(update_fields=["status"])
    return left


def rows_of(disruption: Disruption) -> QuerySet[DisruptedSession]:
    """Return the sessions of a disruption with all that planning and moving them asks about, in their order."""
    return disruption.sessions.select_related(
        "course__clinic",
        "course__client__prefers_practitioner",
        "course__practitioner",
        "session__practitioner",
        "session__room",
        "new_practitioner",
        "new_room",
    ).order_by("position")


def _time_around(disruption: Disruption, outage: Outage, *, now: datetime) -> ClinicTime:
    """Return what will be free once the outage stands in the calendar, without what is proposed already.

    What is booked with others of the sessions hit counts as taken: whether they move is not decided yet.
    """
    time = load_clinic_time(disruption.clinic, now + _NOTICE)
    if outage.practitioner is not None and (away := time.people.get(outage.practitioner.pk)) is not None:
        absences = (*away.absences, (outage.from_on, outage.to_on))
        people = {**time.people, outage.practitioner.pk: replace(away, absences=absences)}
        time = replace(time, people=people)
    for row in disruption.sessions.exclude(new_starts_at=None).select_related("course"):
        _take(time, row)
    return time


def _take(time: ClinicTime, row: DisruptedSession) -> None:
    if row.new_starts_at is not None and row.new_ends_at is not None:
        time.take(
            row.course.client_id,
            row.new_starts_at,
            row.new_ends_at,
            practitioner_id=row.new_practitioner_id,
            room_id=row.new_room_id,
        )


def _plan_course(
    course: Course,
    rows: Sequence[DisruptedSession],
    facts: CourseFacts,
    ahead: Sequence[TreatmentSession],
    time: ClinicTime,
    outage: Outage,
    *,
    today: date,
) -> list[DisruptedSession]:
    """Note on the rows of one course where each is to go, or why nowhere; later plans keep out of the way.

    Returns further rows, of sessions that are not hit and move to make room.
    """
    for row in rows:
        row.course_version, row.before = course.version, _values_before(row.session)
    hit = [row.session for row in rows]
    try:
        _refuse_what_changed(course, rows)
        moving, plan = _plan_around(course, facts, hit, ahead, time, outage, today=today)
    except CourseError as error:
        for row in rows:
            row.choice, row.refusal = MoveChoice.LEAVE, error.code
        return []
    by_session = {row.session_id: row for row in rows}
    people = {person.id: pk for pk, person in time.people.items()}
    rooms = {code: pk for pk, code in time.rooms.items()}
    joining: list[DisruptedSession] = []
    for session, planned in _assigned(moving, plan):
        if session.pk not in by_session:
            row = _new_row(rows[0].disruption, session, rows[-1].position + 1 + len(joining))
            row.course, row.course_version, row.is_hit = course, course.version, False
            row.before = _values_before(session)
            joining.append(row)
        row = by_session.get(session.pk) or joining[-1]
        if planned is None:
            # What is not asked for is taken out of the plan and so counts as placed.
            row.choice, row.refusal = MoveChoice.LEAVE, "no_slot" if plan.cost.unplaced else "not_asked"
            continue
        row.new_starts_at, row.new_ends_at = planned.start, planned.end
        row.new_practitioner_id = people[planned.practitioner] if planned.practitioner else None
        row.new_room_id = rooms[planned.room] if planned.room else None
        row.days_outside = planned.days_outside
        row.why = [convert.reason_values(reason) for reason in planned.why]
        _take(time, row)
    return joining


def _values_before(session: TreatmentSession) -> dict[str, Any]:
    """Return what a session is, beside its slot, as JSON values: while its course has the same version, it stays so."""
    return {
        "status": str(session.status),
        "confirmed_at": session.confirmed_at.isoformat() if session.confirmed_at else None,
        "version": session.version,
        "why": session.why,
    }


def _plan_around(
    course: Course,
    facts: CourseFacts,
    hit: Sequence[TreatmentSession],
    ahead: Sequence[TreatmentSession],
    time: ClinicTime,
    outage: Outage,
    *,
    today: date,
) -> tuple[list[TreatmentSession], Plan]:
    """Return which bookings are to move, by date, and the plan for them.

    Those that are hit; where they cannot keep to the prescription while all others stay, and could otherwise, also
    what is booked after the first of them and was not chosen by a person.
    """
    horizon_days = (outage.to_on - today).days + course.clinic.booking_horizon_days

    def plan(moving: Sequence[TreatmentSession]) -> Plan:
        kept = [session for session in ahead if session not in moving]
        return plan_elsewhere(
            course=course,
            facts=facts,
            hit=moving,
            kept=kept,
            time=time,
            today=today,
            horizon_days=horizon_days,
        )

    narrow = plan(hit)
    first_on = min(session.on for session in hit)
    after = [
        session
        for session in ahead
        if session not in hit
        and session.on > first_on
        and not session.is_pinned
        and session.status in MOVABLE
    ]
    if not after or not (narrow.cost.unplaced or narrow.cost.days_outside):
        return list(hit), narrow
    moving = sorted([*hit, *after], key=lambda session: session.on)
    try:
        wide = plan(moving)
    except CourseError:
        return list(hit), narrow
    is_better = (wide.cost.unplaced, wide.cost.days_outside) < (
        narrow.cost.unplaced,
        narrow.cost.days_outside,
    )
    if is_better and len(wide.planned) == len(moving):
        return moving, wide
    return list(hit), narrow


def _assigned(
    moving: Sequence[TreatmentSession], plan: Plan
) -> list[tuple[TreatmentSession, PlannedSession | None]]:
    """Return each booking that moves with its new slot, as apply_plan() will move them: in the order of dates.

    One whose own slot is wanted again stays there and is left out; one for which there is no slot has None.
    """
    slots: dict[_SlotKey, PlannedSession] = {
        (planned.start, planned.end, planned.practitioner, planned.room): planned
        for planned in plan.planned
        if planned.start is not None
    }
    rest = [session for session in moving if slots.pop(_slot_of(session), None) is None]
    return list(zip_longest(rest, slots.values())) if len(rest) >= len(slots) else []


def _slot_of(session: TreatmentSession) -> _SlotKey:
    person, room = session.practitioner, session.room
    return (
        session.starts_at,
        session.ends_at,
        str(person.code) if person else None,
        str(room.code) if room else None,
    )


def _refuse_what_changed(course: Course, rows: Sequence[DisruptedSession]) -> None:
    if not course.is_open:
        raise CourseError(_("This course is over; there is nothing to plan."), code="course_not_open")
    for row in rows:
        if row.session.status not in MOVABLE or row.session.starts_at != row.starts_at:
            raise CourseError(_("The course has changed meanwhile."), code="stale_plan")
