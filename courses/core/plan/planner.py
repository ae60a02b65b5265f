"""From a request to a plan: what is kept, and what is searched."""

from clinics.core import ClinicCalendar
from courses.core.cadence import ClientDays, replay_attended
from courses.core.plan.effort import MOST_STEPS, Effort
from courses.core.plan.requests import PlanRequest
from courses.core.plan.results import Plan
from courses.core.plan.search import find_days
from courses.core.plan.slots import DaySlots
from courses.core.plan.task import Event, Task
from courses.core.plan.writing import Writer
from courses.core.types import BOOKINGS, SessionRecord


def plan(request: PlanRequest, *, most_steps: int = MOST_STEPS) -> Plan:
    """Return the cheapest plan by the costs of docs/domain.md, section Planning.

    Equal requests have equal plans. Sessions come by date. `most_steps` bounds the work, see `effort`.
    Raises: ValueError when no weekday has hours, and its subclass PlanTooLargeError when there are too many ways to
    compare.
    """
    return plan_within(Effort(most_steps), request)


def plan_within(effort: Effort, request: PlanRequest) -> Plan:
    """Return the cheapest plan, taking its work from what several plans may take together; else as plan()."""
    effort.weigh(len(request.calendar.closures) + len(request.pauses))
    calendar = opening_calendar(request)
    days = ClientDays(calendar, request.pauses, today=request.as_of)
    progress, decisions = replay_attended(
        request.prescription, attended_days(request), days, today=request.as_of
    )
    events = [Event(decision[0], decision=decision) for decision in reversed(decisions)]
    events += [Event(3 * kept.on.toordinal() + 1, kept=kept) for kept in kept_sessions(request)]
    events.sort(key=lambda event: event.moment)
    slots = DaySlots(request, calendar, effort)
    task = Task(progress, tuple(events), request.count, request.hurried, slots, effort)
    return Writer(request, task).write(find_days(task))


def attended_days(request: PlanRequest) -> list[int]:
    """Return the day numbers of the sessions attended up to the as-of date, in order."""
    attended = (session.on for session in request.sessions if session.status == "attended")
    return sorted(on.toordinal() for on in attended if on <= request.as_of)


def opening_calendar(request: PlanRequest) -> ClinicCalendar:
    """Return the clinic's calendar with the weekdays closed too that have no hours."""
    idle = {weekday for weekday in range(1, 8) if not request.hours.get(weekday)}
    if idle <= request.calendar.closed_weekdays:
        return request.calendar
    return ClinicCalendar(request.calendar.closed_weekdays | idle, request.calendar.closures)


def kept_sessions(request: PlanRequest) -> list[SessionRecord]:
    """Return the bookings that stay where they are, by date and start.

    These are the pinned ones, those of clients who have arrived, and those from the as-of date up to the date before
    that of not-before. Times of day decide nothing here, as a booking need not have one: pin what has already begun.
    """
    kept = [
        session for session in request.sessions if session.status in BOOKINGS and _is_kept(request, session)
    ]
    return sorted(kept, key=lambda session: (session.on, session.start or ""))


def _is_kept(request: PlanRequest, session: SessionRecord) -> bool:
    if session.on < request.as_of:
        return False
    return session.pinned or session.status == "arrived" or session.on < request.first_on
