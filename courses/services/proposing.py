"""Proposing plans: slots for what lies ahead, saving nothing."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext as _

from clinics.models import Clinic
from courses import convert
from courses.convert import CourseFacts
from courses.core.amount import MOST_AHEAD, count_ahead
from courses.core.cadence import ClientDays
from courses.core.plan import Plan, PlannedSession, PlanRequest, PlanTooLargeError, plan, replan
from courses.core.types import ContraindicationSpan, PhaseSpec, Prescription, SessionRecord
from courses.errors import CourseError
from courses.models import BOOKED_STATUSES, Course, PlanPolicy, SessionStatus, TreatmentSession
from courses.services.availability import ClinicTime, clinic_side
from courses.services.changes import refuse
from courses.services.prescribing import CourseDraft, check_draft, find_objections
from courses.services.slots import minutes_of, session_minutes

_PLAN_DAYS: Final = 3 * 366


@dataclass(frozen=True, slots=True)
class CoursePreview:
    """A plan of a draft with what speaks against it; nothing is saved."""

    plan: Plan
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlanProposal:
    """A plan for a course as it stood at one version, with the bookings that it would replace."""

    course_version: int
    policy: str
    plan: Plan
    before: tuple[TreatmentSession, ...]
    # The phases that the plan keeps to: those in force, or with a lower target where a session is dropped.
    phases: tuple[PhaseSpec, ...]
    course_id: int
    # Hours, closures and absences that it was made with.
    calendar_version: int

    @property
    def digest(self) -> str:
        """A short text that is equal for two proposals of the same slots at the same version."""
        slots = [_slot_values(session) for session in self.plan.planned]
        text = json.dumps([self.course_version, self.policy, slots], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:24]


def _slot_values(planned: PlannedSession) -> dict[str, Any]:
    return {
        "on": planned.on.isoformat(),
        "start": planned.start.isoformat() if planned.start else None,
        "end": planned.end.isoformat() if planned.end else None,
        "practitioner": planned.practitioner,
        "room": planned.room,
    }


def preview_course(*, draft: CourseDraft, now: datetime, not_before: datetime | None = None) -> CoursePreview:
    """Return the whole plan of a draft, saving nothing.

    Raises: CourseError for a draft that could not be prescribed or planned.
    Cost: about ten queries.
    """
    check_draft(draft, now=now)
    prescription = Prescription(draft.start_on, draft.phases)
    calendar = convert.load_calendar(draft.clinic)
    today = convert.local_today(draft.clinic, now)
    count = count_ahead(prescription, (), ClientDays(calendar, (), today=today), today=today)
    request = PlanRequest(
        as_of=today,
        calendar=calendar,
        prescription=prescription,
        contraindications=_spans_against(draft, today),
        count=count,
        minutes=session_minutes(draft.phases),
        horizon_days=_PLAN_DAYS,
        **clinic_side(draft.clinic, draft.client, draft.practitioner, not_before or now),
    )
    _asked, found = _plan_what_is_asked(request)
    return CoursePreview(found, tuple(_warnings(draft, today)))


def _spans_against(draft: CourseDraft, today: date) -> tuple[ContraindicationSpan, ...]:
    """Return when the client's conditions forbid sessions, as they will once the draft is prescribed."""
    return tuple(
        ContraindicationSpan(objection.condition, objection.from_on, objection.to_on)
        for objection in find_objections(draft, on=min(today, draft.start_on))
        if objection.strength != "caution" and not draft.overrides.get(objection.condition, "").strip()
    )


def _warnings(draft: CourseDraft, today: date) -> list[str]:
    warnings = []
    if any(objection.strength != "permanent" for objection in find_objections(draft, on=draft.start_on)):
        warnings.append(_("A recorded condition speaks against treatment for now: start after it ends."))
    if draft.start_on < today:
        warnings.append(
            _("The course starts in the past: what was attended before today is not recorded yet.")
        )
    others = Course.objects.filter(client=draft.client, status__in=["active", "paused"])
    if others.exists():
        warnings.append(_("This client has another running course."))
    return warnings


def propose_plan(
    *,
    course: Course,
    now: datetime,
    policy: str = PlanPolicy.SHIFT,
    not_before: datetime | None = None,
    count: int | None = None,
) -> PlanProposal:
    """Return the best plan for the rest of a course, saving nothing; pinned bookings stay.

    `policy` says how what was missed is made up for. Without `count` it is all the prescription still asks for.
    Raises: CourseError when the course is over, a missed session cannot be dropped, the clinic has no hours, or
    there are too many ways to compare.
    Cost: about twenty queries.
    """
    if not course.is_open:
        raise CourseError(_("This course is over; there is nothing to plan."), code="course_not_open")
    if count is not None and not 0 <= count <= MOST_AHEAD:
        raise refuse(
            "count", _("Plan from 0 to %(most)s sessions.") % {"most": MOST_AHEAD}, code="count_out_of_range"
        )
    # Read before the facts: what changes between the two makes the proposal stale, never the other way round.
    calendar_version = Clinic.objects.values_list("calendar_version", flat=True).get(pk=course.clinic_id)
    facts = convert.load_facts([course])[course.pk]
    start = max(not_before or now, now)
    today = convert.local_today(course.clinic, now)
    ahead = _load_ahead(course, today)
    replaced = [row for row in ahead if _is_replaced(row, start=start, policy=policy)]
    kept = [row for row in ahead if row not in replaced]
    request = PlanRequest(
        as_of=today,
        prescription=facts.prescription,
        calendar=facts.calendar,
        sessions=(*_past_sessions(facts, today), *(_kept_record(row) for row in kept)),
        pauses=facts.pauses,
        contraindications=facts.contraindications,
        count=count if count is not None else _count_to_plan(facts, kept, today=today),
        minutes=session_minutes(_phases_ahead(course, facts.prescription.phases)),
        horizon_days=_PLAN_DAYS,
        **clinic_side(course.clinic, course.client, course.practitioner, start, replaced=replaced),
    )
    request, found = _plan_what_is_asked(request)
    phases = facts.prescription.phases
    if policy == PlanPolicy.CATCH_UP:
        found = _catch_up(request, ahead)
    elif policy == PlanPolicy.DROP:
        found, phases = _drop(request, facts, today=today)
    return PlanProposal(
        course_version=course.version,
        policy=policy,
        plan=found,
        before=tuple(replaced),
        phases=phases,
        course_id=course.pk,
        calendar_version=calendar_version,
    )


def _load_ahead(course: Course, today: date) -> list[TreatmentSession]:
    """Return what is booked from today on, and what is planned without a slot. Cost: one query."""
    return list(
        TreatmentSession.objects.filter(course=course)
        .filter(Q(status__in=BOOKED_STATUSES, on__gte=today) | Q(status=SessionStatus.PLANNED))
        .select_related("practitioner", "room")
        .order_by("on", "pk")
    )


def plan_elsewhere(
    *,
    course: Course,
    facts: CourseFacts,
    hit: Sequence[TreatmentSession],
    kept: Sequence[TreatmentSession],
    time: ClinicTime,
    today: date,
    horizon_days: int,
) -> Plan:
    """Return the best plan for some of a course's bookings while the others stay where they are, saving nothing.

    Each keeps its length, and its time of day where the client wishes no other; whom and what it takes is free again,
    what others hold is not. Fewer are planned where the prescription asks for no more.
    Raises: CourseError as propose_plan().
    """
    starts = [row.starts_at.astimezone(time.zone) for row in hit if row.starts_at is not None]
    minutes = [start.hour * 60 + start.minute for start in starts]
    request = PlanRequest(
        as_of=today,
        prescription=facts.prescription,
        calendar=facts.calendar,
        sessions=(*_past_sessions(facts, today), *(_kept_record(row) for row in kept)),
        pauses=facts.pauses,
        contraindications=facts.contraindications,
        count=len(hit),
        minutes=max(minutes_of(row) for row in hit),
        horizon_days=horizon_days,
        **time.side_for(
            course.client,
            course.practitioner,
            freed={row.pk for row in hit},
            times=(min(minutes), max(minutes)),
        ),
    )
    _asked, found = _plan_what_is_asked(request)
    return found


def _is_replaced(row: TreatmentSession, *, start: datetime, policy: str) -> bool:
    if row.status == SessionStatus.PLANNED:
        return True
    if policy == PlanPolicy.ROLL_FORWARD or row.is_pinned or row.status == SessionStatus.ARRIVED:
        return False
    return row.starts_at is not None and row.starts_at >= start


def _past_sessions(facts: CourseFacts, today: date) -> list[SessionRecord]:
    return [
        record for record in facts.sessions if record.on <= today and record.status not in BOOKED_STATUSES
    ]


def _kept_record(row: TreatmentSession) -> SessionRecord:
    return SessionRecord(
        on=row.on,
        status=row.status,  # type: ignore[arg-type]  # the choices are the core's words
        pinned=True,
        start=row.starts_at.isoformat() if row.starts_at else None,
        end=row.ends_at.isoformat() if row.ends_at else None,
        practitioner=str(row.practitioner.code) if row.practitioner else None,
        room=str(row.room.code) if row.room else None,
    )


def _catch_up(request: PlanRequest, ahead: Sequence[TreatmentSession]) -> Plan:
    """Return the plan that ends when what is booked now would have ended, or as near to it as it can."""
    is_whole = len(ahead) >= request.count - 1
    ends_on = max((row.on for row in ahead), default=None) if is_whole else None
    with _explaining():
        return replan(request, "catch_up", ends_on=ends_on, most_steps=settings.PLAN_MOST_STEPS).plan


def _drop(request: PlanRequest, facts: CourseFacts, *, today: date) -> tuple[Plan, tuple[PhaseSpec, ...]]:
    """Return the plan without what was missed, and the phases with the current one's goal as much lower.

    Raises: CourseError where nothing was missed, or sessions_min does not allow it.
    """
    position = convert.assess_facts(facts, today=today).phase
    missed = _missed_count(facts, today)
    phases = list(facts.prescription.phases)
    phase = phases[position] if position is not None else None
    if phase is None or phase.amount is None or not missed:
        raise CourseError(_("Nothing was missed that could be dropped."), code="nothing_to_drop")
    with _explaining():
        found = replan(request, "drop", missed=missed, most_steps=settings.PLAN_MOST_STEPS)
    if not found.dropped:
        raise CourseError(
            _("The prescription needs at least %(least)s sessions, so none can be dropped.")
            % {"least": phase.sessions_min or phase.amount},
            code="drop_below_least",
        )
    phases[position or 0] = replace(phase, target=phase.amount - found.dropped)
    return found.plan, tuple(phases)


def _missed_count(facts: CourseFacts, today: date) -> int:
    """Return how many sessions were missed or cancelled after the last attended one."""
    last = max((record.on for record in facts.sessions if record.status == "attended"), default=None)
    return sum(
        1
        for record in facts.sessions
        if record.on <= today
        and (last is None or record.on > last)
        and record.status in ("no_show", "cancelled_late", "cancelled_by_client", "cancelled_by_clinic")
    )


def _count_to_plan(facts: CourseFacts, kept: Sequence[TreatmentSession], *, today: date) -> int:
    days = ClientDays(facts.calendar, facts.pauses, today=today)
    attended = [record.on for record in facts.sessions if record.status == "attended"]
    return count_ahead(facts.prescription, attended, days, today=today, kept=[row.on for row in kept])


def _plan_what_is_asked(request: PlanRequest) -> tuple[PlanRequest, Plan]:
    """Plan; a phase that runs out before all were placed asks for fewer, which is no failure.

    The request comes back with the number that is asked for.
    """
    if not any(request.hours.values()):
        raise CourseError(_("The clinic has no opening hours yet. Enter them first."), code="never_open")
    with _explaining():
        found = plan(request, most_steps=settings.PLAN_MOST_STEPS)
        while surplus := sum(note.number for note in found.notes if note.kind == "not_asked"):
            placed = len(found.planned)
            request = replace(request, count=request.count - surplus)
            found = plan(request, most_steps=settings.PLAN_MOST_STEPS)
            if len(found.planned) == placed:
                break
    return request, found


@contextmanager
def _explaining() -> Iterator[None]:
    """Turn a plan that is out of reach into a refusal."""
    try:
        yield
    except PlanTooLargeError as error:
        raise refuse(
            "count",
            _("There are too many ways to place that many sessions. Plan fewer at a time."),
            code=error.code,
        ) from error


def _phases_ahead(course: Course, phases: Sequence[PhaseSpec]) -> Sequence[PhaseSpec]:
    return phases[course.phase_position or 0 :]
