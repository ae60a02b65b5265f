"""Who is hit when a practitioner is away or the clinic is closed, and what that would lead to."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from clinics.core import ClinicCalendar
from clinics.models import Absence, Clinic, StaffMember
from courses import convert
from courses.convert import CourseFacts
from courses.core.disruption import added_drift, sessions_by
from courses.core.types import Finding
from courses.models import SessionStatus, TreatmentSession
from courses.services.calendar import closed_days

# A client who has arrived is treated, by whomever.
MOVABLE: Final = (SessionStatus.BOOKED, SessionStatus.CONFIRMED)


@dataclass(frozen=True, slots=True)
class Outage:
    """Days, both ends included, on which a practitioner is away or, without one, the clinic is closed."""

    clinic: Clinic
    practitioner: StaffMember | None
    from_on: date
    to_on: date

    @property
    def days(self) -> frozenset[date]:
        return frozenset(convert.days_between(self.from_on, self.to_on))


def sessions_hit(outage: Outage, *, now: datetime) -> list[TreatmentSession]:
    """Return the bookings ahead that an outage keeps from taking place, in the order of time.

    Cost: one query.
    """
    rows = TreatmentSession.objects.for_clinic(outage.clinic).filter(
        status__in=MOVABLE, on__range=(outage.from_on, outage.to_on), starts_at__gt=now
    )
    if outage.practitioner is not None:
        rows = rows.filter(practitioner=outage.practitioner)
    related = ("course__clinic", "course__client", "course__protocol", "practitioner", "room")
    return list(rows.select_related(*related).order_by("starts_at", "pk"))


def foresee_drift(
    outage: Outage, sessions: Sequence[TreatmentSession], *, now: datetime
) -> dict[int, tuple[Finding, ...]]:
    """Return, by course id, what each course drifts into by the day after an outage if nothing is done.

    Each is assessed twice as of that day: with the sessions hit fallen out, and with all of them attended. Bookings
    that are not hit are taken as attended both times. Courses that are over have no drift.
    Cost: as load_facts(), however many courses.
    """
    courses = {row.course_id: row.course for row in sessions if row.course.is_open}
    hit: dict[int, set[date]] = {}
    for row in sessions:
        hit.setdefault(row.course_id, set()).add(row.on)
    today = convert.local_today(outage.clinic, now)
    facts = convert.load_facts(list(courses.values()))
    return {pk: _drift(with_outage(facts[pk], outage), outage, hit[pk], today=today) for pk in courses}


def _drift(facts: CourseFacts, outage: Outage, hit: set[date], *, today: date) -> tuple[Finding, ...]:
    on = outage.to_on + timedelta(days=1)
    without, within = (
        convert.assess_facts(
            replace(facts, sessions=sessions_by(facts.sessions, fallen_out=fallen_out, today=today, on=on)),
            today=on,
        ).findings
        for fallen_out in (frozenset[date](), hit)
    )
    return added_drift(without, within)


def drift_values(finding: Finding) -> dict[str, Any]:
    """Return a finding as JSON values under the names of a flag's columns."""
    names = ("kind", "severity", "days", "count", "cause")
    values = {name: value for name in names if (value := getattr(finding, name)) is not None}
    on = finding.on.isoformat() if finding.on else None
    return {**values, "evidence": {"limit": finding.limit, "session": finding.session, "on": on}}


def with_outage(facts: CourseFacts, outage: Outage) -> CourseFacts:
    """Return the facts of a course as they are once the outage stands in the clinic's calendar."""
    if outage.practitioner is not None:
        return facts
    calendar = facts.calendar
    return replace(facts, calendar=ClinicCalendar(calendar.closed_weekdays, calendar.closures | outage.days))


def is_on_record(outage: Outage) -> bool:
    """Return whether the calendar says already that all these days are lost. Cost: one query."""
    if outage.practitioner is None:
        return closed_days(outage.clinic, outage.from_on, outage.to_on) >= outage.days
    spans = Absence.objects.filter(
        practitioner=outage.practitioner, from_on__lte=outage.to_on, to_on__gte=outage.from_on
    )
    away = {
        day
        for first, last in spans.values_list("from_on", "to_on")
        for day in convert.days_between(first, last)
    }
    return away >= outage.days
