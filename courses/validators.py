"""Checks shared by forms, serializers and services."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.utils.translation import gettext as _

from courses.core.types import PhaseSpec
from courses.core.wire import MAX_PHASES, WireError, read_phase
from courses.errors import CourseError

LONGEST_MINUTES: Final = 600
LONGEST_PHASE_DAYS: Final = 3_660


def read_phases(rows: Sequence[Mapping[str, Any]]) -> tuple[PhaseSpec, ...]:
    """Return phases from plain values, in the shape of the JSON operations.

    Raises: CourseError `bad_prescription` with every wrong field by its path, such as
    `phases[0].cadence.period_min`.
    """
    if not rows:
        message = _("A course needs at least one phase.")
        raise CourseError(message, code="bad_prescription", fields={"phases": message})
    if len(rows) > MAX_PHASES:
        message = _("A course has at most %(most)s phases.") % {"most": MAX_PHASES}
        raise CourseError(message, code="bad_prescription", fields={"phases": message})
    phases: list[PhaseSpec] = []
    wrong: dict[str, str] = {}
    for index, row in enumerate(rows):
        try:
            phases.append(read_phase(dict(row), f"phases[{index}]"))
        except WireError as error:
            wrong[error.field] = error.message
    if wrong:
        raise CourseError(
            _("This prescription cannot be kept as it stands."), code="bad_prescription", fields=wrong
        )
    return tuple(phases)


def check_phases(phases: Sequence[PhaseSpec]) -> None:
    """Refuse phases that no calendar could keep.

    Raises: CourseError `bad_prescription`, as read_phases().
    """
    read_phases([phase_values(phase) for phase in phases])
    wrong: dict[str, str] = {}
    for index, phase in enumerate(phases):
        if (phase.duration_days or 0) > LONGEST_PHASE_DAYS:
            wrong[f"phases[{index}].duration_days"] = _("A phase lasts at most ten years.")
        if (phase.minutes_min is None) != (phase.minutes_max is None):
            missing = "minutes_min" if phase.minutes_min is None else "minutes_max"
            wrong[f"phases[{index}].{missing}"] = _("Give the shortest and the longest length together.")
        if (phase.minutes_max or 0) > LONGEST_MINUTES:
            wrong[f"phases[{index}].minutes_max"] = _("A session lasts from 1 to 600 minutes.")
    if wrong:
        raise CourseError(
            _("This prescription cannot be kept as it stands."), code="bad_prescription", fields=wrong
        )


def check_minutes(steps: Sequence[Sequence[int]], *, phase_count: int) -> None:
    """Refuse lengths by session number that are no lengths, or not for these phases.

    Raises: CourseError naming `minutes_by_session` or one phase of it.
    """
    if steps and len(steps) != phase_count:
        message = _("Give the lengths for each phase, or for none.")
        raise CourseError(message, code="minutes_unmatched", fields={"minutes_by_session": message})
    for index, phase in enumerate(steps):
        if not all(1 <= minutes <= LONGEST_MINUTES for minutes in phase):
            message = _("A session lasts from 1 to 600 minutes.")
            field = f"minutes_by_session[{index}]"
            raise CourseError(message, code="minutes_out_of_range", fields={field: message})


def phase_values(phase: PhaseSpec) -> dict[str, Any]:
    """Return a phase in the shape of the JSON operations."""
    cadence = phase.cadence
    return {
        "kind": phase.kind,
        "cadence": {
            "frequency": cadence.frequency,
            "period_min": cadence.period_min,
            "period_max": cadence.period_max,
            "rest_days": cadence.rest_days,
            "flex_days": cadence.flex_days,
        },
        "sessions_min": phase.sessions_min,
        "sessions_max": phase.sessions_max,
        "target": phase.target,
        "duration_days": phase.duration_days,
        "grace_days": phase.grace_days,
        "lapse_days": phase.lapse_days,
        "minutes_min": phase.minutes_min,
        "minutes_max": phase.minutes_max,
    }
