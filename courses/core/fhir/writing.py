"""What of a FHIR resource says how a phase and a course are prescribed.

The rest of the resources (whom, by whom, its state) needs rows and is added by whoever has them.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from courses.core.fhir import names
from courses.core.types import PhaseSpec, Prescription


def timing(phase: PhaseSpec) -> dict[str, Any]:
    """Return a phase's cadence, amount and session length as a Timing; ranges where they are ranges."""
    cadence = phase.cadence
    repeat: dict[str, Any] = {}
    if phase.duration_days is not None:
        repeat["boundsDuration"] = days(phase.duration_days)
    repeat |= _range("count", phase.sessions_min, phase.sessions_max)
    if phase.minutes_min is not None:
        repeat |= _range("duration", phase.minutes_min, phase.minutes_max)
        repeat["durationUnit"] = "min"
    repeat["frequency"] = cadence.frequency
    repeat |= _range("period", cadence.period_min, cadence.period_max)
    repeat["periodUnit"] = "d"
    return {
        "extension": [
            {"url": names.REST_DAYS, "valuePositiveInt": cadence.rest_days},
            {"url": names.FLEX_DAYS, "valueUnsignedInt": cadence.flex_days},
        ],
        "repeat": repeat,
    }


def request_parts(
    phase: PhaseSpec, *, minutes_by_session: Sequence[int] = (), ended_on: date | None = None
) -> dict[str, Any]:
    """Return the elements of a ServiceRequest that say how a phase is prescribed."""
    extensions: list[dict[str, Any]] = [
        {"url": names.GRACE_DAYS, "valueUnsignedInt": phase.grace_days},
        {"url": names.LAPSE_DAYS, "valueUnsignedInt": phase.lapse_days},
    ]
    if phase.target is not None:
        extensions.append({"url": names.TARGET, "valuePositiveInt": phase.target})
    extensions += [
        {"url": names.MINUTES_BY_SESSION, "valuePositiveInt": minutes} for minutes in minutes_by_session
    ]
    if ended_on is not None:
        extensions.append({"url": names.ENDED_ON, "valueDate": ended_on.isoformat()})
    return {
        "extension": extensions,
        "category": [{"coding": [{"system": names.PHASE_KIND, "code": phase.kind}]}],
        "occurrenceTiming": timing(phase),
    }


def plan_parts(prescription: Prescription, *, ended_on: date | None = None) -> dict[str, Any]:
    """Return the elements of a CarePlan that say when a course starts anew and ends."""
    period = {"start": prescription.start_on.isoformat()}
    if ended_on is not None:
        period["end"] = ended_on.isoformat()
    parts: dict[str, Any] = {"period": period}
    if prescription.restarts:
        parts["extension"] = [
            {"url": names.RESTART_ON, "valueDate": day.isoformat()} for day in prescription.restarts
        ]
    return parts


def days(count: int) -> dict[str, Any]:
    """Return so many days as a Duration."""
    return {"value": count, "unit": "d", "system": names.UCUM, "code": "d"}


def _range(name: str, least: int | None, most: int | None) -> dict[str, Any]:
    if least is None:
        return {}
    return {name: least} if least == most else {name: least, f"{name}Max": most}
