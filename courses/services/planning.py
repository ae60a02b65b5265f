"""Plans: proposing slots for what lies ahead, and applying a proposal in one transaction."""

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.db.models import Min, Q
from django.utils.translation import gettext as _

from audit.services import SYSTEM, Actor
from clients.models import Client
from clinics.models import Absence, Clinic, OpeningHours, PractitionerHours, Room, StaffMember
from courses import convert
from courses.convert import CourseFacts
from courses.core.amount import MOST_AHEAD, count_ahead
from courses.core.cadence import ClientDays
from courses.core.plan import (
    Plan,
    PlannedSession,
    PlanRequest,
    PlanTooLargeError,
    Practitioner,
    Preferences,
    plan,
    replan,
)
from courses.core.plan import Room as PlanRoom
from courses.core.types import ContraindicationSpan, PhaseSpec, Prescription, SessionRecord
from courses.errors import CourseError
from courses.models import (
    BOOKED_STATUSES,
    Course,
    CourseStatus,
    PlanPolicy,
    PlanRevision,
    ResolvedReason,
    SessionStatus,
    TreatmentSession,
)
from courses.services.changes import change_session, changing, refuse, require_prescriber
from courses.services.prescribing import CourseDraft, check_draft, find_objections, revise_phases
from courses.services.slots import SlotWish, explain_clash, lock_parties, session_minutes, slot_taken

logger = logging.getLogger(__name__)

# Courses in these states are not booked further by themselves.
_LEFT_TO_PEOPLE: Final = ("overdue", "lapsed")
_PLAN_DAYS: Final = 3 * 366
_RUNNING: Final = (CourseStatus.ACTIVE, CourseStatus.PAUSED)
# Refusals because of somebody else at the same moment: the next try finds another world.
_PASSING: Final = ("busy", "day_taken", "slot_taken", "stale_plan")


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


# ---------------------------------------------------------------- proposing


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
    ahead = list(
        TreatmentSession.objects.filter(course=course)
        .filter(Q(status__in=BOOKED_STATUSES, on__gte=today) | Q(status=SessionStatus.PLANNED))
        .select_related("practitioner", "room")
        .order_by("on", "pk")
    )
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
        **clinic_side(
            course.clinic, course.client, course.practitioner, start, replaced=replaced, course=course
        ),
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
        return replan(request, "catch_up", ends_on=ends_on).plan


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
        found = replan(request, "drop", missed=missed)
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
        found = plan(request)
        while found.cost.unplaced and any(note.kind == "not_asked" for note in found.notes):
            placed = len(found.planned)
            request = replace(request, count=placed)
            found = plan(request)
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


def clinic_side(
    clinic: Clinic,
    client: Client,
    wished: StaffMember | None,
    not_before: datetime,
    *,
    replaced: Sequence[TreatmentSession] = (),
    course: Course | None = None,
) -> dict[str, Any]:
    """Return what a plan request takes from the clinic and the client.

    Cost: six queries.
    """
    zone = convert.zone_of(clinic)
    busy = _busy_spans(clinic, client, not_before, replaced=replaced)
    wish = wished or client.prefers_practitioner
    return {
        "zone": zone,
        "not_before": not_before,
        "hours": _week_hours(
            OpeningHours.objects.for_clinic(clinic).values_list("weekday", "opens_time", "closes_time")
        ),
        "slot_step_minutes": clinic.slot_step_minutes,
        "practitioners": _practitioners(clinic, busy["practitioner"]),
        "rooms": tuple(
            PlanRoom(str(room.code), tuple(busy["room"].get(room.pk, ())))
            for room in Room.objects.for_clinic(clinic).filter(is_active=True)
        ),
        "client_busy": tuple(busy["client"].get(client.pk, ())),
        "prefer": Preferences(
            weekdays=frozenset(client.prefers_weekdays),
            from_minute=_minute(client.prefers_from_time),
            to_minute=_minute(client.prefers_to_time),
            practitioner=str(wish.code) if wish is not None and wish.is_treating else None,
        ),
    }


def _minute(at: time | None) -> int | None:
    return None if at is None else at.hour * 60 + at.minute


def _week_hours(rows: Any) -> dict[int, tuple[tuple[int, int], ...]]:
    hours: dict[int, list[tuple[int, int]]] = {}
    for weekday, opens, closes in rows:
        hours.setdefault(weekday, []).append(
            (opens.hour * 60 + opens.minute, closes.hour * 60 + closes.minute)
        )
    return {weekday: tuple(spans) for weekday, spans in hours.items()}


def _practitioners(clinic: Clinic, busy: Mapping[int, Sequence[Any]]) -> tuple[Practitioner, ...]:
    people = StaffMember.objects.for_clinic(clinic).filter(is_active=True, is_treating=True)
    hours: dict[int, list[tuple[int, time, time]]] = {}
    for row in PractitionerHours.objects.for_clinic(clinic):
        hours.setdefault(row.practitioner_id, []).append((row.weekday, row.starts_time, row.ends_time))
    away: dict[int, list[tuple[date, date]]] = {}
    for absence in Absence.objects.for_clinic(clinic):
        away.setdefault(absence.practitioner_id, []).append((absence.from_on, absence.to_on))
    return tuple(
        Practitioner(
            str(person.code),
            hours=_week_hours(hours[person.pk]) if person.pk in hours else None,
            absences=tuple(away.get(person.pk, ())),
            busy=tuple(busy.get(person.pk, ())),
        )
        for person in people
    )


def _busy_spans(
    clinic: Clinic, client: Client, not_before: datetime, *, replaced: Sequence[TreatmentSession]
) -> dict[str, dict[int, list[tuple[datetime, datetime]]]]:
    """Return when each practitioner, room and the client is taken from `not_before` on.

    Bookings about to be replaced are free again.
    """
    rows = (
        TreatmentSession.objects.for_clinic(clinic)
        .filter(
            status__in=BOOKED_STATUSES,
            on__gte=convert.local_today(clinic, not_before),
            ends_at__gt=not_before,
        )
        .exclude(pk__in=[row.pk for row in replaced if row.pk])
        .values_list("practitioner_id", "room_id", "client_id", "starts_at", "ends_at")
    )
    busy: dict[str, dict[int, list[tuple[datetime, datetime]]]] = {
        "practitioner": {},
        "room": {},
        "client": {},
    }
    for practitioner_id, room_id, client_id, starts_at, ends_at in rows:
        if starts_at is None or ends_at is None:
            continue  # a booking has a slot: the database sees to it
        if practitioner_id is not None:
            busy["practitioner"].setdefault(practitioner_id, []).append((starts_at, ends_at))
        if room_id is not None:
            busy["room"].setdefault(room_id, []).append((starts_at, ends_at))
        if client_id == client.pk:
            busy["client"].setdefault(client_id, []).append((starts_at, ends_at))
    return busy


# ---------------------------------------------------------------- applying


def apply_plan(*, course: Course, proposal: PlanProposal, by: Actor, now: datetime) -> PlanRevision:
    """Book a proposal as it was shown, all of it or nothing; what was booked before is moved, not cancelled.

    Sessions of a phase without an amount are booked as far as the clinic's booking horizon; those beyond keep
    their date as planned, and are booked when the horizon reaches them.
    Raises: CourseError `stale_plan` when the course or the clinic's calendar changed since the proposal or one of
    its times has passed, `slot_taken` when a slot went.
    """
    with changing(
        course, action="plan_applied", by=by, now=now, reason=ResolvedReason.REBOOKED, policy=proposal.policy
    ) as locked:
        _refuse_stale(locked, proposal, now=now)
        if proposal.policy == PlanPolicy.DROP:
            member = require_prescriber(by, locked.clinic)
            revise_phases(locked, proposal.phases, member=member, now=now, reason=_("missed session dropped"))
        before = [_row_values(row) for row in proposal.before if row.status != SessionStatus.PLANNED]
        after = _write_plan(locked, proposal, now=now)
        revision = PlanRevision.objects.create(
            clinic=locked.clinic,
            course=locked,
            number=PlanRevision.objects.filter(course=locked).count() + 1,
            policy=proposal.policy,
            before=before,
            after=after,
            cost=convert.plan_cost_values(proposal.plan.cost),
            notes=[convert.reason_values(note) for note in proposal.plan.notes],
            by_id=by.staff_member_id,
            created_at=now,
        )
    return revision


def _refuse_stale(course: Course, proposal: PlanProposal, *, now: datetime) -> None:
    made_with = (proposal.course_id, proposal.course_version, proposal.calendar_version)
    if made_with != (course.pk, course.version, course.clinic.calendar_version):
        raise CourseError(
            _("The course has changed since this plan was made. Look at the new proposal."), code="stale_plan"
        )
    if any(planned.start is not None and planned.start < now for planned in proposal.plan.planned):
        raise CourseError(
            _("A time of this plan has passed meanwhile. Look at the new proposal."), code="stale_plan"
        )


def _row_values(row: TreatmentSession) -> dict[str, Any]:
    return {
        "session": str(row.code),
        "on": row.on.isoformat(),
        "start": row.starts_at.isoformat() if row.starts_at else None,
        "end": row.ends_at.isoformat() if row.ends_at else None,
        "practitioner": str(row.practitioner.code) if row.practitioner else None,
        "room": str(row.room.code) if row.room else None,
    }


def _write_plan(course: Course, proposal: PlanProposal, *, now: datetime) -> list[dict[str, Any]]:
    """Write the plan's slots to rows and return them; a booking that keeps its slot is left untouched.

    Order: by date. Sessions beyond the booking horizon are written, not returned.
    """
    people = {str(row.code): row for row in StaffMember.objects.for_clinic(course.clinic)}
    rooms = {str(row.code): row for row in Room.objects.for_clinic(course.clinic)}
    TreatmentSession.objects.filter(course=course, status=SessionStatus.PLANNED).delete()
    booked = [
        row
        for row in _locked(proposal.before)
        if row.status in (SessionStatus.BOOKED, SessionStatus.CONFIRMED)
    ]
    wanted: list[tuple[PlannedSession, SlotWish]] = []
    by_date: list[TreatmentSession] = []
    for planned in proposal.plan.planned:
        if planned.start is None or planned.end is None:
            continue
        slot = SlotWish(
            planned.start.astimezone(UTC),
            planned.end.astimezone(UTC),
            people[planned.practitioner] if planned.practitioner else None,
            rooms[planned.room] if planned.room else None,
        )
        if _is_booked_now(course, proposal, planned, now=now):
            wanted.append((planned, slot))
        else:
            by_date.append(_new_row(course, planned, None, now=now))
    TreatmentSession.objects.bulk_create(by_date)
    moves, fresh, spare = _match(booked, wanted)
    with _refusing_clashes(course, [slot for _planned, slot in wanted], but=[row.pk for row in booked]):
        # Freed first, so that a session may take the day or the slot of one that moves away.
        TreatmentSession.objects.filter(pk__in=[row.pk for row, _planned, _slot in moves]).update(
            status=SessionStatus.PLANNED
        )
        for row in spare:
            change_session(
                row,
                status=SessionStatus.CANCELLED_BY_CLINIC,
                outcome_at=now,
                cancel_reason=_("no longer in the plan"),
            )
        rows = [_move(row, planned, slot) for row, planned, slot in moves]
        rows += TreatmentSession.objects.bulk_create(
            [_new_row(course, planned, slot, now=now) for planned, slot in fresh]
        )
    gone = {row.pk for row in spare} | {row.pk for row in rows}
    rows += [row for row in booked if row.pk not in gone]
    return [_row_values(row) for row in sorted(rows, key=lambda row: row.on)]


def _locked(rows: Sequence[TreatmentSession]) -> list[TreatmentSession]:
    return list(
        TreatmentSession.objects.select_for_update(of=("self",))
        .select_related("practitioner", "room")
        .filter(pk__in=[row.pk for row in rows])
        .order_by("on", "pk")
    )


def _is_booked_now(course: Course, proposal: PlanProposal, planned: PlannedSession, *, now: datetime) -> bool:
    """Return whether a planned session is booked at once: its phase is counted, or the horizon reaches it."""
    horizon_on = convert.local_today(course.clinic, now) + timedelta(days=course.clinic.booking_horizon_days)
    is_counted = planned.phase is not None and proposal.phases[planned.phase].amount is not None
    return is_counted or planned.on <= horizon_on


_Move = tuple[TreatmentSession, PlannedSession, SlotWish]


def _match(
    booked: Sequence[TreatmentSession], wanted: Sequence[tuple[PlannedSession, SlotWish]]
) -> tuple[list[_Move], list[tuple[PlannedSession, SlotWish]], list[TreatmentSession]]:
    """Return which bookings move where, which slots are new, and which bookings are left over.

    A booking whose slot is wanted again stays in it; the others move in the order of their dates.
    """
    by_slot = {
        (slot.starts_at, slot.ends_at, slot.practitioner, slot.room): slot for _planned, slot in wanted
    }
    staying = {
        key: row
        for row in booked
        if (key := (row.starts_at, row.ends_at, row.practitioner, row.room)) in by_slot
    }
    rest = [row for row in booked if row not in staying.values()]
    open_slots = [
        (planned, slot)
        for planned, slot in wanted
        if (slot.starts_at, slot.ends_at, slot.practitioner, slot.room) not in staying
    ]
    moves = [(row, planned, slot) for row, (planned, slot) in zip(rest, open_slots, strict=False)]
    return moves, list(open_slots[len(rest) :]), rest[len(open_slots) :]


def _move(row: TreatmentSession, planned: PlannedSession, slot: SlotWish) -> TreatmentSession:
    change_session(
        row,
        status=SessionStatus.BOOKED,
        confirmed_at=None,
        on=planned.on,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        practitioner=slot.practitioner,
        room=slot.room,
        why=[convert.reason_values(reason) for reason in planned.why],
    )
    return row


def _new_row(
    course: Course, planned: PlannedSession, slot: SlotWish | None, *, now: datetime
) -> TreatmentSession:
    return TreatmentSession(
        clinic_id=course.clinic_id,
        course=course,
        client_id=course.client_id,
        status=SessionStatus.BOOKED if slot else SessionStatus.PLANNED,
        on=planned.on,
        starts_at=slot.starts_at if slot else None,
        ends_at=slot.ends_at if slot else None,
        practitioner=slot.practitioner if slot else None,
        room=slot.room if slot else None,
        why=[convert.reason_values(reason) for reason in planned.why],
        created_at=now,
    )


@contextmanager
def _refusing_clashes(course: Course, slots: Sequence[SlotWish], *, but: Sequence[int]) -> Iterator[None]:
    """Refuse slots that meet other bookings; the body writes them.

    As slots.holding(), for many slots at once.
    """
    lock_parties(slots, course=course)
    if slots:
        taken = TreatmentSession.objects.filter(
            clinic_id=course.clinic_id,
            status__in=BOOKED_STATUSES,
            starts_at__lt=max(slot.ends_at for slot in slots),
            ends_at__gt=min(slot.starts_at for slot in slots),
        ).exclude(pk__in=but)
        for other in taken.values("practitioner_id", "room_id", "client_id", "starts_at", "ends_at"):
            for slot in slots:
                _refuse_clash(course, slot, other)
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise explain_clash(error) from error


def _refuse_clash(course: Course, slot: SlotWish, other: Mapping[str, Any]) -> None:
    if not (other["starts_at"] < slot.ends_at and slot.starts_at < other["ends_at"]):
        return
    if slot.practitioner is not None and other["practitioner_id"] == slot.practitioner.pk:
        raise slot_taken("practitioner")
    if slot.room is not None and other["room_id"] == slot.room.pk:
        raise slot_taken("room")
    if other["client_id"] == course.client_id:
        raise slot_taken("client")


# ---------------------------------------------------------------- rolling forward


def roll_forward_due(*, now: datetime, limit: int = 200) -> int:
    """Book what the booking horizon has reached of the sessions that are planned by date; return the courses.

    Each course has a transaction of its own. One that cannot be planned loses the dates reached, so that it never
    blocks those behind it: the findings then say that nothing is booked. A client who stays away is booked no
    further: how to go on is for people to decide.
    Cost: one query to find them, then those of propose_plan() and apply_plan() for each.
    """
    # Not distinct() with an order by date, which would make a row of each date.
    reached = TreatmentSession.objects.filter(_reached_by(now), course__status__in=_RUNNING).exclude(
        course__state__in=_LEFT_TO_PEOPLE
    )
    first = reached.values("course").annotate(first_on=Min("on")).order_by("first_on", "course")
    ids = list(first.values_list("course", flat=True)[:limit])
    return sum(_roll_forward(course_id, now=now) for course_id in ids)


def _reached_by(now: datetime) -> Q:
    """Return the condition for sessions planned by date up to each clinic's booking horizon."""
    # A clinic's own day decides, here as when booking: else a course would be planned again and again for hours.
    reached = Q(pk__in=[])
    for zone, horizon_days in Clinic.objects.values_list("time_zone", "booking_horizon_days").distinct():
        last_on = now.astimezone(ZoneInfo(zone)).date() + timedelta(days=horizon_days)
        reached |= Q(clinic__time_zone=zone, clinic__booking_horizon_days=horizon_days, on__lte=last_on)
    return Q(status=SessionStatus.PLANNED) & reached


def _roll_forward(course_id: int, *, now: datetime) -> int:
    course = Course.objects.select_related("clinic", "client", "protocol", "practitioner").get(pk=course_id)
    try:
        proposal = propose_plan(course=course, now=now, policy=PlanPolicy.ROLL_FORWARD)
        apply_plan(course=course, proposal=proposal, by=SYSTEM, now=now)
    except CourseError as error:
        logger.warning("Course %s was not rolled forward: %s.", course.code, error.code)
        if error.code not in _PASSING:
            TreatmentSession.objects.filter(_reached_by(now), course=course).delete()
        return 0
    except Exception:
        logger.exception("Rolling course %s forward failed.", course.code)
        TreatmentSession.objects.filter(_reached_by(now), course=course).delete()
        return 0
    return 1
