"""A course and all that it refers to as one bundle; many courses one after the other, a chunk at a time."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from django.db.models import Model, QuerySet

from clients.models import ContactPoint
from clinics.models import Room, StaffMember
from courses import convert
from courses.models import Course, Flag, PrescriptionRevision, TreatmentSession
from reminders.models import Reminder
from reports.fhir import resources, words
from reports.fhir.resources import Resource

MEDIA_TYPE: Final = "application/fhir+json"
CHUNK: Final = 100
_Row = TypeVar("_Row", bound=Model)


def course_bundle(course: Course, *, now: datetime) -> Resource:
    """Return a course as a FHIR R5 bundle of JSON values: the plan, its requests, visits, drifts and messages.

    Everybody and everything referred to is inside. Cost: as one chunk of course_bundles().
    """
    return next(course_bundles(Course.objects.filter(pk=course.pk), now=now))


def course_bundles(courses: QuerySet[Course], *, now: datetime) -> Iterator[Resource]:
    """Yield the bundle of each course in the order of the query.

    Cost: about twenty queries a hundred courses, whatever their number and length; memory for one hundred.
    """
    rows = courses.select_related("clinic", "client", "protocol", "prescribed_by", "practitioner")
    chunk: list[Course] = []
    for course in rows.iterator(chunk_size=CHUNK):
        chunk.append(course)
        if len(chunk) == CHUNK:
            yield from _chunk_bundles(chunk, now=now)
            chunk = []
    yield from _chunk_bundles(chunk, now=now)


@dataclass(frozen=True, slots=True)
class _Rows:
    """What was loaded for a chunk, by course, and by its key what several courses share."""

    facts: dict[int, convert.CourseFacts]
    revisions: dict[int, PrescriptionRevision]
    sessions: dict[int, list[TreatmentSession]]
    flags: dict[int, list[Flag]]
    messages: dict[int, list[Reminder]]
    contacts: dict[int, list[ContactPoint]]
    rooms: dict[int, str]
    staff: dict[int, StaffMember]


def _chunk_bundles(courses: Sequence[Course], *, now: datetime) -> Iterator[Resource]:
    if not courses:
        return
    rows = _load(courses)
    for course in courses:
        yield _bundle(course, rows, now=now)


def _load(courses: Sequence[Course]) -> _Rows:
    ids = [course.pk for course in courses]
    clients = {course.client_id for course in courses}
    revisions = {
        row.course_id: row
        for row in PrescriptionRevision.objects.filter(course__in=ids).order_by("number").iterator()
    }
    sessions = _by(TreatmentSession.objects.filter(course__in=ids).order_by("on", "pk"), "course_id")
    flags = _by(Flag.objects.filter(course__in=ids).order_by("opened_at", "pk"), "course_id")
    # A digest is for the staff and about no course.
    messages = Reminder.objects.filter(course__in=ids, client__isnull=False).order_by("send_at", "pk")
    staff = {row.by_id for row in revisions.values()}
    for course in courses:
        staff |= {course.prescribed_by_id, course.practitioner_id or course.prescribed_by_id}
        staff |= {pk for row in sessions[course.pk] for pk in (row.practitioner_id, row.outcome_by_id) if pk}
        staff |= {row.acknowledged_by_id for row in flags[course.pk] if row.acknowledged_by_id}
    rooms = {row.room_id for found in sessions.values() for row in found if row.room_id}
    return _Rows(
        facts=convert.load_facts(courses),
        revisions=revisions,
        sessions=sessions,
        flags=flags,
        messages=_by(messages, "course_id"),
        contacts=_by(ContactPoint.objects.filter(client__in=clients).order_by("position", "pk"), "client_id"),
        rooms=dict(Room.objects.filter(pk__in=rooms).values_list("pk", "name")),
        staff=StaffMember.objects.in_bulk(staff),
    )


def _by(rows: Iterable[_Row], key: str) -> defaultdict[int, list[_Row]]:
    found: defaultdict[int, list[_Row]] = defaultdict(list)
    for row in rows:
        found[getattr(row, key)].append(row)
    return found


def _bundle(course: Course, rows: _Rows, *, now: datetime) -> Resource:
    zone = convert.zone_of(course.clinic)
    facts = rows.facts[course.pk]
    assessment = convert.assess_facts(facts, today=now.astimezone(zone).date())
    row = rows.revisions[course.pk]
    revision = resources.Revision(row.number, row.created_at, rows.staff[row.by_id])
    requests = resources.service_requests(course, facts, revision, assessment.phase, zone)
    gaps = {gap.on: gap for gap in assessment.gaps}
    sessions = rows.sessions[course.pk]
    visits = []
    for session in sessions:
        gap = gaps.get(session.on) if session.status == "attended" else None
        placed = resources.Session(
            session,
            request=requests[gap.phase] if gap else None,
            number=gap.session if gap else None,
            room=rows.rooms.get(session.room_id or 0, ""),
        )
        visits.append(resources.visit(course, placed, rows.staff, zone))
    parts = [
        resources.care_plan(course, facts, requests, zone),
        *requests,
        resources.plan_definition(course.protocol, course.clinic.language),
        resources.organization(course.clinic),
        resources.patient(course.client, rows.contacts[course.client_id], course.clinic),
        *_people(course, rows),
        *visits,
        *_drifts(course, rows),
        *_messages(course, rows),
    ]
    return {
        "resourceType": "Bundle",
        "identifier": {"system": words.URIS, "value": f"urn:uuid:{course.code}"},
        "type": "collection",
        "timestamp": resources.instant(now, zone),
        "entry": [{"fullUrl": f"urn:uuid:{part['id']}", "resource": part} for part in parts],
    }


def _people(course: Course, rows: _Rows) -> list[Resource]:
    """Return everybody that the course's resources refer to, in the clinic's order."""
    wanted: set[Any] = {course.prescribed_by_id, course.practitioner_id, rows.revisions[course.pk].by_id}
    for session in rows.sessions[course.pk]:
        wanted |= {session.practitioner_id, session.outcome_by_id}
    wanted |= {flag.acknowledged_by_id for flag in rows.flags[course.pk]}
    members = sorted((rows.staff[pk] for pk in wanted if pk), key=lambda member: (member.position, member.pk))
    return [
        part
        for member in members
        for part in (
            resources.practitioner(member),
            resources.practitioner_role(member, course.clinic),
        )
    ]


def _drifts(course: Course, rows: _Rows) -> Iterator[Resource]:
    zone = convert.zone_of(course.clinic)
    for row in rows.flags[course.pk]:
        yield resources.detected_issue(course, row, rows.staff, zone)
        yield resources.flag(course, row, zone)


def _messages(course: Course, rows: _Rows) -> Iterator[Resource]:
    zone = convert.zone_of(course.clinic)
    codes = {session.pk: session.code for session in rows.sessions[course.pk]}
    for row in rows.messages[course.pk]:
        about = codes.get(row.session_id or 0, course.code)
        yield resources.communication(course, row, about, zone)
