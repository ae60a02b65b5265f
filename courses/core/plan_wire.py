"""The plan operation on JSON: reads an assess request with the clinic's time in it, writes slots, cost and notes.

`answer_plan` is the whole of the operation.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, cast
from zoneinfo import ZoneInfo

from clinics.core import NO_ZONES
from courses.core.plan import (
    MOST_STEPS,
    Plan,
    PlannedSession,
    PlanRequest,
    PlanTooLargeError,
    Practitioner,
    Preferences,
    Room,
    plan,
)
from courses.core.plan.busy import BusySpan
from courses.core.plan.planner import opening_calendar
from courses.core.plan.requests import DAY_MINUTES, DateSpan, MinuteSpan, WeekHours
from courses.core.wire import (
    ASSESS_FIELDS,
    AssessRequest,
    ObjectReader,
    WireError,
    read_assess_request,
    read_date,
    read_integer,
)

MAX_COUNT: Final = 400
MAX_HORIZON_DAYS: Final = 3_660
MAX_RESOURCES: Final = 100
MAX_INTERVALS: Final = 50  # of one weekday

PLAN_FIELDS: Final = ASSESS_FIELDS | {
    "not_before",
    "timezone",
    "count",
    "hours",
    "practitioners",
    "rooms",
    "client_busy",
    "minutes",
    "slot_step_minutes",
    "horizon_days",
    "prefer",
}
_WEEKDAYS: Final = tuple("1234567")
_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})?"
)


class _WeekReader(ObjectReader):
    """Reads an object whose fields are the weekdays 1 to 7, which paths show without quotes."""

    __slots__ = ()

    def at(self, name: object) -> str:
        word = str(name)
        return f"{self.path}.{word}" if word.isascii() and word.isdigit() else super().at(name)


@dataclass(frozen=True, slots=True)
class _Clock:
    """Reads wall times in the clinic's zone.

    What was read once is kept: one visit ends when the next begins, and several people are busy at the same times.
    """

    zone: ZoneInfo
    _known: dict[str, datetime] = field(default_factory=dict, repr=False, compare=False)

    def instant(self, value: object, path: str) -> datetime:
        """Return an aware instant; without an offset it is the clinic's wall time."""
        if not isinstance(value, str) or not _INSTANT.fullmatch(value):
            raise WireError(path, "Give a date and a time in quotes as YYYY-MM-DDTHH:MM.")
        read_date(value[:10], path)
        try:
            instant = datetime.fromisoformat(value)
        except ValueError:
            raise WireError(path, "Give a time of day from 00:00 to 23:59.") from None
        return instant if instant.tzinfo else instant.replace(tzinfo=self.zone)

    def _known_instant(self, value: object, path: str) -> datetime:
        if not isinstance(value, str):
            return self.instant(value, path)
        known = self._known.get(value)
        if known is None:
            known = self._known[value] = self.instant(value, path)
        return known

    def busy(self, owner: ObjectReader, name: str) -> tuple[BusySpan, ...]:
        """Return busy spans: half-open pairs of instants."""
        spans = []
        for path, value in owner.items(name):
            from_value, to_value = _pair(value, path)
            from_at = self._known_instant(from_value, f"{path}[0]")
            to_at = self._known_instant(to_value, f"{path}[1]")
            if from_at >= to_at:
                raise WireError(path, "Give a time, then a later one.")
            spans.append((from_at, to_at))
        return tuple(spans)


def answer_plan(request: object, *, most_steps: int = MOST_STEPS) -> dict[str, object]:
    """Answer a plan request as parsed from JSON; `most_steps` bounds the work.

    Raises: WireError.
    """
    wanted = read_plan_request(ObjectReader(request, "", PLAN_FIELDS))
    try:
        return write_plan(plan(wanted, most_steps=most_steps))
    except PlanTooLargeError:
        message = "Plan fewer sessions at a time, or lower horizon_days: there are too many ways to compare."
        raise WireError("count", message) from None


def read_plan_request(request: ObjectReader) -> PlanRequest:
    """Read a plan request.

    Raises: WireError.
    """
    parts = read_assess_request(request, booking_details=True)
    clock = _Clock(_read_zone(request))
    _refuse_impossible_bookings(parts, clock)
    wanted = PlanRequest(
        as_of=parts.as_of,
        calendar=parts.calendar,
        prescription=parts.prescription,
        zone=clock.zone,
        not_before=clock.instant(_required(request, "not_before"), request.at("not_before")),
        count=request.integer("count", 0, MAX_COUNT),
        minutes=request.integer("minutes", 1, DAY_MINUTES),
        hours=_read_hours(_required(request, "hours"), request.at("hours")),
        sessions=parts.sessions,
        pauses=parts.pauses,
        contraindications=parts.contraindications,
        practitioners=_read_practitioners(request, clock),
        rooms=_read_rooms(request, clock),
        client_busy=clock.busy(request, "client_busy"),
        slot_step_minutes=request.integer("slot_step_minutes", 1, DAY_MINUTES, 15),
        horizon_days=request.integer("horizon_days", 0, MAX_HORIZON_DAYS, 365),
        prefer=_read_preferences(request),
    )
    try:
        opening_calendar(wanted)
    except ValueError:
        raise WireError("hours", "Give hours on at least one weekday that is not closed.") from None
    return wanted


def _required(request: ObjectReader, name: str) -> object:
    if name not in request.values:
        raise WireError(request.at(name), "Give this field, it is required.")
    return request.values[name]


def _read_zone(request: ObjectReader) -> ZoneInfo:
    name = request.text("timezone", "UTC")
    try:
        if name in NO_ZONES:
            raise ValueError(name)
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        # An unknown name is a KeyError, one with ".." a ValueError, one that is a folder an OSError.
        raise WireError(request.at("timezone"), "Give a known time zone as Area/City.") from None


def _read_hours(value: object, path: str) -> WeekHours:
    week = _WeekReader(value, path, _WEEKDAYS)
    return {
        int(weekday): tuple(_read_minutes(span, at) for at, span in week.items(weekday, most=MAX_INTERVALS))
        for weekday in _WEEKDAYS
        if weekday in week.values
    }


def _read_minutes(value: object, path: str) -> MinuteSpan:
    from_value, to_value = _pair(value, path)
    opens = _read_time(from_value, f"{path}[0]")
    closes = DAY_MINUTES if to_value == "24:00" else _read_time(to_value, f"{path}[1]")
    if opens >= closes:
        raise WireError(path, "Give a time, then a later one on the same day.")
    return opens, closes


def _read_time(value: object, path: str) -> int:
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise WireError(path, "Give a time of day in quotes as HH:MM.")
    return int(found[1]) * 60 + int(found[2])


def _pair(value: object, path: str) -> tuple[object, object]:
    if not isinstance(value, list) or len(value) != 2:
        raise WireError(path, "Give a list of two: from and to.")
    return value[0], value[1]


def _read_practitioners(request: ObjectReader, clock: _Clock) -> tuple[Practitioner, ...]:
    people: dict[str, Practitioner] = {}
    for path, value in request.items("practitioners", most=MAX_RESOURCES):
        person = ObjectReader(value, path, {"id", "hours", "absences", "busy"})
        name = _read_id(person, people)
        hours = _read_hours(person.values["hours"], person.at("hours")) if "hours" in person.values else None
        absences = tuple(_read_absence(span, at) for at, span in person.items("absences"))
        people[name] = Practitioner(name, hours, absences, clock.busy(person, "busy"))
    return tuple(people.values())


def _read_absence(value: object, path: str) -> DateSpan:
    from_value, to_value = _pair(value, path)
    from_on, to_on = read_date(from_value, f"{path}[0]"), read_date(to_value, f"{path}[1]")
    if from_on > to_on:
        raise WireError(path, "Give a date, then one not before it.")
    return from_on, to_on


def _read_rooms(request: ObjectReader, clock: _Clock) -> tuple[Room, ...]:
    rooms: dict[str, Room] = {}
    for path, value in request.items("rooms", most=MAX_RESOURCES):
        room = ObjectReader(value, path, {"id", "busy"})
        name = _read_id(room, rooms)
        rooms[name] = Room(name, clock.busy(room, "busy"))
    return tuple(rooms.values())


def _read_id(owner: ObjectReader, known: dict[str, Practitioner] | dict[str, Room]) -> str:
    name = cast(str, owner.text("id"))
    if not name or name in known:
        raise WireError(owner.at("id"), "Give each an id of its own.")
    return name


def _read_preferences(request: ObjectReader) -> Preferences:
    prefer = request.object("prefer", {"weekdays", "from", "to", "practitioner"}, {})
    from_minute, to_minute = (
        None if prefer.values.get(name) is None else _read_time(prefer.values[name], prefer.at(name))
        for name in ("from", "to")
    )
    if from_minute is not None and to_minute is not None and from_minute > to_minute:
        raise WireError(prefer.at("to"), "Give a time not before from.")
    return Preferences(
        weekdays=frozenset(read_integer(value, path, 1, 7) for path, value in prefer.items("weekdays")),
        from_minute=from_minute,
        to_minute=to_minute,
        practitioner=prefer.text("practitioner", None, nullable=True),
    )


def _refuse_impossible_bookings(parts: AssessRequest, clock: _Clock) -> None:
    """Refuse a start that is not on the session's date and an end that is not after its start."""
    for index, session in enumerate(parts.sessions):
        path = f"course.sessions[{index}]"
        start = None if session.start is None else clock.instant(session.start, f"{path}.start")
        end = None if session.end is None else clock.instant(session.end, f"{path}.end")
        if start is not None and start.astimezone(clock.zone).date() != session.on:
            raise WireError(f"{path}.start", f"Give a time on {session.on}, the date of the session.")
        if start is not None and end is not None and end <= start:
            raise WireError(f"{path}.end", "Give a time after start.")


def write_plan(planned: Plan) -> dict[str, object]:
    """Return a plan as JSON objects; times are ISO 8601 with the clinic's offset, of kept sessions as given."""
    cost = planned.cost
    return {
        "sessions": [_write_session(session) for session in planned.sessions],
        "cost": {
            "unplaced": cost.unplaced,
            "days_outside": cost.days_outside,
            "preferences_missed": cost.preferences_missed,
            "gap_distance": cost.gap_distance,
            "last_on": None if cost.last_on is None else str(cost.last_on),
        },
        "notes": [note.says for note in planned.notes],
    }


def _write_session(session: PlannedSession) -> dict[str, object]:
    return {
        "phase": session.phase,
        "session": session.session,
        "start": _write_time(session.start) if session.kept is None else session.kept.start,
        "end": _write_time(session.end) if session.kept is None else session.kept.end,
        "practitioner": session.practitioner,
        "room": session.room,
        "pinned": session.pinned,
        "days_outside": session.days_outside,
        "preferences_missed": session.preferences_missed,
        "why": [reason.says for reason in session.why],
    }


def _write_time(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()
