"""Courses as their list shows them, and every session with its client and course."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from django.db.models import F, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from clinics.models import Clinic
from courses.convert import zone_of
from courses.models import Course, TreatmentSession
from courses.selectors import CourseFilter, filter_courses, next_bookings, open_flags, phases_in_force
from exports.columns import Column, Kind, Privacy, Table, code_column, personal
from exports.core.choice import FHIR, FORMATS, Choice
from exports.tables.narrowing import practitioner_of, within_days
from reports.cells import Cell

_NAMES: Final = (
    personal("given_name", _("Given name"), "client__given_name"),
    personal("family_name", _("Family name"), "client__family_name"),
)


def _protocol(source: str) -> Column:
    return Column("protocol", _("Protocol"), Kind.WORD, source, Privacy.PROTOCOL, "protocol")


# ---------------------------------------------------------------- courses


def _find_courses(clinic: Clinic, choice: Choice, today: date) -> QuerySet[Any]:
    wanted = CourseFilter(
        q=choice.search,
        show=choice.filters.get("show", ""),
        protocol_slug=choice.filters.get("protocol", ""),
        practitioner=practitioner_of(clinic, choice),
        order=choice.filters.get("order", ""),
    )
    return within_days(filter_courses(clinic, wanted), "start_on", choice)


def _lookup(ids: Sequence[int], clinic: Clinic, today: date) -> Mapping[int, Mapping[str, Cell]]:
    """Return what is prescribed now, booked and found; four queries, however many courses."""
    phases, flags, bookings = phases_in_force(ids), open_flags(ids), next_bookings(ids, today=today)
    positions = dict(Course.objects.filter(pk__in=ids).order_by().values_list("pk", "phase_position"))
    zone = zone_of(clinic)
    found: dict[int, Mapping[str, Cell]] = {}
    for course in ids:
        position = positions.get(course)
        phase = phases[course][position] if position is not None else {}
        booking = bookings.get(course)
        starts_at = booking.starts_at if booking else None
        found[course] = {
            "phase": phase.get("kind"),
            "sessions_min": phase.get("sessions_min"),
            "sessions_max": phase.get("sessions_max"),
            "target": phase.get("target"),
            "next_booking": starts_at.astimezone(zone) if starts_at else None,
            "findings": " ".join(sorted(flag.kind for flag in flags.get(course, ()))),
        }
    return found


COURSES: Final = Table(
    name="courses",
    title=_("Courses"),
    about=_("What is prescribed, where each course stands, and what is found; one course a row."),
    icon="timeline",
    find=_find_courses,
    lookup=_lookup,
    filters=("show", "protocol", "practitioner", "period", "q", "order"),
    period=pgettext_lazy("period", "Started"),
    formats=(*FORMATS, FHIR),
    columns=(
        code_column("course", _("Course"), "code", "course"),
        code_column("client", _("Client"), "client__code", "client"),
        *_NAMES,
        _protocol("protocol__slug"),
        Column("status", _("Status"), source="status"),
        Column("state", _("State"), source="state"),
        Column("start_on", _("Started on"), Kind.DAY, "start_on"),
        Column("phase", _("Phase")),
        Column("attended", _("Attended"), Kind.NUMBER, "attended_count"),
        Column("sessions_min", _("Sessions at least"), Kind.NUMBER),
        Column("sessions_max", _("Sessions at most"), Kind.NUMBER),
        Column("target", _("Target"), Kind.NUMBER),
        Column("due_from", _("Due from"), Kind.DAY, "due_from_on"),
        Column("due_by", _("Due by"), Kind.DAY, "due_by_on"),
        Column("next_booking", _("Next booking"), Kind.MOMENT),
        Column("attendance_rate", _("Attendance rate"), Kind.RATE, "attendance_rate"),
        Column("on_time_rate", _("On time rate"), Kind.RATE, "on_time_rate"),
        Column("slippage_days", _("Days late in all"), Kind.NUMBER, "slippage_days"),
        Column("projected_end", _("Projected end"), Kind.DAY, "projected_end_on"),
        personal("practitioner", _("Practitioner"), "practitioner__display_name"),
        code_column("practitioner_code", _("Practitioner, code"), "practitioner__code", "staff"),
        Column("ended_at", _("Ended"), Kind.MOMENT, "ended_at"),
        personal("end_reason", _("Why it ended"), "end_reason"),
        Column("findings", _("Findings")),
    ),
)

# ---------------------------------------------------------------- sessions


def _find_sessions(clinic: Clinic, choice: Choice, today: date) -> QuerySet[Any]:
    sessions = within_days(TreatmentSession.objects.for_clinic(clinic), "on", choice)
    if status := choice.filters.get("status"):
        sessions = sessions.filter(status=status)
    if protocol := choice.filters.get("protocol"):
        sessions = sessions.filter(course__protocol__slug=protocol)
    if practitioner := practitioner_of(clinic, choice):
        sessions = sessions.filter(practitioner=practitioner)
    return sessions.order_by("on", F("starts_at").asc(nulls_last=True), "pk")


SESSIONS: Final = Table(
    name="sessions",
    title=_("Sessions"),
    about=_("Every visit with its client and course: when, with whom, and what happened."),
    icon="calendar-check",
    find=_find_sessions,
    filters=("status", "protocol", "practitioner", "period"),
    period=pgettext_lazy("period", "Taking place"),
    columns=(
        code_column("session", _("Session"), "code", "session"),
        code_column("course", _("Course"), "course__code", "course"),
        code_column("client", _("Client"), "client__code", "client"),
        *_NAMES,
        _protocol("course__protocol__slug"),
        Column("course_started_on", _("Course started on"), Kind.DAY, "course__start_on"),
        Column("on", _("Date"), Kind.DAY, "on"),
        Column("starts_at", _("From"), Kind.MOMENT, "starts_at"),
        Column("ends_at", _("To"), Kind.MOMENT, "ends_at"),
        Column("status", _("Status"), source="status"),
        personal("practitioner", _("Practitioner"), "practitioner__display_name"),
        code_column("practitioner_code", _("Practitioner, code"), "practitioner__code", "staff"),
        personal("room", _("Room"), "room__name"),
        Column("minutes", _("Length in minutes"), Kind.NUMBER, "minutes"),
        Column("reaction", _("Reaction"), source="reaction"),
        Column("pain_before", _("Pain before"), Kind.NUMBER, "pain_before"),
        Column("pain_after", _("Pain after"), Kind.NUMBER, "pain_after"),
        personal("cancel_reason", _("Why it was cancelled"), "cancel_reason"),
        personal("note", _("Note"), "note"),
        Column("recorded_at", _("Recorded"), Kind.MOMENT, "outcome_at"),
    ),
)
