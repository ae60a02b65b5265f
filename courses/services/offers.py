"""Slots to offer for the next session of a course, or to move one to: those inside its window first."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from django.utils.translation import gettext as _

from clinics.models import StaffMember
from courses import convert
from courses.core.cadence import ClientDays
from courses.core.plan import PlanRequest
from courses.core.plan.slots import DaySlots, Slot
from courses.core.ribbon import WindowSpan
from courses.core.types import SessionRecord
from courses.errors import CourseError
from courses.models import BOOKED_STATUSES, Course, TreatmentSession
from courses.ribbons import ribbon_of
from courses.services.availability import clinic_side
from courses.services.slots import minutes_of, session_minutes
from courses.services.windows import window_for_move

SEARCHED_DAYS: Final = 60
_APART_SECONDS: Final = 2 * 60 * 60


@dataclass(frozen=True, slots=True)
class SlotOffer:
    """A free slot, aware in the clinic's zone; practitioner and room are codes. `late_days` is its lateness.

    `early_days`: by how many days sessions that are booked already would come too soon because of it.
    """

    starts_at: datetime
    ends_at: datetime
    practitioner: str | None
    room: str | None
    late_days: int
    early_days: int = 0

    @property
    def keeps_prescription(self) -> bool:
        return not self.late_days and not self.early_days


@dataclass(frozen=True, slots=True)
class SlotOffers:
    """Slots by time, with the window of the session that they are for; without a window none is asked."""

    window: WindowSpan | None
    minutes: int
    slots: tuple[SlotOffer, ...]


def offer_slots(*, course: Course, now: datetime, day_count: int = 5, per_day: int = 3) -> SlotOffers:
    """Return free slots for the session after those already booked, none before its window, saving nothing.

    Order: by time; at most `per_day` on each of `day_count` days, the best of a day some hours apart.
    Raises: CourseError when the course is over.
    Cost: about twenty queries.
    """
    if not course.is_open:
        raise CourseError(_("This course is over; there is nothing to book."), code="course_not_open")
    facts = convert.load_facts([course])[course.pk]
    today = convert.local_today(course.clinic, now)
    ribbon = ribbon_of(course, facts, convert.assess_facts(facts, today=today), now=now)
    window = next((window for window in ribbon.windows if window.role == "next"), None)
    phases = facts.prescription.phases
    minutes = session_minutes(phases[window.phase : window.phase + 1] if window else phases[-1:])
    if window is None:
        return SlotOffers(None, minutes, ())
    request = _request(course, facts, window, minutes, wished=course.practitioner, now=now)
    # A course has one session a day.
    booked = {record.on for record in facts.sessions if record.status in (*BOOKED_STATUSES, "attended")}
    slots = _free_slots(request, window, booked, day_count=day_count, per_day=per_day)
    days, due_by = ClientDays(facts.calendar, facts.pauses, today=today), window.due_by.toordinal()
    return SlotOffers(
        window,
        minutes,
        tuple(_offer(request, slot, days.lateness(due_by, on.toordinal())) for on, slot in slots),
    )


def offer_moves(
    *, session: TreatmentSession, now: datetime, day_count: int = 6, per_day: int = 3
) -> SlotOffers:
    """Return free slots that a booking may be moved to, none before its window, saving nothing.

    Each says what it does to the course: its own lateness, and how much too soon what is booked besides would come.
    Order, Raises: as offer_slots(). A session that the prescription does not ask for has no slots.
    Cost: about thirty queries.
    """
    course = session.course
    if not course.is_open:
        raise CourseError(_("This course is over; there is nothing to book."), code="course_not_open")
    window, minutes = window_for_move(session=session, now=now).window, minutes_of(session)
    if window is None:
        return SlotOffers(None, minutes, ())
    facts = convert.load_facts([course])[course.pk]
    today = convert.local_today(course.clinic, now)
    others = tuple(row for row in facts.sessions if row.status not in BOOKED_STATUSES or row.on != session.on)
    request = _request(
        course, facts, window, minutes, wished=session.practitioner, now=now, replaced=[session]
    )
    taken = {row.on for row in others if row.status in (*BOOKED_STATUSES, "attended")}
    slots = _free_slots(request, window, taken, day_count=day_count, per_day=per_day)
    days, due_by = ClientDays(facts.calendar, facts.pauses, today=today), window.due_by.toordinal()
    early = {
        on: _early_days(course, facts, (*others, SessionRecord(on, "booked")), now=now) for on, _slot in slots
    }
    least = _early_days(course, facts, facts.sessions, now=now)
    offers = (
        _offer(request, slot, days.lateness(due_by, on.toordinal()), max(0, early[on] - least))
        for on, slot in slots
    )
    return SlotOffers(
        window, minutes, tuple(offer for offer in offers if offer.starts_at != session.starts_at)
    )


def _early_days(
    course: Course, facts: convert.CourseFacts, records: tuple[SessionRecord, ...], *, now: datetime
) -> int:
    """Return by how many days in sum the bookings among the records are early."""
    changed = replace(facts, sessions=tuple(sorted(records, key=lambda row: row.on)))
    assessment = convert.assess_facts(changed, today=convert.local_today(course.clinic, now))
    marks = ribbon_of(course, changed, assessment, now=now).marks
    return sum(mark.days for mark in marks if mark.kind == "booked_early")


def _request(
    course: Course,
    facts: convert.CourseFacts,
    window: WindowSpan,
    minutes: int,
    *,
    wished: StaffMember | None,
    now: datetime,
    replaced: Sequence[TreatmentSession] = (),
) -> PlanRequest:
    today = convert.local_today(course.clinic, now)
    return PlanRequest(
        as_of=today,
        prescription=facts.prescription,
        calendar=facts.calendar,
        pauses=facts.pauses,
        contraindications=facts.contraindications,
        count=1,
        minutes=minutes,
        horizon_days=max(0, (window.due_from - today).days) + SEARCHED_DAYS,
        **clinic_side(course.clinic, course.client, wished, now, replaced=replaced),
    )


def _free_slots(
    request: PlanRequest, window: WindowSpan, booked: set[date], *, day_count: int, per_day: int
) -> list[tuple[date, Slot]]:
    """Return the best slots of the first days that have any, each with its day."""
    found: list[tuple[date, Slot]] = []
    busy = list(request.client_busy)
    days: list[int] = []
    for _round in range(per_day):
        slots = DaySlots(replace(request, client_busy=tuple(busy)), request.calendar)
        if not days:
            days = _first_days(slots, window, booked, day_count)
        for number in days:
            slot = slots.best(number)
            if slot is not None:
                found.append((date.fromordinal(number), slot))
                busy.append(
                    (
                        datetime.fromtimestamp(slot.start - _APART_SECONDS, request.zone),
                        datetime.fromtimestamp(slot.end + _APART_SECONDS, request.zone),
                    )
                )
    return sorted(found, key=lambda pair: pair[1].start)


def _first_days(slots: DaySlots, window: WindowSpan, booked: set[date], day_count: int) -> list[int]:
    days: list[int] = []
    number = slots.next_day(window.due_from.toordinal())
    while len(days) < day_count and number <= slots.last_day:
        if date.fromordinal(number) not in booked:
            days.append(number)
        number = slots.next_day(number + 1)
    return days


def _offer(request: PlanRequest, slot: Slot, late_days: int, early_days: int = 0) -> SlotOffer:
    return SlotOffer(
        datetime.fromtimestamp(slot.start, request.zone),
        datetime.fromtimestamp(slot.end, request.zone),
        request.practitioners[slot.practitioner].id if slot.practitioner is not None else None,
        request.rooms[slot.room].id if slot.room is not None else None,
        late_days,
        early_days,
    )
