"""Every running course assessed again: read in bulk, judged by the one rule, written where the answer is another.

Reading takes no lock: what changes meanwhile is assessed by its own verb. Where the stored answer differs, the courses
are locked, read again, assessed, written and announced, as the tick does with one.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple, cast
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import QuerySet

from clinics.models import Clinic
from courses import convert
from courses.core.types import Assessment, Finding
from courses.models import Course, CourseStatus, Flag, ResolvedReason
from courses.services.assessing import (
    SNAPSHOT,
    finding_values,
    open_flags,
    store_assessment,
    take_snapshot,
)
from courses.signals import course_changed

# So many courses are read with a dozen queries, and so many that differ are written in one transaction.
READ_AT_ONCE: Final = 2000
WRITE_AT_ONCE: Final = 100
RUNNING: Final = (CourseStatus.ACTIVE, CourseStatus.PAUSED)
# That nothing has changed needs no new date.
_COMPARED: Final = tuple(name for name in SNAPSHOT if name != "assessed_on")


class Reassessed(NamedTuple):
    """How many courses were assessed, and of how many the answer was another."""

    assessed: int
    changed: int


@dataclass(slots=True)
class _Clinics:
    """What the courses of some clinics have in common, on their current day."""

    rows: dict[int, Clinic]
    calendars: dict[int, Any]
    leads: dict[int, int]
    today: dict[int, date]


def reassess_running(
    *, first: int, last: int, now: datetime, clinic: Clinic | None = None, is_dry: bool = False
) -> Iterator[Reassessed]:
    """Assess the running courses with ids from first to last, both included; yield the counts of each part.

    A dry run finds what differs and writes nothing. Not to be called within a transaction: each part that is written
    has its own.
    Cost: fourteen queries two thousand courses, then those of what changed; memory for as many.
    """
    while ids := _next_ids(first, last, clinic):
        courses = _running(ids[0], ids[-1], clinic)
        differing = find_differing(courses, now=now)
        for start in range(0, 0 if is_dry else len(differing), WRITE_AT_ONCE):
            _reassess_locked(differing[start : start + WRITE_AT_ONCE], now=now)
        yield Reassessed(len(ids), len(differing))
        first = ids[-1] + 1


def _running(first: int, last: int, clinic: Clinic | None) -> QuerySet[Course]:
    courses = Course.objects.filter(pk__gte=first, pk__lte=last, status__in=RUNNING)
    return courses.for_clinic(clinic) if clinic is not None else courses


def _next_ids(first: int, last: int, clinic: Clinic | None) -> list[int]:
    return list(_running(first, last, clinic).order_by("pk").values_list("pk", flat=True)[:READ_AT_ONCE])


def find_differing(courses: QuerySet[Course], *, now: datetime) -> list[int]:
    """Return in order the ids of the running courses whose columns or flags are not what an assessment says now.

    The query is asked again and again and must be cheap; a range of ids is.
    Cost: thirteen queries, three more where conditions or treatments are on record.
    """
    names = ("pk", "clinic_id", "client_id", "protocol_id", "start_on", *SNAPSHOT)
    rows = list(courses.order_by("pk").values_list(*names))
    keys = [convert.CourseKey(*row[:5]) for row in rows]
    clinics = _load_clinics({key.clinic_id for key in keys}, now=now)
    facts = convert.load_facts_by_key(keys, clinics.calendars, clinics.leads, within=courses)
    flags = _load_flags(courses)
    differing = []
    for key, row in zip(keys, rows, strict=True):
        today = clinics.today[key.clinic_id]
        assessment = convert.assess_facts(facts[key.pk], today=today)
        stored = _Stored(row[5:], clinics.rows[key.clinic_id])
        if stored.differs(assessment, today=today, now=now) or _flags_differ(
            flags.get(key.pk, {}), assessment.findings
        ):
            differing.append(key.pk)
    return differing


class _Stored:
    """A course's columns as read, in the place of its row: an assessment is taken there and looked at, not saved."""

    def __init__(self, values: Sequence[Any], clinic: Clinic) -> None:
        self.__dict__.update(zip(SNAPSHOT, values, strict=True))
        self.clinic = clinic

    @property
    def is_open(self) -> bool:
        return self.__dict__["status"] in RUNNING

    def differs(self, assessment: Assessment, *, today: date, now: datetime) -> bool:
        """Take an assessment and tell whether that changed anything but its date."""
        before = self.__dict__.copy()
        take_snapshot(cast(Course, self), assessment, today=today, now=now)
        after = self.__dict__
        return any(after[name] != before[name] for name in _COMPARED)


def _load_clinics(ids: set[int], *, now: datetime) -> _Clinics:
    rows = Clinic.objects.in_bulk(ids)
    return _Clinics(
        rows=rows,
        calendars=convert.load_calendars(rows.values()),
        leads={pk: clinic.booking_lead_days for pk, clinic in rows.items()},
        today={pk: _today(clinic.time_zone, now) for pk, clinic in rows.items()},
    )


@lru_cache(maxsize=1024)
def _today(time_zone: str, now: datetime) -> date:
    return now.astimezone(ZoneInfo(time_zone)).date()


_FLAG_COLUMNS: Final = ("severity", "severity_rank", "days", "count", "cause", "evidence")
# Since when, and the values in that order.
_Flag = tuple[date, tuple[Any, ...]]


def _load_flags(courses: QuerySet[Course]) -> defaultdict[int, dict[str, _Flag]]:
    """Return the open flags by course and kind. Cost: one query."""
    found: defaultdict[int, dict[str, _Flag]] = defaultdict(dict)
    rows = Flag.objects.filter(course__in=courses.values("pk"), resolved_at=None)
    for row in rows.values_list("course_id", "kind", "since_on", *_FLAG_COLUMNS):
        found[row[0]][row[1]] = row[2], row[3:]
    return found


def _flags_differ(flags: dict[str, _Flag], findings: Sequence[Finding]) -> bool:
    """Tell whether bringing these open flags in line with the findings would change any."""
    if len(flags) != len(findings):
        return True
    for finding in findings:
        if finding.kind not in flags:
            return True
        since_on, values = flags[finding.kind]
        wanted = finding_values(finding)
        if tuple(wanted[name] for name in _FLAG_COLUMNS) != values:
            return True
        if finding.since and since_on != finding.since:
            return True
    return False


def _reassess_locked(course_ids: Sequence[int], *, now: datetime) -> None:
    """Lock the courses, assess them, write the answers and announce them, all in one transaction."""
    with transaction.atomic():
        courses = list(
            Course.objects.select_for_update(of=("self",))
            .select_related("clinic", "client", "protocol")
            .filter(pk__in=course_ids, status__in=RUNNING)
            .order_by("pk")
        )
        facts, flags = convert.load_facts(courses), open_flags(courses)
        for course in courses:
            today = convert.local_today(course.clinic, now)
            assessment = convert.assess_facts(facts[course.pk], today=today)
            store_assessment(
                course,
                assessment,
                today=today,
                now=now,
                reason=ResolvedReason.TIME,
                flags=flags[course.pk],
            )
            course_changed.send(sender=Course, course_id=course.pk, course=course, now=now)
