"""Courses in words: where each stands, how far it is, and its next window."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from courses.models import Course, CourseStatus, DriftState
from staff.presenters.badges import Badge
from staff.presenters.phases import amount_words, phase_kind_words
from staff.templatetags.interface import day

_STATE_LOOK: Final = {
    DriftState.NOT_STARTED: ("quiet", "hourglass"),
    DriftState.RESTING: ("good", "circle-check"),
    DriftState.DUE: ("accent", "calendar-due"),
    DriftState.LATE: ("warning", "clock"),
    DriftState.OVERDUE: ("serious", "alert-triangle"),
    DriftState.LAPSED: ("serious", "alert-triangle"),
    DriftState.PAUSED: ("quiet", "player-pause"),
    DriftState.FINISHED: ("good", "checks"),
}


def course_badge(course: Course) -> Badge:
    """Return where a course stands: its drift while it runs, else how it ended."""
    if course.status in (CourseStatus.ACTIVE, CourseStatus.PAUSED) and course.state:
        tone, icon = _STATE_LOOK[DriftState(course.state)]
        return Badge(capfirst(course.get_state_display()), tone, icon)
    tone, icon = {
        CourseStatus.COMPLETED: ("good", "checks"),
        CourseStatus.DISCONTINUED: ("quiet", "player-stop"),
    }.get(CourseStatus(course.status), ("quiet", "hourglass"))
    return Badge(capfirst(course.get_status_display()), tone, icon, course.end_reason)


def course_url(course: Course) -> str:
    return reverse("staff:course-detail", args=[course.code])


def protocol_name(course: Course) -> str:
    return course.protocol.name_in(get_language() or "en")


def window_words(course: Course, *, today: date) -> tuple[str, ...]:
    """Return the days of the next session's window: its first and last, one when they are the same, or none."""
    if course.due_from_on is None or course.due_by_on is None:
        return ()
    days = dict.fromkeys((course.due_from_on, course.due_by_on))
    return tuple(day(on, today) for on in days)


def course_progress(course: Course, phases: Sequence[dict[str, Any]]) -> str:
    """Return how much of a course's present phase is done, for example "6 of 10–15" or "3 sessions"."""
    done = course.attended_count
    if course.session_number is not None and course.phase_position is not None:
        done = course.session_number - 1
        if words := amount_words(phases[course.phase_position]):
            return _("%(number)s of %(amount)s") % {"number": done, "amount": words}
    return ngettext("%(number)s session", "%(number)s sessions", done) % {"number": done}


def course_phase(course: Course, phases: Sequence[dict[str, Any]]) -> str:
    """Return the kind of the present phase, where the progress names no amount to know it by."""
    if course.session_number is None or course.phase_position is None:
        return ""
    phase = phases[course.phase_position]
    return "" if amount_words(phase) else phase_kind_words(phase["kind"])
