"""Rows to what the pure core decides from: the only bridge between the two."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q
from django.db.models.functions import ExtractIsoWeekDay

from clients.models import Channel, Client, Consent, ContactPoint, DetailLevel
from clinics.models import Clinic, Closure, OpeningHours
from courses.models import (
    Course,
    CourseStatus,
    Flag,
    FlagKind,
    Pause,
    Phase,
    TreatmentSession,
)
from reminders.core import (
    AWAITED,
    ClientFacts,
    ClinicFacts,
    CourseFacts,
    QuietHours,
    RuleSpec,
    SessionFacts,
    Told,
)
from reminders.models import ChannelAccount, ReminderRule


def zone_of(client: Client, clinic: Clinic) -> ZoneInfo:
    """Return the client's time zone, else the clinic's."""
    return ZoneInfo(client.time_zone or clinic.time_zone)


def quiet_hours(client: Client, clinic: Clinic) -> QuietHours:
    """Return the hours in which the client gets no message: the client's own, else the clinic's."""
    zone = zone_of(client, clinic)
    if client.quiet_from_time is not None and client.quiet_to_time is not None:
        return QuietHours(client.quiet_from_time, client.quiet_to_time, zone)
    return QuietHours(clinic.quiet_from_time, clinic.quiet_to_time, zone)


def shows_treatment(client: Client, clinic: Clinic) -> bool:
    """Return whether the client is told by name what the treatment is: the clinic does so, and the client lets it."""
    return clinic.shows_treatment_in_messages and client.detail_level != DetailLevel.NEUTRAL


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


def clinic_facts(clinic: Clinic, client: Client) -> ClinicFacts:
    """Return what of the clinic decides about messages to one of its clients."""
    return ClinicFacts(
        zone=ZoneInfo(clinic.time_zone),
        booking_lead_days=clinic.booking_lead_days,
        shows_treatment=shows_treatment(client, clinic),
    )


def load_client_facts(client: Client, clinic: Clinic) -> ClientFacts:
    """Return the client's quiet hours and the channels with a working address, consent and a way out.

    E-mail is the installation's own; any other channel needs an active account of the clinic.

    Cost: two queries, a third where there is consent to more than e-mail.
    """
    working = ContactPoint.objects.filter(client=client, disabled_at=None).values_list("channel", flat=True)
    agreed = Consent.objects.filter(client=client, withdrawn_at=None).values_list("channel", flat=True)
    # The clinic's own system knows its clients, so it needs no address of theirs.
    reachable = {*working, Channel.WEBHOOK.value}.intersection(agreed)
    if others := reachable - {Channel.EMAIL.value}:
        accounts = ChannelAccount.objects.filter(clinic=clinic, channel__in=others, is_active=True)
        reachable -= others.difference(accounts.values_list("channel", flat=True))
    return ClientFacts(quiet=quiet_hours(client, clinic), reachable=frozenset(reachable))


def load_course_facts(course: Course, *, told: frozenset[Told], was_told: bool = False) -> CourseFacts:
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
        was_told=was_told,
    )


def load_session_facts(course: Course) -> tuple[SessionFacts, ...]:
    """Return the course's sessions by date.

    Cost: one query.
    """
    rows = (
        TreatmentSession.objects.filter(course=course)
        .annotate(is_closed=ExpressionWrapper(closed_on("on"), BooleanField()))
        .values_list("code", "version", "status", "on", "starts_at", "outcome_at", "is_closed")
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


@dataclass(frozen=True, slots=True)
class CourseDetails:
    """What only some texts need of a course: the visits ahead, and the amount of its current phase.

    `booked`: when the client is expected after now, earliest first. `amount` is "10–15" or "12", blank where
    only days are prescribed; `most` is the number of the phase's last session, where that is known.
    """

    booked: tuple[datetime, ...] = ()
    amount: str = ""
    most: int | None = None


def load_course_details(courses: Collection[Course], *, now: datetime) -> dict[int, CourseDetails]:
    """Return the details of each course by its id.

    Cost: three queries, however many courses.
    """
    ids = {course.pk for course in courses}
    booked: defaultdict[int, list[datetime]] = defaultdict(list)
    awaited = TreatmentSession.objects.filter(course__in=ids, status__in=AWAITED, starts_at__gt=now)
    paused = Pause.objects.filter(
        Q(to_on__isnull=True) | Q(to_on__gte=OuterRef("on")),
        course=OuterRef("course"),
        from_on__lte=OuterRef("on"),
    )
    open_days = awaited.exclude(Exists(paused)).exclude(closed_on("on")).order_by("starts_at")
    for course_id, starts_at in open_days.values_list("course_id", "starts_at"):
        if starts_at is not None:
            booked[course_id].append(starts_at)
    positions = {course.pk: course.phase_position for course in courses}
    amounts: dict[int, tuple[str, int | None]] = {}
    phases = Phase.objects.filter(revision__course__in=ids).order_by("revision__number")
    for course_id, position, least, most, target in phases.values_list(
        "revision__course_id", "position", "sessions_min", "sessions_max", "target"
    ):
        # The newest revision comes last and stays.
        if position == positions[course_id]:
            amounts[course_id] = _amount(least, most, target)
    return {pk: CourseDetails(tuple(booked[pk]), *amounts.get(pk, ("", None))) for pk in ids}


def _amount(least: int | None, most: int | None, target: int | None) -> tuple[str, int | None]:
    if target is not None:
        return str(target), target
    if most is None:
        return "", None
    return (str(most) if least is None or least == most else f"{least}–{most}"), most


def closed_on(day: str) -> Q:
    """Return the condition that the clinic of a row is closed on a day of it; `day` names its column.

    A clinic that has not said its hours yet is taken as open.
    """
    closure = Closure.objects.filter(
        clinic=OuterRef("clinic"), from_on__lte=OuterRef(day), to_on__gte=OuterRef(day)
    )
    hours = OpeningHours.objects.filter(clinic=OuterRef("clinic"))
    weekday = hours.filter(weekday=ExtractIsoWeekDay(OuterRef(day)))
    return Q(Exists(closure)) | (Q(Exists(hours)) & ~Q(Exists(weekday)))
