"""Moving the bookings of many courses at once, as a disruption planned them."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import Count
from django.utils.translation import gettext as _

from audit.services import Actor
from clinics.models import Room, StaffMember
from courses.core.plan import PlannedSession
from courses.errors import CourseError
from courses.models import (
    BOOKED_STATUSES,
    Course,
    PlanRevision,
    ResolvedReason,
    SessionStatus,
    TreatmentSession,
)
from courses.services.applying import (
    MOVABLE,
    forget_planned,
    locked_bookings,
    match_slots,
    new_revision,
    refuse_clash,
    refuse_stale,
    row_values,
    slot_values,
)
from courses.services.changes import finish_changes, lock_courses, require_open
from courses.services.news import SessionNews, Stand, stand_of, tell_sessions
from courses.services.proposing import PlanProposal
from courses.services.slots import SlotWish, explain_clash, lock_parties

_DAY: Final = timedelta(days=1)
_MOVED_COLUMNS: Final = (
    *("status", "confirmed_at", "on", "starts_at", "ends_at", "practitioner", "room", "why", "version"),
)


def apply_moves(*, proposals: Sequence[PlanProposal], by: Actor, now: datetime) -> dict[int, CourseError]:
    """Apply proposals that only move bookings, of courses of one clinic; return by course id what was refused.

    Runs in the caller's transaction. Each is applied as apply_plan() would, all of it or nothing, but what they need
    is read, locked and written once for all of them.
    Cost: about twenty-five queries, and what follows from the change. Where the database refuses them together, for each
    course two savepoints and two queries more.
    """
    courses = {course.pk: course for course in lock_courses([one.course_id for one in proposals])}
    try:
        with transaction.atomic():
            moved, refused = _move_all(courses, proposals, now=now, is_together=True)
    except IntegrityError:
        # One of them meets what nobody here could see: the others are moved without it.
        moved, refused = _move_all(courses, proposals, now=now, is_together=False)
    revisions = {
        proposal.course_id: new_revision(courses[proposal.course_id], proposal, after, by=by, now=now)
        for proposal, after in moved
    }
    numbers = PlanRevision.objects.filter(course__in=revisions).order_by().values_list("course")
    counts = dict(numbers.annotate(Count("pk")))
    for pk, revision in revisions.items():
        revision.number = counts.get(pk, 0) + 1
    PlanRevision.objects.bulk_create(revisions.values())
    finish_changes(
        [courses[pk] for pk in sorted(revisions)],
        action="plan_applied",
        by=by,
        now=now,
        reason=ResolvedReason.REBOOKED,
        details={pk: {"policy": revision.policy} for pk, revision in revisions.items()},
    )
    return refused


_Moved = list[tuple[PlanProposal, list[dict[str, Any]]]]


def _move_all(
    courses: Mapping[int, Course], proposals: Sequence[PlanProposal], *, now: datetime, is_together: bool
) -> tuple[_Moved, dict[int, CourseError]]:
    """Move the bookings of all proposals that can be; return those with where the bookings are now, and what was refused.

    Raises: IntegrityError when they are written together and the database refuses one.
    """
    desk = _Desk.prepare(courses, proposals)
    changes: list[_Change] = []
    refused: dict[int, CourseError] = {}
    for proposal in proposals:
        course = courses[proposal.course_id]
        try:
            require_open(course)
            refuse_stale(course, proposal, now=now)
            change = desk.move(course, proposal)
            if not is_together:
                _write_alone(change)
        except CourseError as error:
            refused[course.pk] = error
        else:
            desk.note(change)
            changes.append(change)
    if is_together:
        _write_changes(changes)
    for change in changes:
        news = [SessionNews(row, change.stood[row.pk]) for row in change.moved]
        tell_sessions(change.course, news, now=now)
    return [(change.proposal, change.after()) for change in changes], refused


class _Desk:
    """What several proposals for one clinic share: people and rooms, their bookings, and what else is taken then."""

    def __init__(
        self,
        people: Mapping[str, StaffMember],
        rooms: Mapping[str, Room],
        rows: Mapping[int, TreatmentSession],
        with_dates: Collection[int],
    ) -> None:
        self._people, self._rooms, self._rows, self._with_dates = people, rooms, rows, with_dates
        self._taken: dict[date, dict[int, _Taken]] = defaultdict(dict)

    @classmethod
    def prepare(cls, courses: Mapping[int, Course], proposals: Sequence[PlanProposal]) -> "_Desk":
        """Read and lock all that the proposals need; the courses are locked already."""
        clinic_id = next(iter(courses.values())).clinic_id
        planned = TreatmentSession.objects.filter(course__in=courses, status=SessionStatus.PLANNED)
        desk = cls(
            {str(row.code): row for row in StaffMember.objects.filter(clinic=clinic_id)},
            {str(row.code): row for row in Room.objects.filter(clinic=clinic_id)},
            {row.pk: row for row in locked_bookings([row for one in proposals for row in one.before])},
            set(planned.values_list("course_id", flat=True)),
        )
        slots = [slot for proposal in proposals for _planned, slot in desk.slots(proposal)]
        lock_parties(slots, clients={course.client_id for course in courses.values()})
        days = {slot.starts_at.date() + number * _DAY for slot in slots for number in (-1, 0, 1)}
        booked = TreatmentSession.objects.filter(clinic=clinic_id, status__in=BOOKED_STATUSES, on__in=days)
        for pk, on, *values in booked.values_list("pk", "on", *_Taken._fields):
            desk._taken[on][pk] = _Taken(*values)
        return desk

    def slots(self, proposal: PlanProposal) -> list[tuple[PlannedSession, SlotWish]]:
        """Return the slots of a proposal with whom and what they take."""
        return [
            (
                planned,
                SlotWish(
                    planned.start.astimezone(UTC),
                    planned.end.astimezone(UTC),
                    self._people[planned.practitioner] if planned.practitioner else None,
                    self._rooms[planned.room] if planned.room else None,
                ),
            )
            for planned in proposal.plan.planned
            if planned.start is not None and planned.end is not None
        ]

    def move(self, course: Course, proposal: PlanProposal) -> "_Change":
        """Give a course's bookings their new slots and return them, writing nothing.

        Raises: CourseError `stale_plan` when one is not booked any more, or as apply_plan() for a clash.
        """
        rows = [self._rows[row.pk] for row in proposal.before]
        moves, fresh, spare = match_slots(
            [row for row in rows if row.status in MOVABLE], self.slots(proposal)
        )
        if fresh or spare:
            raise CourseError(_("The course has changed meanwhile."), code="stale_plan")
        own = {row.pk for row in rows}
        for _row, _planned, slot in moves:
            for day in (-1, 0, 1):
                for pk, other in self._taken[slot.starts_at.date() + day * _DAY].items():
                    if pk not in own:
                        refuse_clash(course, slot, other._asdict())
        stood = {row.pk: stand_of(row) for row, _planned, _slot in moves}
        for row, planned, slot in moves:
            for name, value in slot_values(planned, slot).items():
                setattr(row, name, value)
            row.version += 1
        return _Change(
            course,
            proposal,
            rows,
            [row for row, _planned, _slot in moves],
            stood,
            course.pk in self._with_dates,
        )

    def note(self, change: "_Change") -> None:
        """Keep in mind what a change frees and takes."""
        for row in change.moved:
            self._taken[change.stood[row.pk].on].pop(row.pk, None)
            if row.starts_at is not None and row.ends_at is not None:
                taken = _Taken(row.practitioner_id, row.room_id, row.client_id, row.starts_at, row.ends_at)
                self._taken[row.on][row.pk] = taken


class _Change(NamedTuple):
    """The bookings of one course with their new slots, which are not written yet; `stood` is how they stood before, by id."""

    course: Course
    proposal: PlanProposal
    rows: list[TreatmentSession]
    moved: list[TreatmentSession]
    stood: dict[int, Stand]
    has_dates: bool

    def after(self) -> list[dict[str, Any]]:
        """Return where the bookings are now, by date."""
        return [row_values(row) for row in sorted(self.rows, key=lambda row: row.on)]


def _write_changes(changes: Sequence[_Change]) -> None:
    """Write bookings that move, of any number of courses.

    Raises: IntegrityError when the database refuses one.
    Cost: two queries, one more for each course with dates without a slot.
    """
    for change in changes:
        if change.has_dates:
            forget_planned(change.course, change.proposal)
    moved = [row for change in changes for row in change.moved]
    # Freed first, so that a session may take the day or the slot of one that moves away.
    TreatmentSession.objects.filter(pk__in=[row.pk for row in moved]).update(status=SessionStatus.PLANNED)
    # By way of an insertion that meets the row: an update of many rows and columns at once takes ten times as long.
    TreatmentSession.objects.bulk_create(
        moved, update_conflicts=True, unique_fields=["id"], update_fields=_MOVED_COLUMNS
    )


def _write_alone(change: _Change) -> None:
    """Write the bookings of one course; raises CourseError as explain_clash() when the database refuses one."""
    try:
        with transaction.atomic():
            _write_changes([change])
    except IntegrityError as error:
        raise explain_clash(error) from error


class _Taken(NamedTuple):
    """Whom and what a booking takes, and when."""

    practitioner_id: int | None
    room_id: int | None
    client_id: int
    starts_at: datetime
    ends_at: datetime
