"""Whom a free place of the calendar can be given to, and what that does to their courses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from courses.models import Course
from courses.services import DayFit
from staff.calendar_forms import BookingPlace
from staff.planning_words import span_words
from staff.presenters.courses import protocol_name
from staff.presenters.flags import finding_words
from staff.templatetags.interface import day


@dataclass(frozen=True, slots=True)
class FitWords:
    """What a day is to a course: which session it would be and when that may lie, and what speaks against it."""

    window: str
    warnings: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        return not self.warnings


@dataclass(frozen=True, slots=True)
class CourseLine:
    """A course that could be booked at the place, and where that is done."""

    name: str
    protocol: str
    url: str
    fit: FitWords
    is_good: bool


def place_words(place: BookingPlace, *, today: date) -> str:
    """Return a free place as day, time and whose it is."""
    owner = place.practitioner or place.room
    when = day(place.on, today) + (f", {place.at:%H:%M}" if place.at else "")
    return f"{when} · {owner}" if owner else when


def course_lines(
    courses: Sequence[Course], fits: Mapping[int, DayFit], place: BookingPlace, *, today: date
) -> list[CourseLine]:
    """Return the courses that could be booked, the fewest days outside their windows first."""
    ordered = sorted(courses, key=lambda course: _distance(fits[course.pk]))
    return [
        CourseLine(
            course.client.name,
            protocol_name(course),
            place.address(course.code),
            fit_words(fits[course.pk], place.on, today=today),
            fits[course.pk].is_good,
        )
        for course in ordered
    ]


def _distance(fit: DayFit) -> tuple[bool, bool, int]:
    return (not fit.is_good, fit.window is None, fit.early_days + fit.late_days)


def fit_words(fit: DayFit, on: date, *, today: date) -> FitWords:
    """Return what a booking on a day would be to a course."""
    if fit.window is None:
        window = _("Everything prescribed is booked or done.")
        extra = _("A session on %(day)s would be one more than prescribed.") % {"day": day(on, today)}
        return FitWords(window, (extra, *(finding_words(one, today=today) for one in fit.findings)))
    window = _("Allowed for session %(number)s: %(window)s.") % {
        "number": fit.window.session,
        "window": span_words(fit.window.due_from, fit.window.due_by, today=today),
    }
    warnings = []
    if fit.early_days:
        text = ngettext(
            "%(day)s is %(n)s day before the window.",
            "%(day)s is %(n)s days before the window.",
            fit.early_days,
        )
        warnings.append(text % {"day": day(on, today), "n": fit.early_days})
    if fit.late_days:
        text = ngettext(
            "%(day)s is %(n)s open day after the window.",
            "%(day)s is %(n)s open days after the window.",
            fit.late_days,
        )
        warnings.append(text % {"day": day(on, today), "n": fit.late_days})
    return FitWords(window, (*warnings, *(finding_words(one, today=today) for one in fit.findings)))
