"""What the tests of the verbs share: instants in Riga, rows to compare, refusals that leave nothing behind."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.apps import apps

from audit.models import AuditEvent
from audit.services import Actor
from courses.convert import assess_course, local_today
from courses.errors import CourseError
from courses.models import Course, Flag, PlanRevision, TreatmentSession
from courses.services import apply_plan, propose_plan
from tests.factories import intensive

RIGA = ZoneInfo("Europe/Riga")
# Monday 2 March 2026, eight in Riga.
MONDAY = datetime(2026, 3, 2, 6, tzinfo=UTC)
FIVE = [intensive(sessions_min=3, sessions_max=5)]


def at(day: date, hour: int = 8, minute: int = 0) -> datetime:
    """Return the instant of a wall time in Riga."""
    return datetime.combine(day, time(hour, minute), tzinfo=RIGA).astimezone(UTC)


def march(day: int) -> date:
    return date(2026, 3, day)


def all_rows() -> dict[str, list[dict[str, Any]]]:
    """Return every row of every application of ours."""
    return {
        model._meta.label: list(model._base_manager.order_by("pk").values())
        for label in ("audit", "clinics", "clients", "courses", "reminders")
        for model in apps.get_app_config(label).get_models()
    }


@contextmanager
def refused(code: str, *fields: str) -> Iterator[None]:
    """Expect a refusal with exactly this code and these fields, a full sentence, and no row changed."""
    before = all_rows()
    with pytest.raises(CourseError) as caught:
        yield
    assert (caught.value.code, sorted(caught.value.fields)) == (code, sorted(fields))
    assert caught.value.message.endswith(".")
    assert all_rows() == before


def actions(course: Course) -> list[str]:
    """Return the course's audited actions, oldest first."""
    return list(
        AuditEvent.objects.filter(subject_code=course.code).order_by("pk").values_list("action", flat=True)
    )


def open_kinds(course: Course) -> list[str]:
    return sorted(Flag.objects.filter(course=course, resolved_at=None).values_list("kind", flat=True))


def resolved(course: Course) -> list[tuple[str, str]]:
    """Return kind and reason of the flags resolved so far, oldest first."""
    flags = Flag.objects.filter(course=course).exclude(resolved_at=None).order_by("resolved_at", "kind")
    return list(flags.values_list("kind", "resolved_reason"))


def assert_in_line(course: Course, *, now: datetime) -> None:
    """Assert that the stored snapshot, verdicts and flags of an open course are what an assessment says.

    Where time alone has passed since the last one, magnitudes may be of then; states and kinds never.
    """
    course = Course.objects.select_related("clinic", "protocol").get(pk=course.pk)
    today = local_today(course.clinic, now)
    found = assess_course(course, today=today)
    flags = Flag.objects.filter(course=course, resolved_at=None)
    assert sorted(flags.values_list("kind", "severity")) == sorted(
        (finding.kind, finding.severity) for finding in found.findings
    )
    is_done = found.state == "finished" and not found.findings
    status = "completed" if is_done else "paused" if found.state == "paused" else "active"
    assert (course.status, course.state, course.next_check_on) == (status, found.state, found.next_check_on)
    assert stored_verdicts(course) == [
        (gap.on, gap.verdict, gap.days, gap.cause or "") for gap in sorted(found.gaps, key=lambda gap: gap.on)
    ]
    if course.assessed_on != today:
        return
    assert sorted(flags.values_list("kind", "days", "count", "cause")) == sorted(
        (finding.kind, finding.days, finding.count, finding.cause or "") for finding in found.findings
    )
    measures = found.measures
    assert (
        course.phase_position,
        course.session_number,
        course.due_from_on,
        course.due_by_on,
        course.attended_count,
        course.attendance_rate,
        course.slippage_days,
        course.projected_end_on,
    ) == (
        found.phase,
        found.session,
        found.due_from,
        found.due_by,
        measures.attended,
        measures.attendance_rate,
        measures.slippage_days,
        measures.projected_end,
    )


def stored_verdicts(course: Course) -> list[tuple[date, str, int, str]]:
    """Return day, verdict, days and cause of the sessions that have a verdict, whatever their status; by day."""
    judged = TreatmentSession.objects.filter(course=course).exclude(verdict="", verdict_days=0, late_cause="")
    return list(judged.order_by("on", "pk").values_list("on", "verdict", "verdict_days", "late_cause"))


def fresh_course(course: Course) -> Course:
    """Return the course as another request would load it."""
    return Course.objects.select_related("clinic", "client", "protocol", "practitioner").get(pk=course.pk)


def apply_best(course: Course, by: Actor, now: datetime = MONDAY, **options: Any) -> PlanRevision:
    """Propose the best plan and apply it."""
    proposal = propose_plan(course=fresh_course(course), now=now, **options)
    return apply_plan(course=course, proposal=proposal, by=by, now=now)


def days_of(course: Course, *statuses: str) -> list[int]:
    """Return the days of the month of what is booked, or of the sessions in some statuses, in order."""
    rows = course.sessions.filter(status__in=statuses or ("booked", "confirmed", "arrived"))
    return [on.day for on in rows.order_by("on").values_list("on", flat=True)]
