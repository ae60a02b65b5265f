"""The clinic's calendar: every change of it re-assesses the running courses in the same transaction."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time

from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.services import Actor, record
from clinics.models import Absence, Clinic, Closure, OpeningHours, PractitionerHours, StaffMember
from clinics.services import lock_clinic
from courses import convert
from courses.errors import CourseError
from courses.models import BOOKED_STATUSES, Course, CourseStatus, ResolvedReason, TreatmentSession
from courses.selectors import booked_by_day, booked_outside
from courses.services.assessing import open_flags, store_assessment
from courses.services.changes import fitting_text, refuse, transacting
from courses.signals import course_changed


def set_opening_hours(
    *,
    clinic: Clinic,
    hours: Sequence[tuple[int, time, time]],
    by: Actor,
    now: datetime,
    known: Sequence[tuple[int, time, time]] | None = None,
    known_bookings: int | None = None,
) -> None:
    """Replace the opening hours: (ISO weekday, opens, closes) of each interval.

    known: the hours that were shown when these were typed; known_bookings: of how many coming bookings outside
    the new hours the person was told. None asks nothing.
    Raises: CourseError when none is left, a weekday is none, an interval is upside down, or two overlap;
    `hours_changed` when others hold by now, `hours_booked` when other bookings lie outside.
    """
    if not hours:
        raise refuse("hours", _("The clinic must open on at least one weekday."), code="never_open")
    _check_hours(hours)
    with transacting():
        lock_clinic(clinic)
        if known is not None and sorted(known) != stored_hours(clinic):
            raise _hours_changed()
        if known_bookings is not None:
            _ask_about(booked_outside(clinic, hours, now=now), known_bookings, code="hours_booked")
        OpeningHours.objects.for_clinic(clinic).delete()
        OpeningHours.objects.bulk_create(
            OpeningHours(clinic=clinic, weekday=weekday, opens_time=opens, closes_time=closes)
            for weekday, opens, closes in sorted(hours)
        )
        _finish(clinic, "hours_changed", by=by, now=now)


def _check_hours(hours: Sequence[tuple[int, time, time]]) -> None:
    last: dict[int, time] = {}
    for weekday, opens, closes in sorted(hours):
        if not 1 <= weekday <= 7:
            raise refuse("hours", _("Weekdays are numbered from 1 (Monday) to 7."), code="unknown_weekday")
        if opens >= closes:
            raise refuse("hours", _("Opening hours must begin before they end."), code="range_upside_down")
        if weekday in last and opens < last[weekday]:
            raise refuse("hours", _("Two intervals of one day overlap."), code="hours_overlap")
        last[weekday] = closes


def _hours_changed() -> CourseError:
    text = _("Somebody has meanwhile changed the hours. Compare, then save again to put yours in place.")
    return CourseError(text, code="hours_changed")


def stored_hours(clinic: Clinic) -> list[tuple[int, time, time]]:
    """Return the opening hours as set_opening_hours() takes them, in order; one query."""
    rows = OpeningHours.objects.for_clinic(clinic).order_by("weekday", "opens_time")
    return list(rows.values_list("weekday", "opens_time", "closes_time"))


def set_working_hours(
    *,
    practitioner: StaffMember,
    hours: Sequence[tuple[int, time, time]],
    by: Actor,
    now: datetime,
    known: Sequence[tuple[int, time, time]] | None = None,
    known_bookings: int | None = None,
) -> None:
    """Replace the hours in which somebody works, which narrow the clinic's; none at all means the clinic's.

    known and known_bookings as for set_opening_hours(), of this person's hours and bookings.
    Raises: CourseError when a weekday is none, an interval is upside down, or two overlap; `hours_changed` when
    others hold by now, `hours_booked` when other bookings lie outside.
    """
    _check_hours(hours)
    clinic = practitioner.clinic
    with transacting():
        lock_clinic(clinic)
        before = working_hours(practitioner)
        if known is not None and sorted(known) != before:
            raise _hours_changed()
        if known_bookings is not None and hours:
            outside = booked_outside(clinic, hours, now=now, practitioner=practitioner)
            _ask_about(outside, known_bookings, code="hours_booked")
        if sorted(hours) == before:
            return
        PractitionerHours.objects.filter(practitioner=practitioner).delete()
        PractitionerHours.objects.bulk_create(
            PractitionerHours(
                clinic=clinic, practitioner=practitioner, weekday=weekday, starts_time=starts, ends_time=ends
            )
            for weekday, starts, ends in sorted(hours)
        )
        _bump_version(clinic)
        record(
            "staff.hours_changed",
            at=now,
            by=by,
            clinic_code=clinic.code,
            subject_kind="staff_member",
            subject_code=practitioner.code,
            old={"working_hours": _hours_text(before)},
            new={"working_hours": _hours_text(sorted(hours))},
        )


def working_hours(practitioner: StaffMember) -> list[tuple[int, time, time]]:
    """Return somebody's own hours as set_working_hours() takes them, in order; one query."""
    rows = PractitionerHours.objects.filter(practitioner=practitioner).order_by("weekday", "starts_time")
    return list(rows.values_list("weekday", "starts_time", "ends_time"))


def _hours_text(hours: Sequence[tuple[int, time, time]]) -> list[str]:
    return [f"{weekday} {starts:%H:%M} {ends:%H:%M}" for weekday, starts, ends in hours]


def add_closure(
    *,
    clinic: Clinic,
    from_on: date,
    to_on: date,
    by: Actor,
    now: datetime,
    reason: str = "",
    known_bookings: int | None = None,
) -> Closure:
    """Close the clinic on the days given, both included; bookings there are flagged, not moved.

    known_bookings: of how many bookings on these days the person was told; None asks nothing.
    Raises: CourseError for a range upside down or longer than a year, or one that is closed already; `days_booked`
    when other bookings are there.
    """
    check_range(from_on, to_on)
    text = fitting_text(reason, column=Closure.reason, field="reason")
    with transacting():
        lock_clinic(clinic)
        if Closure.objects.for_clinic(clinic).filter(from_on=from_on, to_on=to_on).exists():
            raise refuse("from_on", _("A closure of these days is there already."), code="closure_exists")
        if known_bookings is not None:
            booked = booked_by_day(clinic, from_on, to_on, today=convert.local_today(clinic, now))
            _ask_about(sum(booked.values()), known_bookings, code="days_booked")
        closure = Closure.objects.create(clinic=clinic, from_on=from_on, to_on=to_on, reason=text)
        _finish(clinic, "closure_added", by=by, now=now, from_on=from_on, to_on=to_on)
    return closure


def close_days(
    *,
    clinic: Clinic,
    days: Mapping[date, str],
    by: Actor,
    now: datetime,
    known_bookings: int | None = None,
) -> int:
    """Close the clinic on single days, each with its reason, and return how many were not closed already.

    All at once: the courses are assessed once, not with each day. known_bookings as for add_closure().
    Raises: CourseError `days_booked` when other bookings lie on the days that are new.
    """
    texts = {
        day: fitting_text(reason, column=Closure.reason, field="reason")
        for day, reason in sorted(days.items())
    }
    if not texts:
        return 0
    first, last = min(texts), max(texts)
    with transacting():
        lock_clinic(clinic)
        closed = closed_days(clinic, first, last)
        new = [day for day in texts if day not in closed]
        if known_bookings is not None:
            booked = booked_by_day(clinic, first, last, today=convert.local_today(clinic, now))
            _ask_about(sum(booked.get(day, 0) for day in new), known_bookings, code="days_booked")
        if new:
            Closure.objects.bulk_create(
                Closure(clinic=clinic, from_on=day, to_on=day, reason=texts[day]) for day in new
            )
            _bump_version(clinic)
            reassess_clinic(clinic, now=now)
        for day in new:
            _record(clinic, "closure_added", by=by, now=now, from_on=day, to_on=day)
    return len(new)


def closed_days(clinic: Clinic, from_on: date, to_on: date) -> set[date]:
    """Return the days within those given, both included, on which a closure stands; one query."""
    spans = Closure.objects.for_clinic(clinic).filter(from_on__lte=to_on, to_on__gte=from_on)
    return {
        date.fromordinal(number)
        for first, last in spans.values_list("from_on", "to_on")
        for number in range(max(first, from_on).toordinal(), min(last, to_on).toordinal() + 1)
    }


def remove_closure(*, closure: Closure, by: Actor, now: datetime) -> None:
    """Open the clinic again on the days of a closure.

    Raises: CourseError when somebody else has removed it already.
    """
    with transacting():
        clinic, from_on, to_on = closure.clinic, closure.from_on, closure.to_on
        lock_clinic(clinic)
        removed, _rows = Closure.objects.filter(pk=closure.pk).delete()
        if not removed:
            raise CourseError(_("This closure is gone already."), code="closure_gone")
        _finish(clinic, "closure_removed", by=by, now=now, from_on=from_on, to_on=to_on)


def add_absence(
    *, practitioner: StaffMember, from_on: date, to_on: date, by: Actor, now: datetime, reason: str = ""
) -> Absence:
    """Put on record that a practitioner is away; the bookings hit are found by the disruption list.

    Raises: CourseError for a range upside down or longer than a year, or one that is on record already.
    """
    check_range(from_on, to_on)
    text = fitting_text(reason, column=Absence.reason, field="reason")
    with transacting():
        lock_clinic(practitioner.clinic)
        if Absence.objects.filter(practitioner=practitioner, from_on=from_on, to_on=to_on).exists():
            # Pressed twice, or by two: taken out once, the other one would still be there.
            raise refuse(
                "from_on", _("An absence on these days is on record already."), code="absence_exists"
            )
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
        lock_clinic(clinic)
        removed, _rows = Absence.objects.filter(pk=absence.pk).delete()
        if not removed:
            raise CourseError(_("This absence is gone already."), code="absence_gone")
        _bump_version(clinic)
        _record(clinic, "absence_removed", by=by, now=now, from_on=from_on, to_on=to_on)


def _ask_about(booked: int, known: int, *, code: str) -> None:
    """Refuse a change that hits bookings of which the person who makes it was not told."""
    if booked and booked != known:
        message = ngettext(
            "%(count)s coming session is booked then.", "%(count)s coming sessions are booked then.", booked
        )
        raise CourseError(message % {"count": booked}, code=code)


def check_range(from_on: date, to_on: date) -> None:
    """Refuse days that nobody means.

    Raises: CourseError `range_upside_down` or `range_too_long`.
    """
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
    Cost: twelve queries a batch and one more, then those of what changed.
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
        facts, flags = convert.load_facts(courses), open_flags(courses)
        for course in courses:
            assessment = convert.assess_facts(facts[course.pk], today=today)
            store_assessment(
                course,
                assessment,
                today=today,
                now=now,
                reason=ResolvedReason.CALENDAR,
                flags=flags[course.pk],
            )
            course_changed.send(sender=Course, course_id=course.pk, course=course, now=now)
    extra = TreatmentSession.objects.for_clinic(clinic).filter(
        course__status=CourseStatus.COMPLETED, status__in=BOOKED_STATUSES, on__gte=today
    )
    for course_id in extra.order_by("course").values_list("course", flat=True).distinct():
        course_changed.send(sender=Course, course_id=course_id, course=None, now=now)
    return len(ids)
