"""The list of courses: its lines and the heads of its columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from courses.core.ribbon import RibbonFacts
from courses.models import Course, Flag, FlagKind, TreatmentSession
from staff.presenters.badges import Badge
from staff.presenters.courses import (
    course_badge,
    course_phase,
    course_progress,
    protocol_name,
    window_words,
)
from staff.presenters.flags import flag_chip


@dataclass(frozen=True, slots=True)
class CourseLine:
    """One course as a line of the list."""

    course: Course
    badge: Badge
    protocol: str
    progress: str
    phase: str
    window: tuple[str, ...]
    chips: tuple[Badge, ...]
    ribbon: RibbonFacts
    booking: TreatmentSession | None


def course_line(
    course: Course,
    *,
    phases: Sequence[dict[str, Any]],
    flags: Sequence[Flag],
    ribbon: RibbonFacts,
    booking: TreatmentSession | None,
    today: date,
) -> CourseLine:
    # The state's badge says these already.
    said = {FlagKind.OVERDUE, FlagKind.LAPSED}
    return CourseLine(
        course=course,
        badge=course_badge(course),
        protocol=protocol_name(course),
        progress=course_progress(course, phases),
        phase=course_phase(course, phases),
        window=window_words(course, today=today),
        chips=tuple(flag_chip(flag) for flag in flags if flag.kind not in said),
        ribbon=ribbon,
        booking=booking,
    )


@dataclass(frozen=True, slots=True)
class SortColumn:
    """The head of a column that sorts: what its link asks for, and how it is sorted now."""

    name: str
    label: str
    order: str
    sorted: str


def sort_columns(order: str) -> dict[str, SortColumn]:
    """Return the sortable columns of the course list by name; the link of the present one turns it round."""
    labels = {
        "client": _("Client"),
        "attended": _("Progress"),
        "due": _("Next window"),
        "started": _("Started"),
    }
    return {
        name: SortColumn(
            name=name,
            label=label,
            order=f"-{name}" if order == name else name,
            sorted={name: "ascending", f"-{name}": "descending"}.get(order, ""),
        )
        for name, label in labels.items()
    }
