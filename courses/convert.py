"""The only bridge between rows and the pure core."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import F, OuterRef, QuerySet, Subquery, TextField
from django.db.models.functions import Cast

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


class CourseKey(NamedTuple):
    """What of a course's row its facts depend on."""

    pk: int
    clinic_id: int
    client_id: int
    protocol_id: int
    start_on: date


_Phase = tuple[PhaseSpec, PhaseLimits]


def course_key(course: Course) -> CourseKey:
    """Return the key of a loaded course."""
    return CourseKey(course.pk, course.clinic_id, course.client_id, course.protocol_id, course.start_on)


def load_facts(
    courses: Sequence[Course], *, phases: Mapping[int, Sequence[dict[str, Any]]] | None = None
) -> dict[int, CourseFacts]:
    """Return the facts of each course by its id; the courses' clinic must be loaded.

    `phases` are by course those of current_phases(), where they are at hand.

    Cost: eight queries, however many courses; up to three more where conditions or treatments are on record.
    """
    clinics = {course.clinic_id: course.clinic for course in courses}
    leads = {pk: clinic.booking_lead_days for pk, clinic in clinics.items()}
    keys = list(map(course_key, courses))
    read = None if phases is None else {key.pk: _read_phases(phases.get(key.pk, ())) for key in keys}
    return load_facts_by_key(keys, load_calendars(clinics.values()), leads, phases=read)


def load_facts_by_key(
    keys: Sequence[CourseKey],
    calendars: Mapping[int, ClinicCalendar],
    leads: Mapping[int, int],
    *,
    phases: Mapping[int, Sequence[_Phase]] | None = None,
    within: QuerySet[Course] | None = None,
) -> dict[int, CourseFacts]:
    """Return the facts of each course by its id; calendars and booking leads are given by clinic.

    Thousands at a time: rows come as tuples, and what many courses have alike is made once. `within` is a query that
    finds these courses; the database then needs no list of their ids, and sessions come in any order.
    `phases` are by course, where they are at hand.
    Cost: six queries; up to three more where conditions or treatments are on record.
    """
    ids: Any = [key.pk for key in keys] if within is None else within.values("pk")
    if phases is None:
        phases = _load_phases(ids)
    ends = _tuples_by_course(PhaseEndRow.objects, ids, "phase_position", "ended_on")
    restarts = _tuples_by_course(Restart.objects, ids, "restart_on")
    pauses = _tuples_by_course(Pause.objects, ids, "from_on", "to_on", "reason")
    sessions, practice = _load_sessions(ids, is_ordered=within is None)
    conditions = _load_contraindications(keys, within)
    orders = _same_day_orders([pk for pk, done in practice.items() if any(one.treatments for one in done)])
    return {
        key.pk: CourseFacts(
            prescription=Prescription(
                start_on=key.start_on,
                phases=tuple(spec for spec, _limits in phases[key.pk]),
                phases_ended=tuple(PhaseEnd(*end) for end in ends[key.pk]) if ends else (),
                restarts=tuple(on for (on,) in restarts[key.pk]) if restarts else (),
            ),
            sessions=tuple(sessions[key.pk]),
            pauses=tuple(PauseSpan(*pause) for pause in pauses[key.pk]) if pauses else (),
            contraindications=tuple(conditions[key.pk]) if conditions else (),
            calendar=calendars[key.clinic_id],
            booking_lead_days=leads[key.clinic_id],
            limits=tuple(limits for _spec, limits in phases[key.pk]),
            practice=tuple(practice[key.pk]),
            same_day_order=orders.get(key.pk, ()),
        )
        for key in keys
    }


def _tuples_by_course(
    manager: Any, course_ids: Any, *columns: str
) -> defaultdict[int, list[tuple[Any, ...]]]:
    """Return rows of a table by course, in the table's order. Cost: one query."""
    found: defaultdict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for course_id, *values in manager.filter(course__in=course_ids).values_list("course_id", *columns):
        found[course_id].append(tuple(values))
    return found


def _read_phases(rows: Sequence[dict[str, Any]]) -> list[_Phase]:
    """Return the phases that rows of current_phases() hold."""
    columns = _PHASE_COLUMNS[:-1]
    return [_phase(*(row[name] for name in columns), tuple(row["minutes_by_session"])) for row in rows]


def _load_phases(course_ids: Any) -> defaultdict[int, list[_Phase]]:
    """Return the phases in force of each course, in order. Cost: one query."""
    found: defaultdict[int, list[_Phase]] = defaultdict(list)
    rows = current_phases(course_ids).values_list("revision__course_id", *_PHASE_COLUMNS)
    for course_id, *columns, by_session in rows:
        found[course_id].append(_phase(*columns, tuple(by_session)))
    return found


@lru_cache(maxsize=4096)
def _phase(
    kind: Any,
    frequency: int,
    period_min: int,
    period_max: int,
    rest_days: int,
    flex_days: int,
    sessions_min: int | None,
    sessions_max: int | None,
    target: int | None,
    duration_days: int | None,
    grace_days: int,
    lapse_days: int,
    minutes_min: int | None,
    minutes_max: int | None,
    by_session: tuple[int, ...],
) -> _Phase:
    """Return a phase and its limits from the columns of its row; most courses of a protocol have the same ones."""
    cadence = Cadence(frequency, period_min, period_max, rest_days, flex_days)
    amount = (sessions_min, sessions_max, target, duration_days)
    spec = PhaseSpec(kind, cadence, *amount, grace_days, lapse_days, minutes_min, minutes_max)
    return spec, PhaseLimits(minutes_min, minutes_max, by_session)


class _Records(dict[tuple[date, Any], SessionRecord]):
    """Sessions by day and status, each made when first asked for: many courses have one on the same day."""

    def __missing__(self, key: tuple[date, Any]) -> SessionRecord:
        made = self[key] = SessionRecord(*key)
        return made


class _Practice(dict[tuple[date, Any, str], PracticeRecord]):
    """What was done by day, minutes and treatments as stored, each made when first asked for."""

    def __missing__(self, key: tuple[date, Any, str]) -> PracticeRecord:
        on, minutes, treatments = key
        made = self[key] = PracticeRecord(on, minutes, tuple(json.loads(treatments)))
        return made


_Sessions = tuple[defaultdict[int, list[SessionRecord]], defaultdict[int, list[PracticeRecord]]]


def _load_sessions(course_ids: Any, *, is_ordered: bool) -> _Sessions:
    """Return the sessions of each course, by date if asked, and what was done in those attended. Cost: one query."""
    records, done = _Records(), _Practice()
    sessions: defaultdict[int, list[SessionRecord]] = defaultdict(list)
    practice: defaultdict[int, list[PracticeRecord]] = defaultdict(list)
    # As text: nearly all are the same few letters, which need not be parsed each time.
    rows = TreatmentSession.objects.annotate(words=Cast("treatments", TextField()))
    # An assessment sorts them itself; to sort those of thousands of courses takes the database longest of all.
    rows = rows.filter(course__in=course_ids).order_by(*(("on", "pk") if is_ordered else ()))
    for course_id, on, status, minutes, treatments in rows.values_list(
        "course_id", "on", "status", "minutes", "words"
    ):
        sessions[course_id].append(records[on, status])
        if status == "attended" and (minutes is not None or treatments != "[]"):
            practice[course_id].append(done[on, minutes, treatments])
    return sessions, practice


def current_phases(course_ids: Any) -> Any:
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


def load_contraindications(courses: Sequence[Course]) -> Mapping[int, list[ContraindicationSpan]]:
    """Return, by course id, each course's recorded conditions that its protocol forbids and no prescriber overrode.

    A mere caution forbids nothing.
    Cost: one query, two more where there are any.
    """
    return _load_contraindications(list(map(course_key, courses)), None)


def _load_contraindications(
    keys: Sequence[CourseKey], within: QuerySet[Course] | None
) -> defaultdict[int, list[ContraindicationSpan]]:
    clients: Any = {key.client_id for key in keys} if within is None else within.values("client")
    recorded: defaultdict[int, list[RecordedContraindication]] = defaultdict(list)
    for record in RecordedContraindication.objects.filter(client__in=clients):
        recorded[record.client_id].append(record)
    if not recorded:
        return defaultdict(list)
    forbidden = set(
        ProtocolContraindication.objects.filter(protocol__in={key.protocol_id for key in keys})
        .exclude(strength="caution")
        .values_list("protocol_id", "condition")
    )
    overridden = set(
        ContraindicationOverride.objects.filter(course__in=[key.pk for key in keys]).values_list(
            "course_id", "condition"
        )
    )
    found: defaultdict[int, list[ContraindicationSpan]] = defaultdict(list)
    for key in keys:
        found[key.pk] = [
            ContraindicationSpan(record.condition, record.from_on, record.to_on)
            for record in recorded[key.client_id]
            if (key.protocol_id, record.condition) in forbidden
            and (key.pk, record.condition) not in overridden
        ]
    return found


def _same_day_orders(course_ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """Return the order of one day's treatments of each course by its id.

    Cost: one query, none without courses.
    """
    if not course_ids:
        return {}
    rows = Course.objects.filter(pk__in=course_ids)
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
