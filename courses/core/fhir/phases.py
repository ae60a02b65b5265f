"""One ServiceRequest or Timing as a phase: what can be kept, what is refused."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from courses.core.fhir import names
from courses.core.fhir.elements import Element
from courses.core.types import Cadence, PhaseSpec
from courses.core.wire import MAX_DURATION_DAYS, MAX_PERIOD_DAYS, MAX_PHASE_DAYS, MAX_SESSIONS

_MAX_MINUTES: Final = 24 * 60
_MAX_STEPS: Final = 400
_PERIOD: Final = frozenset({"id", "extension", "start", "end"})
_DURATION: Final = frozenset({"id", "extension", "value", "unit", "system", "code"})
_TIMING: Final = frozenset({"id", "extension", "modifierExtension", "repeat", "code"})
_REPEAT: Final = frozenset(
    {
        "id", "extension", "boundsDuration", "boundsRange", "boundsPeriod", "count", "countMax", "duration",
        "durationMax", "durationUnit", "frequency", "frequencyMax", "period", "periodMax", "periodUnit",
    }
)  # fmt: skip
# Codes that say a whole cadence: every day, every other day, every week.
_CODES: Final = {"QD": (1, 1, 1), "QOD": (1, 2, 2), "WK": (1, 7, 7)}
# What says when within a day or a week, or as often as one likes.
_NO_CADENCE: Final = ("dayOfWeek", "timeOfDay", "when", "offset")
# Elements of a request that would make it another one.
_OTHER_TIMES: Final = ("occurrenceDateTime", "occurrencePeriod")
_AS_NEEDED: Final = ("asNeededCodeableConcept", "asNeededFor")
_QUANTITIES: Final = ("quantityQuantity", "quantityRange", "quantityRatio")


@dataclass(frozen=True, slots=True)
class ReadPhase:
    """A phase as read; its kind is given by whoever knows its place, where the file does not say."""

    spec: PhaseSpec
    kind: str = ""
    minutes_by_session: tuple[int, ...] = ()
    start_on: date | None = None
    start_path: str = ""
    ended_on: date | None = None


def read_request(request: Element) -> ReadPhase | None:
    """Return the phase that a ServiceRequest prescribes, None where something was refused."""
    _refuse_what_is_none(request)
    timing = request.child("occurrenceTiming")
    if timing is None:
        if not any(request.has(name) for name in _OTHER_TIMES):
            request.reading.refuse(request.at("occurrenceTiming"), "no_timing")
        return None
    timing.refuse_modifiers()
    return read_timing(timing, request)


def _refuse_what_is_none(request: Element) -> None:
    reading = request.reading
    if request.values.get("doNotPerform"):
        reading.refuse(request.at("doNotPerform"), "forbids")
    status = request.values.get("status")
    if status == "entered-in-error":
        reading.refuse(request.at("status"), "in_error")
    if request.values.get("asNeededBoolean"):
        reading.refuse(request.at("asNeededBoolean"), "as_needed")
    for name in (*_AS_NEEDED, *_OTHER_TIMES, *_QUANTITIES):
        if request.has(name):
            code = "as_needed" if name in _AS_NEEDED else "single" if name in _OTHER_TIMES else "quantity"
            reading.refuse(request.at(name), code)


def read_timing(timing: Element, request: Element | None = None) -> ReadPhase | None:
    """Return the phase that a Timing prescribes, with what its ServiceRequest adds; None where something was refused."""
    already = len(timing.reading.refusals)
    timing.refuse_others(_TIMING, "timing_unknown")
    repeat = timing.child("repeat") or Element(timing.reading, {}, timing.at("repeat"))
    for name in _NO_CADENCE:
        if repeat.has(name):
            timing.reading.refuse(repeat.at(name), "no_interval")
    repeat.refuse_others(_REPEAT | set(_NO_CADENCE), "timing_unknown")
    cadence = _read_cadence(timing, repeat)
    least, most = _read_range(repeat, "count", MAX_SESSIONS)
    duration_days, start_on, start_path = _read_bounds(repeat)
    minutes = _read_minutes(repeat)
    steps = _read_steps(request)
    if most is None and duration_days is None and len(timing.reading.refusals) == already:
        timing.reading.refuse(repeat.at("count"), "no_amount")
    grace, lapse = _read_leniency(request, cadence)
    target = _read_target(request, least, most)
    if most is not None and cadence and most * cadence.most_days > MAX_PHASE_DAYS:
        timing.reading.refuse(repeat.at("count"), "too_long", most=MAX_PHASE_DAYS)
    ended = request.extension_days(names.ENDED_ON, most=1) if request else []
    if cadence is None or len(timing.reading.refusals) > already:
        return None
    return ReadPhase(
        PhaseSpec(
            "intensive", cadence, least, most, target, duration_days, grace, lapse, minutes[0], minutes[1]
        ),
        kind=_read_kind(request),
        minutes_by_session=steps,
        start_on=start_on,
        start_path=start_path,
        ended_on=ended[0] if ended else None,
    )


# ---------------------------------------------------------------- the cadence


def _read_cadence(timing: Element, repeat: Element) -> Cadence | None:
    reading = timing.reading
    frequency, period_min, period_max = _read_rhythm(timing, repeat)
    if frequency is None or period_min is None or period_max is None:
        return None
    if period_min > period_max:
        reading.refuse(repeat.at("periodMax"), "max_below", other="period")
        return None
    if frequency > period_max:
        reading.refuse(repeat.at("frequency"), "more_than_daily")
        return None
    rest = timing.extension_whole(names.REST_DAYS, "valuePositiveInt", least=1, most=MAX_PERIOD_DAYS)
    flex = timing.extension_whole(names.FLEX_DAYS, "valueUnsignedInt", least=0, most=period_min - 1)
    return Cadence.of(frequency, period_min, period_max, rest, flex)


def _read_rhythm(timing: Element, repeat: Element) -> tuple[int | None, int | None, int | None]:
    """Return the frequency and the shortest and longest period in days, None for what was refused or not said."""
    if not repeat.has("period"):
        code = _read_code(timing)
        if code is None:
            timing.reading.refuse(repeat.at("period"), "no_period")
            return None, None, None
        return code
    frequency = repeat.whole("frequency", least=1, most=MAX_PERIOD_DAYS)
    if not repeat.has("frequency"):
        frequency = 1  # as FHIR says
    if repeat.has("frequencyMax"):
        most = repeat.whole("frequencyMax", least=1, most=MAX_PERIOD_DAYS)
        if frequency is not None and most is not None and most != frequency:
            timing.reading.refuse(repeat.at("frequencyMax"), "frequency_range")
            frequency = None
    unit, unit_path = repeat.text("periodUnit"), repeat.at("periodUnit")
    period_min = repeat.days("period", unit, unit_path, most=MAX_PERIOD_DAYS)
    if not repeat.has("periodMax") or period_min is None:
        return frequency, period_min, period_min
    return frequency, period_min, repeat.days("periodMax", unit, unit_path, most=MAX_PERIOD_DAYS)


def _read_code(timing: Element) -> tuple[int, int, int] | None:
    """Return the cadence of a timing that is only named by a code."""
    code = timing.child("code")
    for coding in code.items("coding", most=20) if code is not None else ():
        found = _CODES.get(str(coding.values.get("code")))
        if found is not None:
            return found
    return None


# ---------------------------------------------------------------- the amount


def _read_range(element: Element, name: str, most: int) -> tuple[int | None, int | None]:
    least_read = element.whole(name, least=1, most=most)
    most_read = element.whole(f"{name}Max", least=1, most=most)
    if least_read is None and most_read is not None and not element.has(name):
        element.reading.refuse(element.at(f"{name}Max"), "max_alone", other=name)
        return None, None
    if least_read is not None and most_read is not None and least_read > most_read:
        element.reading.refuse(element.at(f"{name}Max"), "max_below", other=name)
        return None, None
    return least_read, most_read if most_read is not None else least_read


def _read_bounds(repeat: Element) -> tuple[int | None, date | None, str]:
    """Return for how many days, from which day, and where that day stands."""
    if repeat.has("boundsRange"):
        repeat.reading.refuse(repeat.at("boundsRange"), "bounds_range")
    duration = repeat.child("boundsDuration")
    if duration is not None:
        duration.refuse_others(_DURATION, "timing_unknown")
        unit = duration.text("code") or duration.text("unit")
        place = duration.at("code" if duration.has("code") else "unit")
        return duration.days("value", unit, place, most=MAX_DURATION_DAYS), None, ""
    period = repeat.child("boundsPeriod")
    if period is None:
        return None, None, ""
    period.refuse_others(_PERIOD, "timing_unknown")
    start_on, end_on = period.day("start"), period.day("end")
    if end_on is None:
        return None, start_on, period.at("start")
    if start_on is None:
        if not period.has("start"):
            period.reading.refuse(period.at("start"), "end_alone")
        return None, None, ""
    if end_on < start_on:
        period.reading.refuse(period.at("end"), "end_before_start")
        return None, None, ""
    days = (end_on - start_on).days + 1
    if days > MAX_DURATION_DAYS:
        period.reading.refuse(period.at("end"), "not_so_many_days", most=MAX_DURATION_DAYS)
    return days, start_on, period.at("start")


def _read_minutes(repeat: Element) -> tuple[int | None, int | None]:
    if not repeat.has("duration") and not repeat.has("durationMax"):
        return None, None
    if repeat.values.get("durationUnit") != "min":
        repeat.reading.refuse(repeat.at("durationUnit"), "not_minutes")
        return None, None
    return _read_range(repeat, "duration", _MAX_MINUTES)


# ---------------------------------------------------------------- what only our extensions say


def _read_steps(request: Element | None) -> tuple[int, ...]:
    if request is None:
        return ()
    steps = request.extension_numbers(
        names.MINUTES_BY_SESSION, "valuePositiveInt", least=1, most=_MAX_MINUTES
    )
    return tuple(steps[:_MAX_STEPS])


def _read_leniency(request: Element | None, cadence: Cadence | None) -> tuple[int, int]:
    """Return the days that a phase forgives before it is overdue and before it has lapsed."""
    usual_grace, usual_lapse = cadence.usual_leniency if cadence else (0, 0)
    if request is None:
        return usual_grace, usual_lapse
    grace = request.extension_whole(names.GRACE_DAYS, "valueUnsignedInt", least=0, most=MAX_PERIOD_DAYS)
    lapse = request.extension_whole(names.LAPSE_DAYS, "valueUnsignedInt", least=0, most=MAX_PERIOD_DAYS)
    grace = usual_grace if grace is None else grace
    if lapse is None:
        return grace, max(usual_lapse, grace)
    if grace > lapse:
        place = request.extensions(names.GRACE_DAYS)
        request.reading.refuse(place[0].path if place else request.path, "grace_above_lapse", lapse=lapse)
    return grace, lapse


def _read_target(request: Element | None, least: int | None, most: int | None) -> int | None:
    if request is None or not request.extensions(names.TARGET):
        return None
    target = request.extension_whole(names.TARGET, "valuePositiveInt", least=1, most=MAX_SESSIONS)
    if target is not None and (least is None or most is None or not least <= target <= most):
        request.reading.refuse(request.extensions(names.TARGET)[0].path, "target_outside")
    return target


def _read_kind(request: Element | None) -> str:
    for category in request.items("category", most=20) if request else ():
        for coding in category.items("coding", most=20):
            if coding.values.get("system") == names.PHASE_KIND:
                return str(coding.values.get("code"))
    return ""
