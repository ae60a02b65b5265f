"""What the tests' shorter way to a course with a past leaves, against the verbs it stands for."""

from datetime import UTC, date, datetime

import pytest

from audit.models import AuditEvent
from courses.models import Course, Flag, TreatmentSession
from courses.services import record_attendance
from tests.factories import actor_of, attend, book, prescribe

DAYS = [date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 6), date(2026, 3, 7)]


def told(course):
    """Everything on record of a course: its row, its sessions, what is flagged, what was audited."""
    # When a flag was opened is what lies in between: it goes and comes back with each step.
    own = {"id", "code", "course", "client", "protocol", "opened_at", "updated_at"}

    def rows(queryset):
        names = [field.attname for field in queryset.model._meta.fields if field.name not in own]
        return list(queryset.order_by("pk").values(*names))

    audited = AuditEvent.objects.filter(subject_code=course.code).order_by("pk")
    events = list(audited.values("at", "actor_code", "action", "subject_kind", "old", "new"))
    for event in events:
        event["new"] = {name: event["new"][name] for name in {"status", "start_on"} & event["new"].keys()}
    return {
        "course": rows(Course.objects.filter(pk=course.pk)),
        "sessions": rows(TreatmentSession.objects.filter(course=course)),
        "open flags": rows(Flag.objects.filter(course=course, resolved_at=None)),
        "events": events,
    }


@pytest.mark.parametrize("count", [1, 4])
def test_attended_sessions_are_on_record_as_the_verbs_leave_them(member, count):
    days = DAYS[:count]
    stepwise, at_once = prescribe(member=member), prescribe(member=member)

    for day in days:
        early, late = (datetime(2026, 3, day.day, hour, tzinfo=UTC) for hour in (5, 16))
        session = book(stepwise, day, now=early)
        record_attendance(session=session, by=actor_of(member), now=late, minutes=45)
    attend(at_once, days)

    stepwise.refresh_from_db()
    assert told(at_once) == told(stepwise)
    assert at_once.version == stepwise.version == 1 + 2 * count + 1
