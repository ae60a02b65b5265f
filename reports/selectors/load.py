"""How much of the time that practitioners work is booked, and how much attended."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, time, timedelta

from django.db.models import DurationField, ExpressionWrapper, F, Sum

from clinics.models import Absence, Closure, OpeningHours, PractitionerHours, StaffMember
from courses.convert import days_between
from courses.models import BOOKED_STATUSES, SessionStatus
from reports.core import Period, Span, working_minutes
from reports.selectors.scope import Scope


@dataclass(frozen=True, slots=True)
class Load:
    """Minutes of one practitioner in a period; `booked` holds what was attended and what was missed too."""

    practitioner: StaffMember
    working: int
    booked: int
    attended: int


def practitioner_loads(scope: Scope) -> list[Load]:
    """Return the load of each practitioner who treats, or had anything booked, in the clinic's order.

    A filter for a protocol counts only its sessions, against all working hours.
    Cost: ten queries.
    """
    booked, attended = _minutes(scope)
    people = StaffMember.objects.for_clinic(scope.clinic)
    if scope.practitioner:
        people = people.filter(pk=scope.practitioner.pk)
    shown = [
        person
        for person in people
        if (person.is_treating and person.is_active) or person.pk in booked.keys() | attended.keys()
    ]
    working = _working(scope, shown)
    return [
        Load(person, working[person.pk], booked.get(person.pk, 0), attended.get(person.pk, 0))
        for person in shown
    ]


def _minutes(scope: Scope) -> tuple[dict[int, int], dict[int, int]]:
    """Return booked and attended minutes by practitioner: of slots; of walk-ins what was noted.

    Whoever did not come had the slot nevertheless.
    """
    length = ExpressionWrapper(F("ends_at") - F("starts_at"), output_field=DurationField())
    booked: defaultdict[int, int] = defaultdict(int)
    attended: defaultdict[int, int] = defaultdict(int)
    kept, live = scope.counted()
    for person, held, given in (
        kept.filter(practitioner__isnull=False)
        .values_list("practitioner")
        .annotate(Sum("held_minutes"), Sum("attended_minutes"))
    ):
        booked[person] += held
        attended[person] += given
    ahead = scope.sessions().filter(status__in=BOOKED_STATUSES)
    for sessions in (live, ahead):
        rows = sessions.filter(practitioner__isnull=False).values_list("practitioner", "status")
        for person, status, spent in rows.annotate(spent=Sum(length, default=timedelta())):
            minutes = int(spent.total_seconds() // 60)
            booked[person] += minutes
            if status == SessionStatus.ATTENDED:
                attended[person] += minutes
    walked_in = live.filter(practitioner__isnull=False).filter(
        status=SessionStatus.ATTENDED, starts_at__isnull=True
    )
    for person, minutes in walked_in.values_list("practitioner").annotate(noted=Sum("minutes", default=0)):
        attended[person] += minutes
    return dict(booked), dict(attended)


def _working(scope: Scope, people: Iterable[StaffMember]) -> dict[int, int]:
    clinic, period = scope.clinic, scope.period
    clinic_week = _week(
        OpeningHours.objects.for_clinic(clinic).values_list("weekday", "opens_time", "closes_time")
    )
    own: defaultdict[int, list[tuple[int, time, time]]] = defaultdict(list)
    for hours in PractitionerHours.objects.for_clinic(clinic):
        own[hours.practitioner_id].append((hours.weekday, hours.starts_time, hours.ends_time))
    closed = _days(Closure.objects.for_clinic(clinic).values_list("from_on", "to_on"), period)
    away: defaultdict[int, set[date]] = defaultdict(set)
    for person, from_on, to_on in Absence.objects.for_clinic(clinic).values_list(
        "practitioner", "from_on", "to_on"
    ):
        away[person] |= _days([(from_on, to_on)], period)
    return {
        person.pk: working_minutes(
            period,
            clinic_week=clinic_week,
            own_week=_week(own[person.pk]) if person.pk in own else None,
            off=closed | away[person.pk],
        )
        for person in people
    }


def _week(rows: Iterable[tuple[int, time, time]]) -> dict[int, tuple[Span, ...]]:
    found: defaultdict[int, list[Span]] = defaultdict(list)
    for weekday, begins, ends in rows:
        found[weekday].append((begins.hour * 60 + begins.minute, ends.hour * 60 + ends.minute))
    return {weekday: tuple(spans) for weekday, spans in found.items()}


def _days(spans: Iterable[tuple[date, date]], period: Period) -> set[date]:
    found: set[date] = set()
    for from_on, to_on in spans:
        if from_on <= period.to_on and to_on >= period.from_on:
            found.update(days_between(max(from_on, period.from_on), min(to_on, period.to_on)))
    return found
