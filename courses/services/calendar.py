"""The clinic's calendar: every change of it re-assesses the running courses in the same transaction."""

from collections.abc import Sequence
from datetime import date, datetime, time

from django.db.models import F
from django.utils.translation import gettext as _

from audit.services import Actor, record
from clinics.models import Absence, Clinic, Closure, OpeningHours, StaffMember
from courses import convert
from courses.errors import CourseError
from courses.models import BOOKED_STATUSES, Course, CourseStatus, ResolvedReason, TreatmentSession
from courses.services.assessing import store_assessment
from courses.services.changes import fitting_text, refuse, transacting
from courses.signals import course_changed


def set_opening_hours(
    *, clinic: Clinic, hours: Sequence[tuple[int, time, time]], by: Actor, now: datetime
) -> None:
    """Replace the opening hours: (ISO weekday, opens, closes) of each interval.

    Raises: CourseError when none is left, a weekday is none, an interval is upside down, or two overlap.
    """
    if not hours:
        raise refuse("hours", _("The clinic must open on at least one weekday."), code="never_open")
    last: dict[int, time] = {}
    for weekday, opens, closes in sorted(hours):
        if not 1 <= weekday <= 7:
            raise refuse("hours", _("Weekdays are numbered from 1 (Monday) to 7."), code="unknown_weekday")
        if opens >= closes:
            raise refuse("hours", _("Opening hours must begin before they end."), code="range_upside_down")
        if weekday in last and opens < last[weekday]:
            raise refuse("hours", _("Two intervals of one day overlap."), code="hours_overlap")
        last[weekday] = closes
    with transacting():
        _lock_calendar(clinic)
        OpeningHours.objects.for_clinic(clinic).delete()
        OpeningHours.objects.bulk_create(
            OpeningHours(clinic=clinic, weekday=weekday, opens_time=opens, closes_time=closes)
            for weekday, opens, closes in sorted(hours)
        )
        _finish(clinic, "hours_changed", by=by, now=now)


def add_closure(
    *, clinic: Clinic, from_on: date, to_on: date, by: Actor, now: datetime, reason: str = ""
) -> Closure:
    """Close the clinic on the days given, both included; bookings there are flagged, not moved.

    Raises: CourseError for a range upside down or longer than a year.
    """
    _check_range(from_on, to_on)
    text = fitting_text(reason, column=Closure.reason, field="reason")
    with transacting():
        _lock_calendar(clinic)
        closure = Closure.objects.create(clinic=clinic, from_on=from_on, to_on=to_on, reason=text)
        _finish(clinic, "closure_added", by=by, now=now, from_on=from_on, to_on=to_on)
    return closure


def remove_closure(*, closure: Closure, by: Actor, now: datetime) -> None:
    """Open the clinic again on the days of a closure.

    Raises: CourseError when somebody else has removed it already.
    """
    with transacting():
        clinic, from_on, to_on = closure.clinic, closure.from_on, closure.to_on
        _lock_calendar(clinic)
        removed, _rows = Closure.objects.filter(pk=closure.pk).delete()
        if not removed:
            raise CourseError(_("This closure is gone already."), code="closure_gone")
        _finish(clinic, "closure_removed", by=by, now=now, from_on=from_on, to_on=to_on)


def add_absence(
    *, practitioner: StaffMember, from_on: date, to_on: date, by: Actor, now: datetime, reason: str = ""
) -> Absence:
    """Put on record that a practitioner is away; the bookings hit are found by the disruption list.

    Raises: CourseError for a range upside down or longer than a year.
    """
    _check_range(from_on, to_on)
    text = fitting_text(reason, column=Absence.reason, field="reason")
    with transacting():
        _lock_calendar(practitioner.clinic)
        absence = Absence.objects.create(
            clinic=practitioner.clinic,
            practitioner=practitioner,
            from_on=from_on,
            to_on=to_on,
            reason=text,
        )
        _bump_version(practitioner.clinic)
        _record(practitioner.clinic, "absence_added", by=by, now=now, from_on=from_on, to_on=to_on)
    return absence


def remove_absence(*, absence: Absence, by: Actor, now: datetime) -> None:
    """Put on record that a practitioner is there after all.

    Raises: CourseError when somebody else has removed it already.
    """
    with transacting():
        clinic, from_on, to_on = absence.clinic, absence.from_on, absence.to_on
        _lock_calendar(clinic)
        removed, _rows = Absence.objects.filter(pk=absence.pk).delete()
        if not removed:
            raise CourseError(_("This absence is gone already."), code="absence_gone")
        _bump_version(clinic)
        _record(clinic, "absence_removed", by=by, now=now, from_on=from_on, to_on=to_on)


def _lock_calendar(clinic: Clinic) -> None:
    """Let changes of one calendar come one after the other; rows that merely refer to the clinic do not wait."""
    Clinic.objects.select_for_update(no_key=True).values_list("pk").get(pk=clinic.pk)


def _check_range(from_on: date, to_on: date) -> None:
    if to_on < from_on:
        raise refuse("to_on", _("The last day is before the first."), code="range_upside_down")
    if (to_on - from_on).days > 366:
        raise refuse("to_on", _("That is longer than a year. Enter it in parts."), code="range_too_long")


def _finish(clinic: Clinic, action: str, *, by: Actor, now: datetime, **details: date) -> None:
    _bump_version(clinic)
    reassess_clinic(clinic, now=now)
    _record(clinic, action, by=by, now=now, **details)


def _bump_version(clinic: Clinic) -> None:
    """Make plans stale that were made with the calendar as it was."""
    Clinic.objects.filter(pk=clinic.pk).update(calendar_version=F("calendar_version") + 1)


def _record(clinic: Clinic, action: str, *, by: Actor, now: datetime, **details: date) -> None:
    record(
        f"clinic.{action}",
        at=now,
        by=by,
        clinic_code=clinic.code,
        subject_kind="clinic",
        subject_code=clinic.code,
        new={name: day.isoformat() for name, day in details.items()},
    )


def reassess_clinic(clinic: Clinic, *, now: datetime, batch: int = 500) -> int:
    """Assess every running course of a clinic in the caller's transaction; return how many.

    Of courses that are over, those with a booking ahead are announced too: its day may be closed now.
    Rows are locked in the order of their ids, as everywhere where several are.
    Cost: eleven queries a batch and one more, then those of what changed.
    """
    today = convert.local_today(clinic, now)
    running = Course.objects.for_clinic(clinic).filter(status__in=[CourseStatus.ACTIVE, CourseStatus.PAUSED])
    ids = list(running.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), batch):
        courses = list(
            Course.objects.select_for_update(of=("self",))
            .select_related("clinic", "client", "protocol")
            .filter(pk__in=ids[start : start + batch])
            .order_by("pk")
        )
        facts = convert.load_facts(courses)
        for course in courses:
            assessment = convert.assess_facts(facts[course.pk], today=today)
            store_assessment(course, assessment, today=today, now=now, reason=ResolvedReason.CALENDAR)
            course_changed.send(sender=Course, course_id=course.pk, course=course, now=now)
    extra = TreatmentSession.objects.for_clinic(clinic).filter(
        course__status=CourseStatus.COMPLETED, status__in=BOOKED_STATUSES, on__gte=today
    )
    for course_id in extra.order_by("course").values_list("course", flat=True).distinct():
        course_changed.send(sender=Course, course_id=course_id, course=None, now=now)
    return len(ids)
