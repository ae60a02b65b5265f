"""Visits as calendar files for the staff: neutral as those that clients get, without anybody's name or treatment."""

from datetime import date, datetime
from typing import Final

from django.db.models import QuerySet
from django.utils import translation

from clinics.models import StaffMember
from courses.models import CANCELLED_STATUSES, Course, TreatmentSession
from reminders.calendar import FEED_MEDIA_TYPE, Visit, write_calendar

MEDIA_TYPE: Final = FEED_MEDIA_TYPE


def course_calendar(course: Course, *, now: datetime) -> bytes:
    """Return all visits of a course that have or had a time; those that were cancelled say so.

    Cost: one query.
    """
    language = translation.get_language() or "en"
    return write_calendar(_visits(course.sessions.all()), clinic=course.clinic, language=language, now=now)


def practitioner_calendar(member: StaffMember, *, from_on: date, to_on: date, now: datetime) -> bytes:
    """Return the visits that a practitioner has or had on the days given, both included; none that was cancelled.

    Cost: one query.
    """
    language = translation.get_language() or "en"
    sessions = TreatmentSession.objects.for_clinic(member.clinic).filter(
        practitioner=member, on__gte=from_on, on__lte=to_on
    )
    visits = _visits(sessions.exclude(status__in=CANCELLED_STATUSES))
    return write_calendar(visits, clinic=member.clinic, language=language, now=now)


def _visits(sessions: QuerySet[TreatmentSession]) -> list[Visit]:
    rows = sessions.filter(starts_at__isnull=False).order_by("starts_at", "code")
    columns = rows.values_list("code", "version", "starts_at", "ends_at", "status")
    return [
        Visit(code, version, starts_at, ends_at, status in CANCELLED_STATUSES)
        for code, version, starts_at, ends_at, status in columns
        if starts_at is not None
    ]
