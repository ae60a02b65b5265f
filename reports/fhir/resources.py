"""One row, one resource: plain functions from loaded rows to JSON values, without a query."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from clients.models import Client, ContactPoint
from clinics.models import Clinic, StaffMember
from courses import convert
from courses.core.fhir import names, plan_parts, request_parts
from courses.core.types import PhaseSpec
from courses.models import Course, Flag, Protocol, TreatmentSession
from reminders.models import Reminder
from reports.fhir import words
from reports.fhir.words import coded, filled, text

Resource = dict[str, Any]


class Session(NamedTuple):
    """A visit with what its course knows about it: the request it belongs to, its number in that phase if attended."""

    row: TreatmentSession
    request: Resource | None
    number: int | None
    room: str


def reference(code: UUID | str) -> Resource:
    """Return a reference to a resource of the same bundle."""
    return {"reference": f"urn:uuid:{code}"}


def instant(at: datetime | None, zone: ZoneInfo) -> str | None:
    """Return an instant in the clinic's own time, with its offset."""
    return at.astimezone(zone).isoformat(timespec="seconds") if at else None


def part_code(owner: UUID, part: str) -> UUID:
    """Return the lasting code of what has none of its own, from the code of what it is a part of."""
    return uuid5(owner, part)


# ---------------------------------------------------------------- people and places


def organization(clinic: Clinic) -> Resource:
    contact = filled(
        {
            "telecom": [{"system": "phone", "value": text(clinic.phone)}] if text(clinic.phone) else [],
            "address": filled({"text": text(clinic.address), "country": clinic.country}),
        }
    )
    return filled(
        {
            "resourceType": "Organization",
            "id": str(clinic.code),
            "active": True,
            "name": text(clinic.name),
            "contact": [contact] if contact else [],
        }
    )


def patient(client: Client, contacts: Iterable[ContactPoint], clinic: Clinic) -> Resource:
    given, family = text(client.given_name), text(client.family_name)
    name = filled({"use": "official", "family": family, "given": [given] if given else []})
    telecom = [
        {"system": words.CONTACT_SYSTEM[contact.channel], "value": text(contact.value)}
        for contact in contacts
        if contact.disabled_at is None and contact.channel in words.CONTACT_SYSTEM and text(contact.value)
    ]
    language = {"coding": [{"system": words.LANGUAGES, "code": client.language}]}
    return filled(
        {
            "resourceType": "Patient",
            "id": str(client.code),
            "identifier": [{"system": names.CLIENT, "value": str(client.code)}],
            "active": client.erased_at is None,
            "name": [name] if len(name) > 1 else [],
            "telecom": telecom,
            "birthDate": client.birth_on.isoformat() if client.birth_on else None,
            "communication": [{"language": language, "preferred": True}],
            "managingOrganization": reference(clinic.code),
        }
    )


def practitioner(member: StaffMember) -> Resource:
    return filled(
        {
            "resourceType": "Practitioner",
            "id": str(part_code(member.code, "person")),
            "active": member.is_active,
            "name": [{"text": text(member.display_name)}] if text(member.display_name) else [],
        }
    )


def practitioner_role(member: StaffMember, clinic: Clinic) -> Resource:
    return {
        "resourceType": "PractitionerRole",
        "id": str(member.code),
        "active": member.is_active,
        "practitioner": reference(part_code(member.code, "person")),
        "organization": reference(clinic.code),
        "code": [coded(words.STAFF_ROLE, member.role)],
    }


# ---------------------------------------------------------------- what is prescribed


def plan_definition(protocol: Protocol, language: str) -> Resource:
    return filled(
        {
            "resourceType": "PlanDefinition",
            "id": str(protocol.code),
            "url": f"urn:uuid:{protocol.code}",
            "identifier": [{"system": words.PROTOCOL, "value": protocol.slug}],
            "version": str(protocol.version),
            "title": text(protocol.name_in(language)),
            "status": "active" if protocol.is_current and protocol.retired_at is None else "retired",
        }
    )


def canonical(protocol: Protocol) -> str:
    """Return the address of a protocol's version."""
    return f"urn:uuid:{protocol.code}|{protocol.version}"


def care_plan(
    course: Course,
    facts: convert.CourseFacts,
    requests: Sequence[Resource],
    zone: ZoneInfo,
) -> Resource:
    ended_on = course.ended_at.astimezone(zone).date() if course.ended_at else None
    if ended_on is not None and ended_on < course.start_on:
        # Given up before it began; a period does not run backwards.
        ended_on = None
    parts = plan_parts(facts.prescription, ended_on=ended_on)
    extensions = parts.pop("extension", [])
    if course.state:
        extensions.append({"url": words.DRIFT_STATE, "valueCode": course.state})
    extensions += [_pause(span.from_on, span.to_on, span.reason) for span in facts.pauses]
    return filled(
        {
            "resourceType": "CarePlan",
            "id": str(course.code),
            "extension": extensions,
            "identifier": [{"system": words.COURSE, "value": str(course.code)}],
            "instantiatesCanonical": [canonical(course.protocol)],
            "status": words.PLAN_STATUS[course.status],
            "intent": "order",
            "title": text(course.protocol.name_in(course.clinic.language)),
            "subject": reference(course.client.code),
            **parts,
            "created": instant(course.created_at, zone),
            "custodian": reference(course.prescribed_by.code),
            "activity": [{"plannedActivityReference": reference(request["id"])} for request in requests],
            "note": [{"text": text(course.end_reason)}] if text(course.end_reason) else [],
        }
    )


def _pause(from_on: date, to_on: date | None, reason: str) -> Resource:
    period = filled({"start": from_on.isoformat(), "end": to_on.isoformat() if to_on else None})
    return {
        "url": words.PAUSE,
        "extension": [{"url": "period", "valuePeriod": period}, {"url": "reason", "valueCode": reason}],
    }


class Revision(NamedTuple):
    """The prescription in force: which one, since when, and who put it in force."""

    number: int
    created_at: datetime
    by: StaffMember


def service_requests(
    course: Course,
    facts: convert.CourseFacts,
    revision: Revision,
    phase_now: int | None,
    zone: ZoneInfo,
) -> list[Resource]:
    """Return one request a phase, in order; `phase_now` is the 0-based phase that the course is in, None past the last."""
    ends = {end.phase: end.on for end in facts.prescription.phases_ended}
    found = []
    for position, phase in enumerate(facts.prescription.phases):
        is_done = phase_now is None or position < phase_now
        status = "completed" if is_done else words.PLAN_STATUS[course.status]
        code = part_code(course.code, f"phase {revision.number}.{position}")
        found.append(
            filled(
                {
                    "resourceType": "ServiceRequest",
                    "id": str(code),
                    "instantiatesCanonical": [canonical(course.protocol)],
                    "basedOn": [reference(course.code)],
                    "status": status,
                    "intent": "order",
                    "code": {"concept": protocol_concept(course)},
                    "subject": reference(course.client.code),
                    "authoredOn": instant(revision.created_at, zone),
                    "requester": reference(revision.by.code),
                    "performer": [reference(course.practitioner.code)] if course.practitioner else [],
                    **_request_parts(phase, facts, position, ends.get(position)),
                }
            )
        )
    return found


def _request_parts(
    phase: PhaseSpec, facts: convert.CourseFacts, position: int, ended_on: date | None
) -> Resource:
    return request_parts(phase, minutes_by_session=facts.limits[position].by_session, ended_on=ended_on)


def protocol_concept(course: Course) -> Resource:
    """Return what is done, as the clinic calls it."""
    return coded(words.PROTOCOL, course.protocol.slug, text(course.protocol.name_in(course.clinic.language)))


# ---------------------------------------------------------------- visits


def visit(course: Course, session: Session, staff: Mapping[int, StaffMember], zone: ZoneInfo) -> Resource:
    """Return a visit: a procedure when it was attended, else an appointment."""
    row = session.row
    if row.status == "attended":
        return _procedure(course, session, staff, zone)
    if row.status == "no_show" and row.starts_at is None:
        # An appointment that was missed must have had a time; all that is known is that nothing was done that day.
        return _missed(course, session)
    return _appointment(course, session, staff, zone)


def _based_on(course: Course, session: Session) -> list[Resource]:
    return [reference(session.request["id"] if session.request else course.code)]


def _procedure(
    course: Course, session: Session, staff: Mapping[int, StaffMember], zone: ZoneInfo
) -> Resource:
    row = session.row
    when: Resource = {"occurrenceDateTime": row.on.isoformat()}
    if row.starts_at is not None:
        when = {
            "occurrencePeriod": {"start": instant(row.starts_at, zone), "end": instant(row.ends_at, zone)}
        }
    person = staff.get(row.practitioner_id) if row.practitioner_id else None
    recorder = staff.get(row.outcome_by_id) if row.outcome_by_id else None
    has_reaction = row.reaction not in ("", "none")
    numbers = (
        (words.SESSION_NUMBER, session.number),
        (words.MINUTES, row.minutes),
        (words.PAIN_BEFORE, row.pain_before),
        (words.PAIN_AFTER, row.pain_after),
    )
    extensions: list[Resource] = [
        {"url": url, "valueUnsignedInt": number} for url, number in numbers if number is not None
    ]
    extensions += [{"url": words.TREATMENT, "valueCode": treatment} for treatment in row.treatments]
    return filled(
        {
            "resourceType": "Procedure",
            "id": str(row.code),
            "extension": extensions,
            "basedOn": _based_on(course, session),
            "status": "completed",
            "code": protocol_concept(course),
            "subject": reference(course.client.code),
            **when,
            "recorded": instant(row.outcome_at, zone),
            "recorder": reference(recorder.code) if recorder else None,
            "performer": [{"actor": reference(person.code)}] if person else [],
            "location": {"display": text(session.room)} if text(session.room) else None,
            "complication": [{"concept": coded(words.REACTION, row.reaction)}] if has_reaction else [],
            "note": [{"text": text(row.note)}] if text(row.note) else [],
        }
    )


def _missed(course: Course, session: Session) -> Resource:
    return {
        "resourceType": "Procedure",
        "id": str(session.row.code),
        "basedOn": _based_on(course, session),
        "status": "not-done",
        "statusReason": coded(words.SESSION_STATUS, session.row.status),
        "code": protocol_concept(course),
        "subject": reference(course.client.code),
        "occurrenceDateTime": session.row.on.isoformat(),
    }


def _appointment(
    course: Course, session: Session, staff: Mapping[int, StaffMember], zone: ZoneInfo
) -> Resource:
    row = session.row
    status = words.APPOINTMENT_STATUS[row.status]
    person = staff.get(row.practitioner_id) if row.practitioner_id else None
    participants: list[Resource] = [
        {
            "actor": reference(course.client.code),
            "required": True,
            "status": words.PARTICIPANT_STATUS[row.status],
        }
    ]
    if person is not None:
        participants.append({"actor": reference(person.code), "status": "accepted"})
    if text(session.room):
        participants.append(
            {"actor": {"type": "Location", "display": text(session.room)}, "status": "accepted"}
        )
    values: Resource = {
        "resourceType": "Appointment",
        "id": str(row.code),
        "status": status,
        "serviceType": [{"concept": protocol_concept(course)}],
        "created": instant(row.created_at, zone),
        "basedOn": _based_on(course, session),
        "subject": reference(course.client.code),
        "participant": participants,
    }
    if row.starts_at is not None:
        values |= {"start": instant(row.starts_at, zone), "end": instant(row.ends_at, zone)}
    else:
        values["requestedPeriod"] = [{"start": row.on.isoformat(), "end": row.on.isoformat()}]
    if status == "cancelled":
        values |= _cancelled(row, zone)
    return filled(values)


def _cancelled(row: TreatmentSession, zone: ZoneInfo) -> Resource:
    reason = coded(words.SESSION_STATUS, row.status, text(row.cancel_reason))
    reason["coding"].append({"system": words.CANCELLATION, "code": words.CANCELLED_BY[row.status]})
    return {"cancellationReason": reason, "cancellationDate": instant(row.outcome_at, zone)}


# ---------------------------------------------------------------- drift


def detected_issue(course: Course, row: Flag, staff: Mapping[int, StaffMember], zone: ZoneInfo) -> Resource:
    """Return the drift behind a flag: what, how much, since when, and what was done about it."""
    extensions: list[Resource] = [{"url": words.SINCE_ON, "valueDate": row.since_on.isoformat()}]
    for url, number in ((words.LATE_DAYS, row.days), (words.COUNT, row.count)):
        if number is not None:
            extensions.append({"url": url, "valueUnsignedInt": number})
    return filled(
        {
            "resourceType": "DetectedIssue",
            "id": str(issue_code(row)),
            "extension": extensions,
            "status": "final" if row.resolved_at is None else "mitigated",
            "code": coded(words.FINDING, row.kind),
            "severity": words.SEVERITY[row.severity],
            "subject": reference(course.client.code),
            "identifiedPeriod": _open_period(row, zone),
            "implicated": [reference(course.code)],
            "evidence": [{"code": [coded(words.CAUSE, row.cause)]}] if row.cause else [],
            "detail": text(convert.flag_finding(row).says),
            "mitigation": _mitigations(row, staff, zone),
        }
    )


def issue_code(row: Flag) -> UUID:
    return part_code(row.code, "issue")


def _open_period(row: Flag, zone: ZoneInfo) -> Resource:
    return filled({"start": instant(row.opened_at, zone), "end": instant(row.resolved_at, zone)})


def _mitigations(row: Flag, staff: Mapping[int, StaffMember], zone: ZoneInfo) -> list[Resource]:
    found = []
    if row.acknowledged_at is not None:
        author = staff.get(row.acknowledged_by_id) if row.acknowledged_by_id else None
        note = text(row.acknowledged_note)
        found.append(
            filled(
                {
                    "action": coded(words.RESOLVED, "acknowledged"),
                    "date": instant(row.acknowledged_at, zone),
                    "author": reference(author.code) if author else None,
                    "note": [{"text": note}] if note else [],
                }
            )
        )
    if row.resolved_at is not None:
        action = coded(words.RESOLVED, row.resolved_reason)
        found.append({"action": action, "date": instant(row.resolved_at, zone)})
    return found


def flag(course: Course, row: Flag, zone: ZoneInfo) -> Resource:
    """Return the mark on the client that a drift is open, or was; its detail is the drift."""
    detail = {"url": words.FLAG_DETAIL, "valueReference": reference(issue_code(row))}
    extensions = [detail]
    if row.snoozed_until_on is not None:
        extensions.append({"url": words.SNOOZED_UNTIL, "valueDate": row.snoozed_until_on.isoformat()})
    return {
        "resourceType": "Flag",
        "id": str(row.code),
        "extension": extensions,
        "status": "active" if row.resolved_at is None else "inactive",
        "code": coded(words.FINDING, row.kind),
        "subject": reference(course.client.code),
        "period": _open_period(row, zone),
    }


# ---------------------------------------------------------------- messages


def communication(course: Course, row: Reminder, about: UUID, zone: ZoneInfo) -> Resource:
    """Return that a message went out or not, and why; never what it said."""
    is_delivered = row.delivery == "delivered"
    return filled(
        {
            "resourceType": "Communication",
            "id": str(row.code),
            "basedOn": [reference(course.code)],
            "status": words.MESSAGE_STATUS[row.state],
            "statusReason": coded(words.NOT_SENT, row.decision_reason) if row.decision_reason else None,
            "category": [coded(words.TRIGGER, row.trigger)],
            "medium": [coded(words.CHANNEL, row.channel)],
            "subject": reference(course.client.code),
            "about": [reference(about)],
            "sent": instant(row.sent_at, zone),
            "received": instant(row.delivered_at, zone) if is_delivered else None,
            "recipient": [reference(course.client.code)],
            "sender": reference(course.clinic.code),
        }
    )
