"""The stateless operations on JSON: strict reading with a field and a message, and the answer's exact shape.

`answer_assess` is the whole of the operation. The pieces (`loads`, `ObjectReader`, `read_assess_request`)
serve the plan request too, which is an assess request with more in it.
"""

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any, Final, cast, get_args

from clinics.core import ClinicCalendar
from courses.core.assess import assess
from courses.core.cadence import ClientDays, replay
from courses.core.types import (
    Assessment,
    Cadence,
    ContraindicationSpan,
    Finding,
    PauseSpan,
    PhaseEnd,
    PhaseKind,
    PhaseSpec,
    Prescription,
    SessionRecord,
    SessionStatus,
)

ROOT: Final = "request"  # the name of the whole where no field can be named
FIRST_YEAR, LAST_YEAR = 1900, 2999
MAX_PERIOD_DAYS: Final = 3_660
MAX_DURATION_DAYS: Final = 36_600
MAX_SESSIONS: Final = 10_000
# The longest a phase may take by its numbers alone, so that every date it leads to can be written.
MAX_PHASE_DAYS: Final = 366_000
MAX_PHASES: Final = 20
MAX_DECISIONS: Final = 100
MAX_ITEMS: Final = 10_000
# All that happened is gone through for each later day that is looked at.
MAX_VISITS: Final = 3_000

ASSESS_FIELDS: Final = frozenset({"as_of", "clinic", "course"})
_CLINIC_FIELDS: Final = frozenset({"closed_weekdays", "closures", "booking_lead_days"})
_COURSE_FIELDS: Final = frozenset(
    {"start_on", "phases", "phases_ended", "restarts", "sessions", "pauses", "contraindications"}
)
_PHASE_FIELDS: Final = frozenset(
    {
        "kind",
        "cadence",
        "sessions_min",
        "sessions_max",
        "target",
        "duration_days",
        "grace_days",
        "lapse_days",
        "minutes_min",
        "minutes_max",
    }
)
_CADENCE_FIELDS: Final = frozenset({"frequency", "period_min", "period_max", "rest_days", "flex_days"})
_SESSION_FIELDS: Final = frozenset({"on", "status"})
_BOOKING_FIELDS: Final = _SESSION_FIELDS | {"pinned", "start", "end", "practitioner", "room"}

_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_HALF_CHARACTER: Final = re.compile("[\ud800-\udfff]")
_REQUIRED: Final = object()


class WireError(ValueError):
    """Bad input: the path of the field and a sentence that says what to do about it."""

    code = "bad_input"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message

    def as_json(self) -> dict[str, object]:
        """Return the error as both operations answer it."""
        return {"error": {"field": self.field, "message": self.message}}


class _JsonObject(dict[str, object]):
    """An object as parsed, remembering a name that it gave twice."""

    repeated: str | None = None


def loads(text: str | bytes) -> object:
    """Parse JSON, keeping sight of repeated names, which `ObjectReader` then refuses by their path.

    Raises: WireError for text that is not JSON in UTF-8.
    """
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8-sig")
        return cast(object, json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_constant))
    except UnicodeDecodeError as error:
        raise WireError(ROOT, f"Send UTF-8 text: byte {error.start + 1} is not.") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise WireError(ROOT, f"Send one JSON object: {error.msg} at {place}.") from None
    except (RecursionError, ValueError):
        raise WireError(ROOT, "Send plain JSON without oversized numbers or endless nesting.") from None


def _object(pairs: list[tuple[str, object]]) -> _JsonObject:
    found = _JsonObject(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                found.repeated = name
            seen.add(name)
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


class ObjectReader:
    """Reads one JSON object field by field; every refusal names the path of the field.

    `path` is empty for the request itself. Raises: WireError for what is not an object, for a field not
    among `fields` and for one given twice.
    """

    __slots__ = ("path", "values")

    def __init__(self, value: object, path: str, fields: Collection[str]) -> None:
        self.path = path
        if not isinstance(value, dict):
            raise WireError(path or ROOT, "Give an object with named fields.")
        self.values = cast(dict[str, object], value)
        repeated = getattr(value, "repeated", None)
        if repeated is not None:
            raise WireError(self.at(repeated), "Give this field once.")
        for name in value:
            if name not in fields:
                known = ", ".join(sorted(fields))
                raise WireError(self.at(name), f"Remove this field, or use one of: {known}.")

    def at(self, name: object) -> str:
        """Return the path of a field of this object."""
        word = str(name)
        if not word.isascii() or not word.isidentifier() or len(word) > 60:
            word = json.dumps(word[:60])
        return f"{self.path}.{word}" if self.path else word

    def _lacks(self, name: str, default: object) -> bool:
        if name in self.values:
            return False
        if default is _REQUIRED:
            raise WireError(self.at(name), "Give this field, it is required.")
        return True

    def integer(
        self, name: str, low: int, high: int, default: object = _REQUIRED, *, nullable: bool = False
    ) -> Any:
        """Return a whole number from low to high, both included; its absence gives the default."""
        if self._lacks(name, default):
            return default
        value = self.values[name]
        return None if nullable and value is None else read_integer(value, self.at(name), low, high)

    def date(self, name: str, *, nullable: bool = False) -> Any:
        """Return a date, or None where the field may be null."""
        self._lacks(name, _REQUIRED)
        value = self.values[name]
        return None if nullable and value is None else read_date(value, self.at(name))

    def text(self, name: str, default: object = _REQUIRED, *, nullable: bool = False) -> Any:
        """Return a text of up to 200 characters; its absence gives the default."""
        if self._lacks(name, default):
            return default
        value = self.values[name]
        if nullable and value is None:
            return None
        if not isinstance(value, str) or len(value) > 200:
            raise WireError(self.at(name), "Give a text of at most 200 characters in quotes.")
        if _HALF_CHARACTER.search(value):
            # JSON can escape one half of a pair, which no answer in UTF-8 could give back.
            raise WireError(self.at(name), "Give a text of whole characters: a surrogate stands alone.")
        return value

    def flag(self, name: str, default: object = _REQUIRED) -> Any:
        """Return true or false; its absence gives the default."""
        if self._lacks(name, default):
            return default
        value = self.values[name]
        if not isinstance(value, bool):
            raise WireError(self.at(name), "Give true or false.")
        return value

    def word(self, name: str, words: Collection[str]) -> str:
        """Return one of some words."""
        self._lacks(name, _REQUIRED)
        value = self.values[name]
        if not isinstance(value, str) or value not in words:
            raise WireError(self.at(name), f"Give one of: {', '.join(words)}.")
        return value

    def items(
        self, name: str, default: object = None, *, most: int = MAX_ITEMS
    ) -> Iterator[tuple[str, object]]:
        """Yield the items of a list with their paths; without the list there are none."""
        if self._lacks(name, default):
            return
        value = self.values[name]
        if not isinstance(value, list):
            raise WireError(self.at(name), "Give a list in square brackets.")
        if len(value) > most:
            raise WireError(self.at(name), f"Give at most {most} items.")
        path = self.at(name)
        for index, item in enumerate(value):
            yield f"{path}[{index}]", item

    def object(self, name: str, fields: Collection[str], default: object = _REQUIRED) -> "ObjectReader":
        """Return the reader of an object inside this one."""
        return ObjectReader(
            default if self._lacks(name, default) else self.values[name], self.at(name), fields
        )


def read_integer(value: object, path: str, low: int, high: int) -> int:
    """Return a whole number within limits, both included; true, 1.0 and "1" are none."""
    if type(value) is not int or not low <= value <= high:
        raise WireError(path, f"Give a whole number from {low} to {high}.")
    return value


def read_date(value: object, path: str) -> date:
    """Return a calendar date written YYYY-MM-DD."""
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise WireError(path, "Give a date in quotes as YYYY-MM-DD, without a time.")
    if not FIRST_YEAR <= int(value[:4]) <= LAST_YEAR:
        raise WireError(path, f"Give a date in the years {FIRST_YEAR} to {LAST_YEAR}.")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise WireError(path, "Give a date that exists in the calendar.") from None


@dataclass(frozen=True, slots=True)
class AssessRequest:
    """What `assess` needs, as read; sessions stay in the order given."""

    as_of: date
    calendar: ClinicCalendar
    booking_lead_days: int
    prescription: Prescription
    sessions: tuple[SessionRecord, ...]
    pauses: tuple[PauseSpan, ...]
    contraindications: tuple[ContraindicationSpan, ...]


def read_assess_request(request: ObjectReader, *, booking_details: bool = False) -> AssessRequest:
    """Read as_of, clinic and course; with `booking_details` a session may carry what planning keeps.

    Raises: WireError.
    """
    as_of = request.date("as_of")
    clinic = request.object("clinic", _CLINIC_FIELDS, {})
    course = request.object("course", _COURSE_FIELDS)
    parts = AssessRequest(
        as_of=as_of,
        calendar=_read_calendar(clinic),
        booking_lead_days=clinic.integer("booking_lead_days", 0, MAX_PERIOD_DAYS, 3),
        prescription=_read_prescription(course),
        sessions=_read_sessions(course, _BOOKING_FIELDS if booking_details else _SESSION_FIELDS),
        pauses=_read_pauses(course),
        contraindications=_read_contraindications(course),
    )
    _refuse_early_ends(parts, course.at("phases_ended"))
    return parts


def _read_calendar(clinic: ObjectReader) -> ClinicCalendar:
    weekdays = {read_integer(value, path, 1, 7) for path, value in clinic.items("closed_weekdays")}
    if len(weekdays) == 7:
        raise WireError(clinic.at("closed_weekdays"), "Leave at least one weekday open.")
    return ClinicCalendar(weekdays, [read_date(value, path) for path, value in clinic.items("closures")])


def _read_prescription(course: ObjectReader) -> Prescription:
    start_on = course.date("start_on")
    phases = tuple(
        read_phase(value, path) for path, value in course.items("phases", _REQUIRED, most=MAX_PHASES)
    )
    if not phases:
        raise WireError(course.at("phases"), "Give at least one phase.")
    ended = []
    for path, value in course.items("phases_ended", most=MAX_DECISIONS):
        end = ObjectReader(value, path, {"phase", "on"})
        ended.append(PhaseEnd(end.integer("phase", 0, len(phases) - 1), end.date("on")))
    restarts = tuple(read_date(value, path) for path, value in course.items("restarts", most=MAX_DECISIONS))
    return Prescription(start_on, phases, tuple(ended), restarts)


def read_phase(value: object, path: str) -> PhaseSpec:
    phase = ObjectReader(value, path, _PHASE_FIELDS)
    kind = cast(PhaseKind, phase.word("kind", get_args(PhaseKind)))
    cadence = _read_cadence(phase.object("cadence", _CADENCE_FIELDS))
    sessions_min, sessions_max = _read_range(phase, "sessions_min", "sessions_max", MAX_SESSIONS)
    duration_days = phase.integer("duration_days", 1, MAX_DURATION_DAYS, None, nullable=True)
    if sessions_max is None and duration_days is None:
        raise WireError(phase.at("sessions_max"), "Give sessions_min and sessions_max, or duration_days.")
    if sessions_max is not None and sessions_max * (cadence.period_max + cadence.flex_days) > MAX_PHASE_DAYS:
        raise WireError(phase.at("sessions_max"), f"Let the phase take at most {MAX_PHASE_DAYS} days.")
    target = phase.integer("target", 1, MAX_SESSIONS, None, nullable=True)
    if target is not None and (sessions_max is None or not sessions_min <= target <= sessions_max):
        raise WireError(phase.at("target"), "Give a target from sessions_min to sessions_max, or null.")
    grace_days = phase.integer("grace_days", 0, MAX_PERIOD_DAYS, 0)
    lapse_days = phase.integer("lapse_days", 0, MAX_PERIOD_DAYS, 14)
    if grace_days > lapse_days:
        raise WireError(phase.at("grace_days"), f"Give at most lapse_days, which is {lapse_days}.")
    # No rule here reads them, so one may come without the other.
    minutes = _read_ends(phase, "minutes_min", "minutes_max", 24 * 60)
    return PhaseSpec(
        kind, cadence, sessions_min, sessions_max, target, duration_days, grace_days, lapse_days, *minutes
    )


def _read_range(phase: ObjectReader, low: str, high: str, limit: int) -> tuple[Any, Any]:
    least, most = _read_ends(phase, low, high, limit)
    if (least is None) != (most is None):
        raise WireError(phase.at(low if least is None else high), f"Give {low} and {high} together.")
    return least, most


def _read_ends(phase: ObjectReader, low: str, high: str, limit: int) -> tuple[Any, Any]:
    least = phase.integer(low, 1, limit, None, nullable=True)
    most = phase.integer(high, 1, limit, None, nullable=True)
    if least is not None and most is not None and least > most:
        raise WireError(phase.at(low), f"Give at most {high}, which is {most}.")
    return least, most


def _read_cadence(cadence: ObjectReader) -> Cadence:
    frequency = cadence.integer("frequency", 1, MAX_PERIOD_DAYS)
    period_min = cadence.integer("period_min", 1, MAX_PERIOD_DAYS)
    period_max = cadence.integer("period_max", 1, MAX_PERIOD_DAYS)
    if period_min > period_max:
        raise WireError(cadence.at("period_min"), f"Give at most period_max, which is {period_max}.")
    if frequency > period_max:
        raise WireError(cadence.at("frequency"), f"Give at most period_max, which is {period_max}.")
    rest_days = cadence.integer("rest_days", 1, MAX_PERIOD_DAYS, None)
    flex_days = cadence.integer("flex_days", 0, period_min - 1, None)
    return Cadence.of(frequency, period_min, period_max, rest_days, flex_days)


def _read_sessions(course: ObjectReader, fields: Collection[str]) -> tuple[SessionRecord, ...]:
    sessions = []
    attended: set[date] = set()
    for path, value in course.items("sessions", most=MAX_VISITS):
        session = ObjectReader(value, path, fields)
        on = session.date("on")
        status = cast(SessionStatus, session.word("status", get_args(SessionStatus)))
        if status == "attended":
            if on in attended:
                raise WireError(session.at("on"), "Give one attended session a day.")
            attended.add(on)
        sessions.append(
            SessionRecord(
                on,
                status,
                pinned=session.flag("pinned", False),
                start=session.text("start", None, nullable=True),
                end=session.text("end", None, nullable=True),
                practitioner=session.text("practitioner", None, nullable=True),
                room=session.text("room", None, nullable=True),
            )
        )
    return tuple(sessions)


def _read_pauses(course: ObjectReader) -> tuple[PauseSpan, ...]:
    pauses = []
    for path, value in course.items("pauses"):
        pause = ObjectReader(value, path, {"from", "to", "reason"})
        from_on, to_on = _read_dates(pause, nullable=True)
        pauses.append((PauseSpan(from_on, to_on, pause.text("reason", "")), pause.at("from")))
    pauses.sort(key=lambda pair: pair[0].from_on)
    for (before, _), (after, path) in pairwise(pauses):
        if before.to_on is None or after.from_on <= before.to_on:
            raise WireError(path, "Let this pause begin after the one before it has ended.")
    return tuple(pause for pause, _ in pauses)


def _read_contraindications(course: ObjectReader) -> tuple[ContraindicationSpan, ...]:
    spans = []
    for path, value in course.items("contraindications"):
        span = ObjectReader(value, path, {"code", "from", "to"})
        spans.append(ContraindicationSpan(span.text("code"), *_read_dates(span)))
    return tuple(spans)


def _read_dates(span: ObjectReader, *, nullable: bool = False) -> tuple[Any, Any]:
    from_on, to_on = span.date("from"), span.date("to", nullable=nullable)
    if to_on is not None and to_on < from_on:
        raise WireError(span.at("to"), "Give a date not before from.")
    return from_on, to_on


def _refuse_early_ends(parts: AssessRequest, path: str) -> None:
    """Refuse the end of a phase that had not begun on that day, given all that happened up to then."""
    plan = parts.prescription
    attended = sorted(session.on.toordinal() for session in parts.sessions if session.status == "attended")
    for index, end in enumerate(plan.phases_ended):
        on = end.on.toordinal()
        others = tuple(other for other in plan.phases_ended if (other.on, other.phase) < (end.on, end.phase))
        so_far = Prescription(plan.start_on, plan.phases, others, plan.restarts)
        days = ClientDays(parts.calendar, parts.pauses, today=end.on)
        progress = replay(so_far, [day for day in attended if day <= on], days, today=end.on)
        if progress.is_complete or end.phase < progress.index:
            continue  # without effect
        has_begun = on >= progress.left_on if progress.index > 0 else progress.last_on is not None
        if end.phase > progress.index or not has_begun:
            raise WireError(f"{path}[{index}].on", "Give a date on which this phase has already begun.")


def answer_assess(request: object) -> dict[str, object]:
    """Answer an assess request as parsed from JSON.

    Raises: WireError.
    """
    parts = read_assess_request(ObjectReader(request, "", ASSESS_FIELDS))
    assessment = assess(
        parts.prescription,
        parts.sessions,
        parts.pauses,
        parts.contraindications,
        parts.calendar,
        parts.booking_lead_days,
        today=parts.as_of,
    )
    return write_assessment(assessment)


def write_assessment(assessment: Assessment) -> dict[str, object]:
    """Return an assessment as JSON objects, in the order of names that the answer documents."""
    written = _dated(assessment._asdict())
    written["gaps"] = [_dated(gap._asdict()) for gap in assessment.gaps]
    written["measures"] = _dated(assessment.measures._asdict())
    written["findings"] = [_write_finding(finding) for finding in assessment.findings]
    return written


def _write_finding(finding: Finding) -> dict[str, object]:
    written: dict[str, object] = {"kind": finding.kind, "severity": finding.severity}
    if finding.count is None:
        written["days"] = finding.days
    else:
        written["count"] = finding.count
    written["since"] = finding.since
    if finding.cause is not None:
        written["cause"] = finding.cause
    written["says"] = finding.says
    return _dated(written)


def _dated(values: dict[str, Any]) -> dict[str, object]:
    return {name: str(value) if isinstance(value, date) else value for name, value in values.items()}
