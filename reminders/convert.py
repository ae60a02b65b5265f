"""Rows to what the pure core decides from: the only bridge between the two."""

from datetime import datetime
from zoneinfo import ZoneInfo

from clients.models import Client, Consent, ContactPoint
from clinics.models import Clinic
from courses.models import (
    Course,
    CourseStatus,
    Flag,
    FlagKind,
    Pause,
    Phase,
    TreatmentSession,
)
from reminders.core import ClientFacts, ClinicFacts, CourseFacts, QuietHours, RuleSpec, SessionFacts, Told
from reminders.models import ReminderRule


def zone_of(client: Client, clinic: Clinic) -> ZoneInfo:
    """Return the client's time zone, else the clinic's."""
    return ZoneInfo(client.time_zone or clinic.time_zone)


def quiet_hours(client: Client, clinic: Clinic) -> QuietHours:
    """Return the hours in which the client gets no message."""
    return QuietHours(clinic.quiet_from_time, clinic.quiet_to_time, zone_of(client, clinic))


def rule_spec(rule: ReminderRule) -> RuleSpec:
    """Return a rule's row as the core's rule."""
    return RuleSpec(
        slug=rule.slug,
        trigger=rule.trigger,  # type: ignore[arg-type]  # the choices are the core's words
        channels=tuple(rule.channels),
        useful_minutes=rule.useful_minutes,
        lead_days=rule.lead_days,
        lead_minutes=rule.lead_minutes,
        at_time=rule.at_time,
        wait_minutes=rule.wait_minutes,
        repeat_days=rule.repeat_days,
        cap_count=rule.cap_count,
        is_first_only=rule.is_first_only,
    )


def clinic_facts(clinic: Clinic) -> ClinicFacts:
    """Return what of the clinic decides about messages."""
    return ClinicFacts(
        zone=ZoneInfo(clinic.time_zone),
        booking_lead_days=clinic.booking_lead_days,
        shows_treatment=clinic.shows_treatment_in_messages,
    )


def load_client_facts(client: Client, clinic: Clinic) -> ClientFacts:
    """Return the client's quiet hours and the channels with both a working address and consent.

    Cost: two queries.
    """
    working = ContactPoint.objects.filter(client=client, disabled_at=None).values_list("channel", flat=True)
    agreed = Consent.objects.filter(client=client, withdrawn_at=None).values_list("channel", flat=True)
    return ClientFacts(quiet=quiet_hours(client, clinic), reachable=frozenset(working) & frozenset(agreed))


def load_course_facts(course: Course, *, told: frozenset[Told]) -> CourseFacts:
    """Return the course as last assessed; its protocol must be loaded.

    Cost: four queries.
    """
    return CourseFacts(
        code=str(course.code),
        version=course.version,
        status=course.status,
        state=course.state,
        phase=course.phase_position,
        phase_kind=_phase_kind(course),
        session_number=course.session_number,
        due_from=course.due_from_on,
        due_by=course.due_by_on,
        overdue_since=Flag.objects.filter(course=course, kind=FlagKind.OVERDUE, resolved_at=None)
        .values_list("since_on", flat=True)
        .first()
        if course.state == "overdue"
        else None,
        completed_at=course.ended_at if course.status == CourseStatus.COMPLETED else None,
        has_preparation=bool(course.protocol.preparation_en or course.protocol.preparation_ru),
        sessions=load_session_facts(course),
        pauses=tuple(Pause.objects.filter(course=course).values_list("from_on", "to_on")),
        told=told,
    )


def load_session_facts(course: Course) -> tuple[SessionFacts, ...]:
    """Return the course's sessions by date.

    Cost: one query.
    """
    rows = TreatmentSession.objects.filter(course=course).values_list(
        "code", "version", "status", "on", "starts_at", "outcome_at"
    )
    return tuple(SessionFacts(str(row[0]), *row[1:]) for row in rows)


def read_told(told: list[list[str]]) -> frozenset[Told]:
    """Return the slots that a stored schedule told."""
    return frozenset((code, datetime.fromisoformat(at)) for code, at in told)


def write_told(slots: frozenset[Told]) -> list[list[str]]:
    """Return slots in the form in which they are stored, earliest first."""
    return [[code, at.isoformat()] for code, at in sorted(slots, key=lambda slot: slot[1])]


def _phase_kind(course: Course) -> str:
    if course.phase_position is None:
        return ""
    newest = Phase.objects.filter(revision__course=course, position=course.phase_position)
    return newest.order_by("-revision__number").values_list("kind", flat=True).first() or ""
