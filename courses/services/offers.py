"""Slots to offer for the next session of a course: those inside its window first."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from django.utils.translation import gettext as _

from courses import convert
from courses.core.cadence import ClientDays
from courses.core.plan import PlanRequest
from courses.core.plan.slots import DaySlots, Slot
from courses.core.ribbon import WindowSpan
from courses.errors import CourseError
from courses.models import BOOKED_STATUSES, Course
from courses.ribbons import ribbon_of
from courses.services.availability import clinic_side
from courses.services.slots import session_minutes

SEARCHED_DAYS: Final = 60
_APART_SECONDS: Final = 2 * 60 * 60


@dataclass(frozen=True, slots=True)
class SlotOffer:
    """A free slot, aware in the clinic's zone; practitioner and room are codes. `late_days` is its lateness."""

    starts_at: datetime
    ends_at: datetime
    practitioner: str | None
    room: str | None
    late_days: int


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
    request = PlanRequest(
        as_of=today,
        prescription=facts.prescription,
        calendar=facts.calendar,
        pauses=facts.pauses,
        contraindications=facts.contraindications,
        count=1,
        minutes=minutes,
        horizon_days=max(0, (window.due_from - today).days) + SEARCHED_DAYS,
        **clinic_side(course.clinic, course.client, course.practitioner, now),
    )
    # A course has one session a day.
    booked = {record.on for record in facts.sessions if record.status in (*BOOKED_STATUSES, "attended")}
    slots = _free_slots(request, window, booked, day_count=day_count, per_day=per_day)
    days, due_by = ClientDays(facts.calendar, facts.pauses, today=today), window.due_by.toordinal()
    return SlotOffers(
        window,
        minutes,
        tuple(_offer(request, slot, days.lateness(due_by, on.toordinal())) for on, slot in slots),
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


def _offer(request: PlanRequest, slot: Slot, late_days: int) -> SlotOffer:
    return SlotOffer(
        datetime.fromtimestamp(slot.start, request.zone),
        datetime.fromtimestamp(slot.end, request.zone),
        request.practitioners[slot.practitioner].id if slot.practitioner is not None else None,
        request.rooms[slot.room].id if slot.room is not None else None,
        late_days,
    )
