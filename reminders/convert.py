"""Rows to what the pure core decides from: the only bridge between the two."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q, QuerySet
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
    return load_clients_facts([client], clinic)[client.pk]


def load_clients_facts(clients: Collection[Client], clinic: Clinic) -> dict[int, ClientFacts]:
    """Return what load_client_facts() does of each client of a clinic by its id.

    Cost: as for one, however many clients.
    """
    working = _channels_by_client(ContactPoint.objects.filter(client__in=clients, disabled_at=None))
    agreed = _channels_by_client(Consent.objects.filter(client__in=clients, withdrawn_at=None))
    # The clinic's own system knows its clients, so it needs no address of theirs.
    reachable = {
        client.pk: {*working[client.pk], Channel.WEBHOOK.value}.intersection(agreed[client.pk])
        for client in clients
    }
    if others := set[str]().union(*reachable.values()) - {Channel.EMAIL.value}:
        accounts = ChannelAccount.objects.filter(clinic=clinic, channel__in=others, is_active=True)
        closed = others.difference(accounts.values_list("channel", flat=True))
        reachable = {pk: channels - closed for pk, channels in reachable.items()}
    return {
        client.pk: ClientFacts(quiet=quiet_hours(client, clinic), reachable=frozenset(reachable[client.pk]))
        for client in clients
    }


def _channels_by_client(rows: QuerySet[Any]) -> defaultdict[int, set[str]]:
    found: defaultdict[int, set[str]] = defaultdict(set)
    for client_id, channel in rows.values_list("client_id", "channel"):
        found[client_id].add(channel)
    return found


def load_courses_facts(
    courses: Collection[Course], *, told: Mapping[int, tuple[frozenset[Told], bool]]
) -> dict[int, CourseFacts]:
    """Return each course as last assessed by its id; its protocol must be loaded.

    `told` are by course the slots that the client was told last, and whether they were told any.
    Cost: three queries and one for the overdue, however many courses.
    """
    kinds, sessions, pauses = _phase_kinds(courses), load_session_facts(courses), _pauses(courses)
    overdue = [course.pk for course in courses if course.state == "overdue"]
    flags = Flag.objects.filter(course__in=overdue, kind=FlagKind.OVERDUE, resolved_at=None)
    since = dict(flags.order_by("-pk").values_list("course_id", "since_on")) if overdue else {}
    return {
        course.pk: CourseFacts(
            code=str(course.code),
            version=course.version,
            status=course.status,
            state=course.state,
            phase=course.phase_position,
            phase_kind=kinds.get(course.pk, ""),
            session_number=course.session_number,
            due_from=course.due_from_on,
            due_by=course.due_by_on,
            overdue_since=since.get(course.pk),
            completed_at=course.ended_at if course.status == CourseStatus.COMPLETED else None,
            has_preparation=bool(course.protocol.preparation_en or course.protocol.preparation_ru),
            sessions=tuple(sessions[course.pk]),
            pauses=tuple(pauses[course.pk]),
            told=told[course.pk][0],
            was_told=told[course.pk][1],
        )
        for course in courses
    }


# The fields of SessionFacts after its code, in their order.
_SESSION_COLUMNS: Final = (
    "version", "status", "on", "starts_at", "outcome_at", "is_closed", "ends_at", "reminding",
)  # fmt: skip


def load_session_facts(courses: Collection[Course]) -> defaultdict[int, list[SessionFacts]]:
    """Return each course's sessions by its id, by date.

    Cost: one query, however many courses.
    """
    rows = (
        TreatmentSession.objects.filter(course__in=courses)
        .annotate(is_closed=ExpressionWrapper(closed_on("on"), BooleanField()))
        .order_by("on", "pk")
        .values_list("course_id", "code", *_SESSION_COLUMNS)
    )
    found: defaultdict[int, list[SessionFacts]] = defaultdict(list)
    for course_id, code, *values in rows:
        found[course_id].append(SessionFacts(str(code), *values))
    return found


def _pauses(courses: Collection[Course]) -> defaultdict[int, list[tuple[date, date | None]]]:
    found: defaultdict[int, list[tuple[date, date | None]]] = defaultdict(list)
    for pause in Pause.objects.filter(course__in=courses).only("course_id", "from_on", "to_on"):
        found[pause.course_id].append((pause.from_on, pause.to_on))
    return found


def _phase_kinds(courses: Collection[Course]) -> dict[int, str]:
    """Return the kind of each course's present phase by its id; those without one are left out."""
    positions = {course.pk: course.phase_position for course in courses}
    phases = Phase.objects.filter(revision__course__in=courses).order_by("revision__number")
    # The newest revision comes last and stays.
    return {
        course_id: kind
        for course_id, position, kind in phases.values_list("revision__course_id", "position", "kind")
        if position == positions[course_id]
    }


def read_told(told: list[list[str]]) -> frozenset[Told]:
    """Return the slots that a stored schedule told."""
    return frozenset((code, datetime.fromisoformat(at)) for code, at in told)


def write_told(slots: frozenset[Told]) -> list[list[str]]:
    """Return slots in the form in which they are stored, earliest first."""
    return [[code, at.isoformat()] for code, at in sorted(slots, key=lambda slot: slot[1])]


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
