"""Applying a proposed plan: every slot of it is booked in one transaction, or nothing changes."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from audit.services import Actor
from clinics.models import Room, StaffMember
from courses import convert
from courses.core.plan import PlannedSession
from courses.errors import CourseError
from courses.models import (
    BOOKED_STATUSES,
    Course,
    PlanPolicy,
    PlanRevision,
    ResolvedReason,
    SessionStatus,
    TreatmentSession,
)
from courses.services.changes import (
    change_session,
    changing,
    require_prescriber,
)
from courses.services.news import SessionNews, stand_of, tell_sessions
from courses.services.prescribing import revise_phases
from courses.services.proposing import PlanProposal
from courses.services.slots import SlotWish, explain_clash, lock_parties, slot_taken

_DAY: Final = timedelta(days=1)
MOVABLE: Final = (SessionStatus.BOOKED, SessionStatus.CONFIRMED)


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
        refuse_stale(locked, proposal, now=now)
        if proposal.policy == PlanPolicy.DROP:
            member = require_prescriber(by, locked.clinic)
            revise_phases(locked, proposal.phases, member=member, now=now, reason=_("missed session dropped"))
        after = _write_plan(locked, proposal, now=now)
        revision = new_revision(locked, proposal, after, by=by, now=now)
        revision.number = PlanRevision.objects.filter(course=locked).count() + 1
        revision.save()
    return revision


def new_revision(
    course: Course, proposal: PlanProposal, after: list[dict[str, Any]], *, by: Actor, now: datetime
) -> PlanRevision:
    """Return the revision of an applied proposal, without its number."""
    return PlanRevision(
        clinic=course.clinic,
        course=course,
        policy=proposal.policy,
        before=[row_values(row) for row in proposal.before if row.status != SessionStatus.PLANNED],
        after=after,
        cost=convert.plan_cost_values(proposal.plan.cost),
        notes=[convert.reason_values(note) for note in proposal.plan.notes],
        by_id=by.staff_member_id,
        created_at=now,
    )


def refuse_stale(course: Course, proposal: PlanProposal, *, now: datetime) -> None:
    """Raise CourseError `stale_plan` when course or calendar changed since the proposal, or one of its times has passed."""
    made_with = (proposal.course_id, proposal.course_version, proposal.calendar_version)
    if made_with != (course.pk, course.version, course.clinic.calendar_version):
        raise CourseError(
            _("The course has changed since this plan was made. Look at the new proposal."), code="stale_plan"
        )
    if any(planned.start is not None and planned.start < now for planned in proposal.plan.planned):
        raise CourseError(
            _("A time of this plan has passed meanwhile. Look at the new proposal."), code="stale_plan"
        )


def row_values(row: TreatmentSession) -> dict[str, Any]:
    """Return where a booking is, as a revision keeps it."""
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
    forget_planned(course, proposal)
    booked = [row for row in locked_bookings(proposal.before) if row.status in MOVABLE]
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
    moves, fresh, spare = match_slots(booked, wanted)
    stood = {row.pk: stand_of(row) for row in booked}
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
    changed = (*spare, *rows)
    tell_sessions(course, [SessionNews(row, stood.get(row.pk)) for row in changed], now=now)
    gone = {row.pk for row in spare} | {row.pk for row in rows}
    rows += [row for row in booked if row.pk not in gone]
    return [row_values(row) for row in sorted(rows, key=lambda row: row.on)]


def forget_planned(course: Course, proposal: PlanProposal) -> None:
    """Delete the dates without a slot that a plan takes the place of: all, or those of the days it now books."""
    planned = TreatmentSession.objects.filter(course=course, status=SessionStatus.PLANNED)
    if proposal.policy == PlanPolicy.DISRUPTION:
        planned = planned.filter(on__in=[session.on for session in proposal.plan.planned])
    planned.delete()


def locked_bookings(rows: Sequence[TreatmentSession]) -> list[TreatmentSession]:
    """Return sessions as they are now, by date, locked until the transaction ends."""
    return list(
        TreatmentSession.objects.select_for_update(of=("self",))
        .select_related("practitioner", "room")
        .filter(pk__in=[row.pk for row in rows])
        .order_by("on", "pk")
    )


def _is_booked_now(course: Course, proposal: PlanProposal, planned: PlannedSession, *, now: datetime) -> bool:
    """Return whether a planned session is booked at once: its phase is counted, or the horizon reaches it."""
    if proposal.policy == PlanPolicy.DISRUPTION:
        # What was booked stays booked.
        return True
    horizon_on = convert.local_today(course.clinic, now) + timedelta(days=course.clinic.booking_horizon_days)
    is_counted = planned.phase is not None and proposal.phases[planned.phase].amount is not None
    return is_counted or planned.on <= horizon_on


_Move = tuple[TreatmentSession, PlannedSession, SlotWish]


def match_slots(
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
    change_session(row, **slot_values(planned, slot))
    return row


def slot_values(planned: PlannedSession, slot: SlotWish) -> dict[str, Any]:
    """Return what a booking that moves has there, under the names of its fields."""
    return {
        "status": SessionStatus.BOOKED,
        "confirmed_at": None,
        "on": planned.on,
        "starts_at": slot.starts_at,
        "ends_at": slot.ends_at,
        "practitioner": slot.practitioner,
        "room": slot.room,
        "why": [convert.reason_values(reason) for reason in planned.why],
    }


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


def _day_of(slots: Sequence[SlotWish], choose: Callable[[Iterable[date]], date]) -> date:
    return choose(slot.starts_at.date() for slot in slots)


@contextmanager
def _refusing_clashes(course: Course, slots: Sequence[SlotWish], *, but: Sequence[int]) -> Iterator[None]:
    """Refuse slots that meet other bookings; the body writes them.

    As slots.holding(), for many slots at once.
    """
    lock_parties(slots, clients={course.client_id})
    if slots:
        met = Q()
        for slot in slots:
            met |= Q(starts_at__lt=slot.ends_at, ends_at__gt=slot.starts_at)
        taken = TreatmentSession.objects.filter(
            met,
            clinic_id=course.clinic_id,
            status__in=BOOKED_STATUSES,
            # By index, before each slot is looked at: a booking's day is at most one off that of its start in UTC.
            on__range=(_day_of(slots, min) - _DAY, _day_of(slots, max) + _DAY),
        ).exclude(pk__in=but)
        for other in taken.values("practitioner_id", "room_id", "client_id", "starts_at", "ends_at"):
            for slot in slots:
                refuse_clash(course, slot, other)
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise explain_clash(error) from error


def refuse_clash(course: Course, slot: SlotWish, other: Mapping[str, Any]) -> None:
    """Raise CourseError `slot_taken` when another booking meets a slot and takes whom or what it needs."""
    if not (other["starts_at"] < slot.ends_at and slot.starts_at < other["ends_at"]):
        return
    if slot.practitioner is not None and other["practitioner_id"] == slot.practitioner.pk:
        raise slot_taken("practitioner")
    if slot.room is not None and other["room_id"] == slot.room.pk:
        raise slot_taken("room")
    if other["client_id"] == course.client_id:
        raise slot_taken("client")
