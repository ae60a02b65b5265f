"""The maintenance visits that the running courses will ask for."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from courses.models import BOOKED_STATUSES, PhaseKind, TreatmentSession
from courses.selectors import RUNNING, phases_in_force
from reports.core import Outlook, Period, expected_days, week_of
from reports.selectors.scope import Scope


@dataclass(frozen=True, slots=True)
class Forecast:
    """Visits by the Monday of their week: booked, still to be booked, and of courses that are yet to enter the phase."""

    booked: Counter[date]
    to_book: Counter[date]
    coming: Counter[date]
    course_count: int
    coming_count: int


@dataclass(frozen=True, slots=True)
class _Running:
    pk: int
    position: int
    number: int
    due_from_on: date
    ends_on: date | None


def maintenance_forecast(scope: Scope, weeks: Period) -> Forecast:
    """Return the maintenance visits of each week of `weeks`, which begin today.

    Cost: three queries; the running courses of the clinic are read.
    """
    courses = list(_running(scope))
    phases = phases_in_force([course.pk for course in courses])
    bookings = _bookings(scope, weeks.from_on)
    booked: Counter[date] = Counter()
    to_book: Counter[date] = Counter()
    coming: Counter[date] = Counter()
    course_count = coming_count = 0
    for course in courses:
        of_course = phases[course.pk]
        if course.position >= len(of_course):
            continue
        phase = of_course[course.position]
        if phase["kind"] == PhaseKind.MAINTENANCE:
            course_count += 1
            days = bookings.get(course.pk, [])
            booked.update(week_of(day) for day in days if day in weeks)
            outlook = _outlook(course, phase, days, today=weeks.from_on)
            to_book.update(week_of(day) for day in expected_days(outlook, until=weeks.to_on))
        elif (entry := _entry(course, of_course)) is not None:
            coming_count += 1
            # What is booked already beyond the phase that ends belongs to the one that begins.
            beyond = [day for day in bookings.get(course.pk, []) if course.ends_on and day > course.ends_on]
            booked.update(week_of(day) for day in beyond if day in weeks)
            expected = list(expected_days(entry, until=weeks.to_on))
            coming.update(week_of(day) for day in expected[len(beyond) :])
    return Forecast(booked, to_book, coming, course_count, coming_count)


def _running(scope: Scope) -> Iterator[_Running]:
    rows = scope.courses().filter(status__in=RUNNING, phase_position__isnull=False, due_from_on__isnull=False)
    columns = ("pk", "phase_position", "session_number", "due_from_on", "projected_end_on")
    for pk, position, number, due_from_on, ends_on in rows.values_list(*columns):
        # The states in which these are empty are left out above.
        assert position is not None
        assert due_from_on is not None
        yield _Running(pk, position, number or 1, due_from_on, ends_on)


def _bookings(scope: Scope, today: date) -> Mapping[int, list[date]]:
    found: defaultdict[int, list[date]] = defaultdict(list)
    ahead = TreatmentSession.objects.for_clinic(scope.clinic).filter(
        status__in=BOOKED_STATUSES, on__gte=today
    )
    for course_id, on in ahead.order_by("on").values_list("course", "on"):
        found[course_id].append(on)
    return found


def _step(phase: Mapping[str, Any]) -> int:
    """Return the days from one visit to the next when each comes on the last day of its window."""
    return -(-int(phase["period_max"]) // int(phase["frequency"]))


def _most(phase: Mapping[str, Any]) -> int | None:
    most = phase["target"] or phase["sessions_max"]
    return int(most) if most is not None else None


def _outlook(course: _Running, phase: Mapping[str, Any], days: Sequence[date], *, today: date) -> Outlook:
    """Return what a course in its maintenance phase will ask for beside what is booked."""
    first = max(today, course.due_from_on)
    if days:
        first = max(first, days[-1] + timedelta(days=_step(phase)))
    most = _most(phase)
    left = None if most is None else max(0, most - (course.number - 1) - len(days))
    return Outlook(first, _step(phase), last_on=course.ends_on, most=left)


def _entry(course: _Running, phases: Sequence[Mapping[str, Any]]) -> Outlook | None:
    """Return what a course will ask for once its present phase is over, when a maintenance phase comes next."""
    following = phases[course.position + 1] if course.position + 1 < len(phases) else None
    if following is None or following["kind"] != PhaseKind.MAINTENANCE or course.ends_on is None:
        return None
    first = course.ends_on + timedelta(days=int(following["period_max"]))
    days = following["duration_days"]
    last = first + timedelta(days=int(days) - 1) if days else None
    return Outlook(first, _step(following), last_on=last, most=_most(following))
