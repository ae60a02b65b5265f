"""The only bridge between rows and the pure core."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import F, OuterRef, Subquery

from clinics.core import ClinicCalendar, to_utc
from clinics.models import Clinic, Closure, OpeningHours
from courses.core.assess import assess
from courses.core.off_protocol import PhaseLimits, PracticeRecord, count_off_protocol
from courses.core.plan import PlanCost, Reason
from courses.core.types import (
    Assessment,
    Cadence,
    ContraindicationSpan,
    Finding,
    PauseSpan,
    PhaseEnd,
    PhaseSpec,
    Prescription,
    SessionRecord,
)
from courses.models import (
    ContraindicationOverride,
    Course,
    Flag,
    Pause,
    Phase,
    PhaseFields,
    PrescriptionRevision,
    ProtocolContraindication,
    RecordedContraindication,
    Restart,
    TreatmentSession,
)
from courses.models import PhaseEnd as PhaseEndRow


@dataclass(frozen=True, slots=True)
class CourseFacts:
    """Everything that an assessment of one course depends on, apart from the day it is made for."""

    prescription: Prescription
    sessions: tuple[SessionRecord, ...]
    pauses: tuple[PauseSpan, ...]
    contraindications: tuple[ContraindicationSpan, ...]
    calendar: ClinicCalendar
    booking_lead_days: int
    limits: tuple[PhaseLimits, ...]
    practice: tuple[PracticeRecord, ...]
    same_day_order: tuple[str, ...]


# ---------------------------------------------------------------- time


def zone_of(clinic: Clinic) -> ZoneInfo:
    """Return the clinic's time zone."""
    return ZoneInfo(clinic.time_zone)


def local_today(clinic: Clinic, now: datetime) -> date:
    """Return the calendar date in the clinic at an aware instant."""
    return now.astimezone(zone_of(clinic)).date()


def local_midnight(clinic: Clinic, day: date) -> datetime:
    """Return the UTC instant at which a day begins in the clinic."""
    return to_utc(day, time(), zone_of(clinic))


# ---------------------------------------------------------------- clinic


def load_calendars(clinics: Iterable[Clinic]) -> dict[int, ClinicCalendar]:
    """Return the calendar of each clinic by its id.

    Cost: two queries, however many clinics.
    """
    ids = {clinic.pk for clinic in clinics}
    weekdays: dict[int, set[int]] = {pk: set() for pk in ids}
    for clinic_id, weekday in (
        OpeningHours.objects.filter(clinic__in=ids).values_list("clinic_id", "weekday").distinct()
    ):
        weekdays[clinic_id].add(weekday)
    closures: dict[int, set[date]] = {pk: set() for pk in ids}
    for clinic_id, from_on, to_on in Closure.objects.filter(clinic__in=ids).values_list(
        "clinic_id", "from_on", "to_on"
    ):
        closures[clinic_id].update(days_between(from_on, to_on))
    # A clinic that has not said its hours yet is taken as open: else nothing could ever be due there.
    return {
        pk: ClinicCalendar(set(range(1, 8)) - weekdays[pk] if weekdays[pk] else (), closures[pk])
        for pk in ids
    }


def load_calendar(clinic: Clinic) -> ClinicCalendar:
    """Return the clinic's open and closed days.

    Cost: two queries.
    """
    return load_calendars([clinic])[clinic.pk]


def days_between(from_on: date, to_on: date) -> list[date]:
    """Return the dates from one to the other, both included."""
    return [from_on + timedelta(days=n) for n in range((to_on - from_on).days + 1)]


# ---------------------------------------------------------------- course


def phase_spec(phase: PhaseFields) -> PhaseSpec:
    """Return a phase row, of a course or a protocol, as the core's phase."""
    return PhaseSpec(
        kind=phase.kind,  # type: ignore[arg-type]  # the choices are the core's words
        cadence=Cadence(
            phase.frequency, phase.period_min, phase.period_max, phase.rest_days, phase.flex_days
        ),
        sessions_min=phase.sessions_min,
        sessions_max=phase.sessions_max,
        target=getattr(phase, "target", None),
        duration_days=phase.duration_days,
        grace_days=phase.grace_days,
        lapse_days=phase.lapse_days,
        minutes_min=phase.minutes_min,
        minutes_max=phase.minutes_max,
    )


def phase_row_values(spec: PhaseSpec) -> dict[str, Any]:
    """Return a core phase as the column values of a phase row, without position and target."""
    cadence = spec.cadence
    return {
        "kind": spec.kind,
        "frequency": cadence.frequency,
        "period_min": cadence.period_min,
        "period_max": cadence.period_max,
        "rest_days": cadence.rest_days,
        "flex_days": cadence.flex_days,
        "sessions_min": spec.sessions_min,
        "sessions_max": spec.sessions_max,
        "duration_days": spec.duration_days,
        "grace_days": spec.grace_days,
        "lapse_days": spec.lapse_days,
        "minutes_min": spec.minutes_min,
        "minutes_max": spec.minutes_max,
    }


def load_facts(
    courses: Sequence[Course], *, phases: Mapping[int, Sequence[dict[str, Any]]] | None = None
) -> dict[int, CourseFacts]:
    """Return the facts of each course by its id; the courses' clinic must be loaded.

    `phases` are by course those of current_phases(), where they are at hand.

    Cost: eight queries, however many courses; up to three more where conditions or treatments are on record.
    """
    ids = [course.pk for course in courses]
    owners = {course.pk: course for course in courses}
    calendars = load_calendars(course.clinic for course in courses)
    if phases is None:
        phases = _rows_by_course(current_phases(ids), "revision__course_id")
    ends = _rows_by_course(PhaseEndRow.objects.filter(course__in=ids).values(), "course_id")
    restarts = _rows_by_course(Restart.objects.filter(course__in=ids).values(), "course_id")
    pauses = _rows_by_course(Pause.objects.filter(course__in=ids).values(), "course_id")
    sessions = _rows_by_course(
        TreatmentSession.objects.filter(course__in=ids)
        .order_by("on", "pk")
        .values("course_id", "on", "status", "minutes", "treatments"),
        "course_id",
    )
    conditions = load_contraindications(courses)
    practice = {
        pk: tuple(
            PracticeRecord(row["on"], row["minutes"], tuple(row["treatments"]))
            for row in sessions[pk]
            if row["status"] == "attended" and (row["minutes"] is not None or row["treatments"])
        )
        for pk in ids
    }
    orders = _same_day_orders([owners[pk] for pk in ids if any(record.treatments for record in practice[pk])])
    return {
        course.pk: CourseFacts(
            prescription=Prescription(
                start_on=course.start_on,
                phases=tuple(_spec(row) for row in phases[course.pk]),
                phases_ended=tuple(
                    PhaseEnd(row["phase_position"], row["ended_on"]) for row in ends[course.pk]
                ),
                restarts=tuple(row["restart_on"] for row in restarts[course.pk]),
            ),
            sessions=tuple(SessionRecord(row["on"], row["status"]) for row in sessions[course.pk]),
            pauses=tuple(PauseSpan(row["from_on"], row["to_on"], row["reason"]) for row in pauses[course.pk]),
            contraindications=tuple(conditions[course.pk]),
            calendar=calendars[course.clinic_id],
            booking_lead_days=course.clinic.booking_lead_days,
            limits=tuple(
                PhaseLimits(row["minutes_min"], row["minutes_max"], tuple(row["minutes_by_session"]))
                for row in phases[course.pk]
            ),
            practice=practice[course.pk],
            same_day_order=orders.get(course.pk, ()),
        )
        for course in courses
    }


def current_phases(course_ids: Sequence[int]) -> Any:
    """Return the phase rows in force of the courses, in order, as dictionaries."""
    newest = (
        PrescriptionRevision.objects.filter(course=OuterRef("revision__course"))
        .order_by("-number")
        .values("number")[:1]
    )
    return (
        Phase.objects.filter(revision__course__in=course_ids)
        .annotate(newest=Subquery(newest))
        .filter(revision__number=F("newest"))
        .order_by("position")
        .values(*_PHASE_COLUMNS, "revision__course_id")
    )


_PHASE_COLUMNS = (
    "kind",
    "frequency",
    "period_min",
    "period_max",
    "rest_days",
    "flex_days",
    "sessions_min",
    "sessions_max",
    "target",
    "duration_days",
    "grace_days",
    "lapse_days",
    "minutes_min",
    "minutes_max",
    "minutes_by_session",
)


def _spec(row: dict[str, Any]) -> PhaseSpec:
    return PhaseSpec(
        kind=row["kind"],
        cadence=Cadence(
            row["frequency"], row["period_min"], row["period_max"], row["rest_days"], row["flex_days"]
        ),
        sessions_min=row["sessions_min"],
        sessions_max=row["sessions_max"],
        target=row["target"],
        duration_days=row["duration_days"],
        grace_days=row["grace_days"],
        lapse_days=row["lapse_days"],
        minutes_min=row["minutes_min"],
        minutes_max=row["minutes_max"],
    )


def _rows_by_course(rows: Iterable[Any], key: str) -> defaultdict[int, list[dict[str, Any]]]:
    found: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row[key]].append(row)
    return found


def load_contraindications(courses: Sequence[Course]) -> Mapping[int, list[ContraindicationSpan]]:
    """Return, by course id, each course's recorded conditions that its protocol forbids and no prescriber overrode.

    A mere caution forbids nothing.
    Cost: one query, two more where there are any.
    """
    recorded: defaultdict[int, list[RecordedContraindication]] = defaultdict(list)
    for record in RecordedContraindication.objects.filter(
        client__in={course.client_id for course in courses}
    ):
        recorded[record.client_id].append(record)
    if not recorded:
        return defaultdict(list)
    forbidden = set(
        ProtocolContraindication.objects.filter(protocol__in={course.protocol_id for course in courses})
        .exclude(strength="caution")
        .values_list("protocol_id", "condition")
    )
    overridden = set(
        ContraindicationOverride.objects.filter(course__in=[course.pk for course in courses]).values_list(
            "course_id", "condition"
        )
    )
    found: defaultdict[int, list[ContraindicationSpan]] = defaultdict(list)
    for course in courses:
        found[course.pk] = [
            ContraindicationSpan(record.condition, record.from_on, record.to_on)
            for record in recorded[course.client_id]
            if (course.protocol_id, record.condition) in forbidden
            and (course.pk, record.condition) not in overridden
        ]
    return found


def _same_day_orders(courses: Sequence[Course]) -> dict[int, tuple[str, ...]]:
    """Return the order of one day's treatments of each course by its id.

    Cost: one query, none without courses.
    """
    if not courses:
        return {}
    rows = Course.objects.filter(pk__in=[course.pk for course in courses])
    return {pk: tuple(order) for pk, order in rows.values_list("pk", "protocol__same_day_order")}


# ---------------------------------------------------------------- assessment


def assess_facts(facts: CourseFacts, *, today: date) -> Assessment:
    """Return the assessment of a course on a day; what only rows know is counted on top.

    Whether lengths and orders kept to the protocol needs the phase of each session, which the gaps tell.
    """
    arguments: dict[str, Any] = {
        "prescription": facts.prescription,
        "sessions": facts.sessions,
        "pauses": facts.pauses,
        "contraindications": facts.contraindications,
        "calendar": facts.calendar,
        "booking_lead_days": facts.booking_lead_days,
        "today": today,
    }
    assessment = assess(**arguments)
    if not facts.practice:
        return assessment
    count = count_off_protocol(
        facts.practice, assessment.gaps, limits=facts.limits, same_day_order=facts.same_day_order
    )
    return assess(**arguments, off_protocol=count) if count else assessment


def assess_course(course: Course, *, today: date) -> Assessment:
    """Return the assessment of one course from its rows, writing nothing.

    Cost: as load_facts().
    """
    return assess_facts(load_facts([course])[course.pk], today=today)


def flag_finding(flag: Flag) -> Finding:
    """Return what a flag stands for as the core's finding."""
    on = flag.evidence.get("on")
    values: dict[str, Any] = {
        "kind": flag.kind,
        "severity": flag.severity,
        "days": flag.days,
        "count": flag.count,
        "since": flag.since_on,
        "cause": flag.cause or None,
        "limit": flag.evidence.get("limit"),
        "session": flag.evidence.get("session"),
        "on": date.fromisoformat(on) if on else None,
    }
    return Finding(**values)


# ---------------------------------------------------------------- plans


def reason_values(reason: Reason) -> dict[str, Any]:
    """Return a planner's reason as JSON values, from which read_reason() makes it again."""
    values = {name: _json_value(value) for name, value in reason._asdict().items()}
    return {name: value for name, value in values.items() if value not in (None, [], {})}


def read_reason(values: Mapping[str, Any]) -> Reason:
    """Return a reason that was kept as JSON values."""
    return Reason(**{name: _from_json(value) for name, value in values.items()})


def plan_cost_values(cost: PlanCost) -> dict[str, Any]:
    """Return what a plan cost as JSON values."""
    return {field.name: _json_value(getattr(cost, field.name)) for field in fields(cost)}


def _json_value(value: Any) -> Any:
    if isinstance(value, date):
        return {"date": value.isoformat()}
    if isinstance(value, tuple | list):
        return [_json_value(item) for item in value]
    return value


def _from_json(value: Any) -> Any:
    if isinstance(value, dict) and "date" in value:
        return date.fromisoformat(value["date"])
    if isinstance(value, list):
        return tuple(_from_json(item) for item in value)
    return value
