"""From an assessment to flags: what holds is opened or updated, what no longer holds is resolved."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db import transaction

from courses import convert
from courses.core.types import Assessment, Finding, Measures
from courses.models import (
    Course,
    CourseStatus,
    Flag,
    ResolvedReason,
    SessionStatus,
    TreatmentSession,
)
from courses.services.verdicts import verdict_digest, write_verdicts
from courses.signals import course_changed, course_ended, flag_changed

logger = logging.getLogger(__name__)

SEVERITY_RANK: Final = {"notice": 1, "warning": 2, "serious": 3}
# Findings whose days grow with every day that passes.
GROWING: Final = frozenset({"interrupted", "lapsed", "overdue", "unbooked"})
# How long a course whose assessment failed is left alone, so that it never blocks those behind it.
ERROR_PAUSE: Final = timedelta(hours=1)
SNAPSHOT: Final = (
    "status",
    "ended_at",
    "assessed_on",
    "next_check_on",
    "next_check_at",
    "state",
    "phase_position",
    "session_number",
    "due_from_on",
    "due_by_on",
    "attended_count",
    "attendance_rate",
    "on_time_rate",
    "early_rate",
    "late_rate",
    "slippage_days",
    "projected_end_on",
    "verdict_digest",
)
_RATES: Final = ("attended_count", "attendance_rate", "on_time_rate", "early_rate", "late_rate")


def reassess(*, course: Course, now: datetime, reason: str = ResolvedReason.TIME) -> Assessment:
    """Assess the course on the clinic's current day, store the answer and bring its flags up to date.

    Runs in the caller's transaction, which must hold the course's row. `reason` is why flags that no
    longer hold are resolved.
    Cost: eleven queries to read, one to write the course, some for the flags that changed.
    """
    today = convert.local_today(course.clinic, now)
    assessment = convert.assess_course(course, today=today)
    store_assessment(course, assessment, today=today, now=now, reason=reason)
    return assessment


def store_assessment(
    course: Course,
    assessment: Assessment,
    *,
    today: date,
    now: datetime,
    reason: str,
    flags: Sequence[Flag] | None = None,
) -> None:
    """Write an assessment to the course's snapshot columns, its sessions' verdicts and its flags, only what changed.

    flags: the course's open ones, where they are at hand.
    """
    before = {name: getattr(course, name) for name in SNAPSHOT}
    was_over = course.status == CourseStatus.COMPLETED
    take_snapshot(course, assessment, today=today, now=now)
    changed = [name for name in SNAPSHOT if getattr(course, name) != before[name]]
    if before["verdict_digest"] != course.verdict_digest:
        write_verdicts(course, assessment.gaps)
    if changed:
        course.save(update_fields=changed)
    if "status" in changed and course.status == CourseStatus.COMPLETED:
        # Dates that were only planned are no longer asked for.
        TreatmentSession.objects.filter(course=course, status=SessionStatus.PLANNED).delete()
        reason = ResolvedReason.COMPLETED if reason == ResolvedReason.TIME else reason
    if was_over != (course.status == CourseStatus.COMPLETED):
        course_ended.send(sender=Course, course_id=course.pk, course=course, is_over=not was_over, now=now)
    if flags is None:
        flags = open_flags([course])[course.pk]
    sync_flags(course, assessment.findings, flags, today=today, now=now, reason=reason)


def store_measures(course: Course, *, now: datetime) -> None:
    """Count a discontinued course's sessions again: outcomes from before its end may still be put on record."""
    assessment = convert.assess_course(course, today=convert.local_today(course.clinic, now))
    _take_rates(course, assessment.measures)
    _take_verdicts(course, assessment)
    course.save(update_fields=[*_RATES, "verdict_digest"])


def fill_verdicts(course: Course, *, now: datetime) -> None:
    """Store the verdicts of a locked course from before there were any; nothing else of it changes."""
    _take_verdicts(course, convert.assess_course(course, today=convert.local_today(course.clinic, now)))
    course.save(update_fields=["verdict_digest"])


def _take_verdicts(course: Course, assessment: Assessment) -> None:
    before, course.verdict_digest = course.verdict_digest, verdict_digest(assessment.gaps)
    if before != course.verdict_digest:
        write_verdicts(course, assessment.gaps)


def take_snapshot(course: Course, assessment: Assessment, *, today: date, now: datetime) -> None:
    measures = assessment.measures
    course.assessed_on = today
    course.state = assessment.state
    course.phase_position = assessment.phase
    course.session_number = assessment.session
    course.due_from_on = assessment.due_from
    course.due_by_on = assessment.due_by
    _take_rates(course, measures)
    course.slippage_days = measures.slippage_days
    course.projected_end_on = measures.projected_end
    course.verdict_digest = verdict_digest(assessment.gaps)
    course.next_check_on = assessment.next_check_on
    _follow_state(course, assessment, now=now)
    look_again_on = _look_again_on(assessment, today=today)
    course.next_check_at = (
        convert.local_midnight(course.clinic, look_again_on) if look_again_on and course.is_open else None
    )


def _look_again_on(assessment: Assessment, *, today: date) -> date | None:
    """Return the next day on which the flags would say something else: tomorrow, while days add up.

    `next_check_on` tells when the state, or what is found, changes; the days of a flag grow in between.
    """
    if any(finding.kind in GROWING for finding in assessment.findings):
        return today + timedelta(days=1)
    return assessment.next_check_on


def _take_rates(course: Course, measures: Measures) -> None:
    course.attended_count = measures.attended
    course.attendance_rate = measures.attendance_rate
    course.on_time_rate = measures.on_time_rate
    course.early_rate = measures.early_rate
    course.late_rate = measures.late_rate


def _follow_state(course: Course, assessment: Assessment, *, now: datetime) -> None:
    """Let the status follow: paused on a paused day, completed once nothing is left to mend."""
    if assessment.state == "finished" and not assessment.findings:
        course.status = CourseStatus.COMPLETED
        course.ended_at = course.ended_at or now
    else:
        # A correction can take a completed course back: a session that was never attended does not count.
        course.status = CourseStatus.PAUSED if assessment.state == "paused" else CourseStatus.ACTIVE
        course.ended_at = None


def open_flags(courses: Sequence[Course]) -> defaultdict[int, list[Flag]]:
    """Return the open flags of each course by its id. Cost: one query, however many courses."""
    found: defaultdict[int, list[Flag]] = defaultdict(list)
    for flag in Flag.objects.filter(course__in=courses, resolved_at=None):
        found[flag.course_id].append(flag)
    return found


def sync_flags(
    course: Course,
    findings: Sequence[Finding],
    flags: Sequence[Flag],
    *,
    today: date,
    now: datetime,
    reason: str,
) -> None:
    """Open, update and resolve the course's flags so that they are its findings; `flags` are the open ones."""
    known = {flag.kind: flag for flag in flags}
    for finding in findings:
        flag = known.pop(finding.kind, None)
        if flag is None:
            _open_flag(course, finding, today=today, now=now)
        else:
            _update_flag(flag, finding, now=now)
    for flag in known.values():
        _resolve_flag(course, flag, now=now, reason=reason)


def _resolve_flag(course: Course, flag: Flag, *, now: datetime, reason: str) -> None:
    flag.resolved_at = now
    flag.resolved_reason = reason
    flag.save(update_fields=["resolved_at", "resolved_reason"])
    flag_changed.send(sender=Flag, flag_id=flag.pk, flag=flag, course=course, now=now)


def finding_values(finding: Finding) -> dict[str, Any]:
    return {
        "severity": finding.severity,
        "severity_rank": SEVERITY_RANK[finding.severity],
        "days": finding.days,
        "count": finding.count,
        "cause": finding.cause or "",
        "evidence": {
            "limit": finding.limit,
            "session": finding.session,
            "on": finding.on.isoformat() if finding.on else None,
        },
    }


def _open_flag(course: Course, finding: Finding, *, today: date, now: datetime) -> None:
    flag = Flag.objects.create(
        clinic_id=course.clinic_id,
        course=course,
        kind=finding.kind,
        since_on=finding.since or today,
        opened_at=now,
        updated_at=now,
        **finding_values(finding),
    )
    flag_changed.send(sender=Flag, flag_id=flag.pk, flag=flag, course=course, now=now)


def _update_flag(flag: Flag, finding: Finding, *, now: datetime) -> None:
    values = finding_values(finding)
    if finding.since:
        values["since_on"] = finding.since
    if values["severity_rank"] > flag.severity_rank:
        # What was acknowledged or put off was the lesser finding.
        values |= {
            "acknowledged_at": None,
            "acknowledged_by": None,
            "acknowledged_note": "",
            "snoozed_until_on": None,
        }
    changed = [name for name, value in values.items() if getattr(flag, name) != value]
    if not changed:
        return
    for name in changed:
        setattr(flag, name, values[name])
    flag.updated_at = now
    flag.save(update_fields=[*changed, "updated_at"])


def resolve_flags(course: Course, *, now: datetime, reason: str) -> None:
    """Resolve every open flag of a course that is no longer assessed."""
    for flag in Flag.objects.filter(course=course, resolved_at=None):
        _resolve_flag(course, flag, now=now, reason=reason)


# ---------------------------------------------------------------- by time


def reassess_due(*, now: datetime, limit: int = 1000) -> int:
    """Assess the courses whose answer time alone can have changed by now; return how many.

    Each course has a transaction of its own, claimed by compare-and-set, so that several schedulers may
    run at once. One that raises is put off by an hour and logged; it never blocks the rows behind it.
    Cost: one query to find them, then those of reassess() for each.
    """
    due = list(
        Course.objects.filter(next_check_at__lte=now)
        .order_by("next_check_at")
        .values_list("pk", "next_check_at")[:limit]
    )
    count = 0
    for pk, check_at in due:
        count += _reassess_one(pk, check_at, now=now)
    return count


def _reassess_one(pk: int, check_at: datetime | None, *, now: datetime) -> int:
    try:
        with transaction.atomic():
            is_mine = Course.objects.filter(pk=pk, next_check_at=check_at).update(next_check_at=None)
            if not is_mine:
                return 0
            course = Course.objects.select_related("clinic", "client", "protocol").get(pk=pk)
            if course.is_open:
                reassess(course=course, now=now)
                course_changed.send(sender=Course, course_id=course.pk, course=course, now=now)
            return 1
    except Exception:
        logger.exception("Assessing course %s failed.", pk)
        Course.objects.filter(pk=pk, next_check_at=check_at).update(next_check_at=now + ERROR_PAUSE)
        return 0
