"""Reads with two or more callers; each is bounded by the clinic and an index, in a constant number of queries."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Final

from django.db.models import Case, Count, Exists, F, OuterRef, Prefetch, Q, QuerySet, Subquery, When
from django.db.models.expressions import OrderBy
from django.db.models.functions import Coalesce

from clients.models import Channel, Client, ContactPoint
from clinics.models import Clinic, StaffMember
from courses.convert import current_phases, zone_of
from courses.models import (
    BOOKED_STATUSES,
    Course,
    CourseStatus,
    Flag,
    FlagCall,
    ReactionReport,
    SessionStatus,
    Severity,
    TreatmentSession,
)

# ---------------------------------------------------------------- sessions


def clinic_sessions(clinic: Clinic, *, today: date) -> QuerySet[TreatmentSession]:
    """Return the sessions of a clinic with what their lines on a page show.

    Each carries `attended_until` (attended sessions of its course up to its day) and `booked_before`
    (bookings of its course from today up to the day before it): its number follows from them.
    """
    of_course = TreatmentSession.objects.filter(course=OuterRef("course")).order_by().values("course")
    attended = of_course.filter(status=SessionStatus.ATTENDED, on__lte=OuterRef("on"))
    booked = of_course.filter(status__in=BOOKED_STATUSES, on__gte=today, on__lt=OuterRef("on"))
    return (
        TreatmentSession.objects.for_clinic(clinic)
        .select_related("clinic", "client", "course__clinic", "course__protocol", "practitioner", "room")
        .annotate(
            attended_until=Coalesce(Subquery(attended.annotate(n=Count("pk")).values("n")), 0),
            booked_before=Coalesce(Subquery(booked.annotate(n=Count("pk")).values("n")), 0),
        )
    )


# Of a session and its surroundings, what a line of a day shows and what says what may be done about it.
_LISTED: Final = (
    *("code", "status", "on", "starts_at", "ends_at", "minutes", "confirmed_at", "arrived_at", "version"),
    *("reaction", "pain_before", "pain_after", "note", "cancel_reason", "correction_reason"),
    *("clinic_id", "course_id", "client_id", "practitioner_id", "room_id"),
    *("client__given_name", "client__family_name"),
    *("course__code", "course__status", "course__session_number", "course__phase_position"),
    *(
        "course__attended_count",
        "course__clinic_id",
        "course__protocol__name_en",
        "course__protocol__name_ru",
    ),
    *("practitioner__code", "practitioner__display_name", "room__name"),
)


def _listed_sessions(clinic: Clinic, *, today: date) -> QuerySet[TreatmentSession]:
    """Return the sessions of a clinic as clinic_sessions() does, each with what a line of a day shows and no more."""
    sessions = clinic_sessions(clinic, today=today).select_related(None)
    return sessions.select_related("client", "course__protocol", "practitioner", "room").only(*_LISTED)


def day_sessions(clinic: Clinic, on: date, *, today: date) -> QuerySet[TreatmentSession]:
    """Return the sessions of a clinic's day in the order of their times, those without a time last."""
    sessions = _listed_sessions(clinic, today=today)
    return sessions.filter(on=on).order_by(F("starts_at").asc(nulls_last=True), "pk")


def unrecorded_sessions(clinic: Clinic, *, today: date) -> QuerySet[TreatmentSession]:
    """Return the bookings of days before today that have no outcome, the latest first."""
    sessions = _listed_sessions(clinic, today=today)
    return sessions.filter(status__in=BOOKED_STATUSES, on__lt=today).order_by("-on", "starts_at", "pk")


def day_counts(clinic: Clinic, on: date) -> dict[str, int]:
    """Return how many sessions of a clinic's day stand in each status.

    Cost: one query.
    """
    counted = TreatmentSession.objects.for_clinic(clinic).filter(on=on).order_by()
    return dict(counted.values_list("status").annotate(n=Count("pk")))


def booked_by_day(clinic: Clinic, from_on: date, to_on: date, *, today: date) -> dict[date, int]:
    """Return how many sessions are booked on each day from today on within the days given, both included.

    Days without any are left out. Cost: one query.
    """
    booked = TreatmentSession.objects.for_clinic(clinic).filter(
        status__in=BOOKED_STATUSES, on__gte=max(from_on, today), on__lte=to_on
    )
    return dict(booked.order_by("on").values_list("on").annotate(n=Count("pk")))


def booked_in_rooms(clinic: Clinic, *, now: datetime) -> dict[int, int]:
    """Return how many sessions are booked from now on in each room, by the room's row; one query."""
    booked = TreatmentSession.objects.for_clinic(clinic).filter(
        status__in=BOOKED_STATUSES, room__isnull=False, ends_at__gt=now
    )
    return dict(booked.order_by().values_list("room").annotate(n=Count("pk")))


def booked_outside(
    clinic: Clinic,
    hours: Iterable[tuple[int, time, time]],
    *,
    now: datetime,
    practitioner: StaffMember | None = None,
) -> int:
    """Return how many sessions are booked from now on at times outside these hours: (ISO weekday, opens, closes).

    With a practitioner, of those that are booked with them.
    Cost: one query that reads the clinic's coming bookings.
    """
    zone = zone_of(clinic)
    spans: defaultdict[int, list[tuple[time, time]]] = defaultdict(list)
    for weekday, opens, closes in hours:
        spans[weekday].append((opens, closes))
    booked = TreatmentSession.objects.for_clinic(clinic).filter(
        status__in=BOOKED_STATUSES, starts_at__gte=now, ends_at__isnull=False
    )
    if practitioner is not None:
        booked = booked.filter(practitioner=practitioner)
    outside = 0
    for starts_at, ends_at in booked.values_list("starts_at", "ends_at").iterator():
        # The query asks for both.
        assert starts_at is not None
        assert ends_at is not None
        begins, ends = starts_at.astimezone(zone), ends_at.astimezone(zone)
        outside += not any(
            opens <= begins.time() and ends.time() <= closes for opens, closes in spans[begins.isoweekday()]
        )
    return outside


def phases_in_force(course_ids: Iterable[int]) -> dict[int, list[dict[str, Any]]]:
    """Return the phases of each course as prescribed now, in order, as column values.

    Cost: one query.
    """
    found: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in current_phases(list(course_ids)):
        found[row["revision__course_id"]].append(row)
    return found


def open_flags(course_ids: Iterable[int]) -> dict[int, list[Flag]]:
    """Return the open flags of each course, serious first.

    Cost: one query.
    """
    found: defaultdict[int, list[Flag]] = defaultdict(list)
    for flag in Flag.objects.filter(course__in=list(course_ids), resolved_at=None).order_by(
        "-severity_rank", "since_on", "pk"
    ):
        found[flag.course_id].append(flag)
    return found


# ---------------------------------------------------------------- flags


def clinic_flags(clinic: Clinic) -> QuerySet[Flag]:
    """Return the open flags of a clinic, serious and old first, with course, client, telephone and calls."""
    calls = FlagCall.objects.select_related("by").order_by("-created_at", "-pk")
    return (
        Flag.objects.for_clinic(clinic)
        .filter(resolved_at__isnull=True)
        .select_related(
            "acknowledged_by", "course__clinic", "course__client", "course__protocol", "course__practitioner"
        )
        .prefetch_related(Prefetch("calls", queryset=calls), telephones("course__client__contact_points"))
        .order_by("-severity_rank", "since_on", "pk")
    )


def serious_flags(clinic: Clinic, *, today: date) -> QuerySet[Flag]:
    """Return the open serious flags of a clinic that nobody put off past today, in no order."""
    serious = Flag.objects.for_clinic(clinic).filter(resolved_at__isnull=True, severity=Severity.SERIOUS)
    return serious.filter(is_awake(today)).order_by()


def is_awake(today: date) -> Q:
    """Return the condition of flags that are on the worklist: not put off past today."""
    return Q(snoozed_until_on__isnull=True) | Q(snoozed_until_on__lte=today)


def telephones(lookup: str) -> "Prefetch[str, QuerySet[ContactPoint], str]":
    """Return the prefetch of clients' telephones in use."""
    usable = ContactPoint.objects.filter(channel=Channel.SMS, disabled_at=None).order_by("position", "pk")
    return Prefetch(lookup, queryset=usable)


def open_reports(clinic: Clinic) -> QuerySet[ReactionReport]:
    """Return what clients said after a visit that a person has not read yet, the latest first."""
    found = ReactionReport.objects.for_clinic(clinic).filter(needs_person=True, handled_at=None)
    return found.select_related("session__course__client", "session__course__clinic").order_by(
        "-reported_at", "-pk"
    )


# ---------------------------------------------------------------- courses

COURSE_ORDERS: dict[str, tuple[str, ...]] = {
    "client": ("client__family_name", "client__given_name", "pk"),
    "protocol": ("protocol__name_en", "pk"),
    "attended": ("attended_count", "pk"),
    "due": ("due_by_on", "pk"),
    "started": ("start_on", "pk"),
}
RUNNING = (CourseStatus.ACTIVE, CourseStatus.PAUSED)


def clinic_courses(clinic: Clinic) -> QuerySet[Course]:
    """Return the courses of a clinic with client, protocol and practitioner."""
    return Course.objects.for_clinic(clinic).select_related(
        "clinic", "client", "protocol", "practitioner", "prescribed_by"
    )


def search_courses(courses: QuerySet[Course], text: str) -> QuerySet[Course]:
    """Return those courses whose client's names, e-mail or telephone contain every word of the text."""
    for word in search_words(text):
        courses = courses.filter(client__search_text__contains=word)
    return courses


def latest_courses(clinic: Clinic, text: str) -> QuerySet[Course]:
    """Return the courses of the clients whom a text finds, those that run first, then the latest."""
    is_over = Case(When(status__in=RUNNING, then=0), default=1)
    return search_courses(clinic_courses(clinic), text).order_by(is_over, "-start_on", "-pk")


def search_words(text: str) -> list[str]:
    """Return the words to look for: lower case, and a telephone however it was typed as its digits.

    Order: the longest first, which fewest rows hold, so that the others are looked for in few.
    """
    squeezed = "".join(text.split())
    digits = "".join(character for character in squeezed if character.isdigit())
    is_phone = len(digits) >= 4 and all(character in "0123456789+-()/." for character in squeezed)
    return [digits] if is_phone else sorted(text.lower().split(), key=len, reverse=True)


def order_courses(courses: QuerySet[Course], order: str) -> QuerySet[Course]:
    """Return the courses in an order of COURSE_ORDERS, a leading minus turning it round; empty values last."""
    is_turned = order.startswith("-")
    return courses.order_by(*(_ordered(name, is_turned) for name in COURSE_ORDERS[order.removeprefix("-")]))


def _ordered(name: str, is_turned: bool) -> OrderBy:
    # Only of what may be empty: no index of PostgreSQL that is read backwards gives empty values last.
    nulls_last = name == "due_by_on" or None
    return F(name).desc(nulls_last=nulls_last) if is_turned else F(name).asc(nulls_last=nulls_last)


def treating_members(clinic: Clinic) -> QuerySet[StaffMember]:
    """Return the practitioners of a clinic who treat at present."""
    return StaffMember.objects.for_clinic(clinic).filter(is_treating=True, is_active=True)


def coming_booking_counts(
    clinic: Clinic, *, now: datetime, days: tuple[date, date] | None = None
) -> dict[int, int]:
    """Return how many bookings lie ahead of each practitioner who has any, by row id; `days` include both ends.

    Cost: one query.
    """
    ahead = TreatmentSession.objects.for_clinic(clinic).filter(
        status__in=BOOKED_STATUSES, starts_at__gt=now, practitioner__isnull=False
    )
    if days is not None:
        ahead = ahead.filter(on__range=days)
    return dict(ahead.order_by().values_list("practitioner").annotate(Count("pk")))


def running_by_protocol(clinic: Clinic) -> dict[str, int]:
    """Return how many courses of each protocol run, of all its versions together, by slug; one query."""
    running = Course.objects.for_clinic(clinic).filter(status__in=RUNNING)
    return dict(running.order_by().values_list("protocol__slug").annotate(n=Count("pk")))


def course_calls(course: Course) -> QuerySet[FlagCall]:
    """Return the calls about any finding of a course, the latest first."""
    calls = FlagCall.objects.filter(flag__course=course).select_related("flag", "by")
    return calls.order_by("-created_at", "-pk")


def noted_flags(course: Course) -> QuerySet[Flag]:
    """Return the findings of a course, resolved ones too, on which somebody wrote a note, the latest note first."""
    flags = Flag.objects.filter(course=course, acknowledged_at__isnull=False).exclude(acknowledged_note="")
    return flags.select_related("acknowledged_by").order_by("-acknowledged_at", "-pk")


def booked_days(course: Course, *, today: date) -> list[date]:
    """Return the days from today on for which a course has a booking, in order; one query."""
    ahead = TreatmentSession.objects.filter(course=course, status__in=BOOKED_STATUSES, on__gte=today)
    return list(ahead.order_by("on").values_list("on", flat=True))


def next_bookings(course_ids: Sequence[int], *, today: date) -> dict[int, TreatmentSession]:
    """Return the first booking from today on of each course that has one, with its day and time and no more.

    Cost: one query.
    """
    found: dict[int, TreatmentSession] = {}
    booked = TreatmentSession.objects.filter(
        course__in=course_ids, status__in=BOOKED_STATUSES, on__gte=today
    ).only("course_id", "on", "starts_at")
    for session in booked.order_by("on", "starts_at", "pk"):
        found.setdefault(session.course_id, session)
    return found


@dataclass(frozen=True, slots=True)
class CourseFilter:
    """What a list of courses shows and in which order; the page and its export ask with the same one."""

    q: str = ""
    show: str = ""
    protocol_slug: str = ""
    practitioner: StaffMember | None = None
    order: str = ""

    @property
    def is_narrowed(self) -> bool:
        return bool(self.q or self.show or self.protocol_slug or self.practitioner)


def filter_courses(clinic: Clinic, wanted: CourseFilter) -> QuerySet[Course]:
    """Return the courses of a clinic that a filter asks for, in its order: else the one due first."""
    courses = search_courses(clinic_courses(clinic), wanted.q).filter(_shown(wanted.show))
    if wanted.protocol_slug:
        # Every version: a course keeps the one it was prescribed from.
        courses = courses.filter(protocol__slug=wanted.protocol_slug)
    if wanted.practitioner:
        courses = courses.filter(practitioner=wanted.practitioner)
    return order_courses(courses, wanted.order or "due")


def _shown(show: str) -> Q:
    if show == "all":
        return Q()
    if show in (CourseStatus.COMPLETED, CourseStatus.DISCONTINUED):
        return Q(status=show)
    running = Q(status__in=RUNNING)
    if show == "attention":
        has_flag = Flag.objects.filter(course=OuterRef("pk"), resolved_at=None)
        return running & Q(Exists(has_flag))
    return running & Q(state=show) if show else running


# ---------------------------------------------------------------- clients


def search_clients(clinic: Clinic, text: str) -> QuerySet[Client]:
    """Return the clients of a clinic whose names, e-mail or telephone contain every word, by name.

    Each carries `running_count`, the number of courses that run.
    """
    running = Course.objects.filter(client=OuterRef("pk"), status__in=RUNNING).order_by().values("client")
    clients = Client.objects.for_clinic(clinic).filter(erased_at=None)
    for word in search_words(text):
        clients = clients.filter(search_text__contains=word)
    return (
        clients.annotate(running_count=Coalesce(Subquery(running.annotate(n=Count("pk")).values("n")), 0))
        .prefetch_related("contact_points")
        .order_by("family_name", "given_name", "pk")
    )
