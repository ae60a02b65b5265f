"""Ribbons of courses from their rows; pages draw them with the tags of courses.templatetags.ribbon."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from courses.convert import CourseFacts, assess_facts, load_facts, local_today
from courses.core.ribbon import RibbonFacts, gather_ribbon
from courses.core.types import Assessment
from courses.models import Course, CourseStatus


def ribbon_of(course: Course, facts: CourseFacts, assessment: Assessment, *, now: datetime) -> RibbonFacts:
    """Return what a course's ribbon shows, from facts and assessment that are at hand; runs no queries."""
    stopped_on = None
    if course.status == CourseStatus.DISCONTINUED and course.ended_at is not None:
        stopped_on = local_today(course.clinic, course.ended_at)
    return gather_ribbon(
        facts.prescription,
        facts.sessions,
        facts.pauses,
        facts.calendar,
        assessment,
        today=local_today(course.clinic, now),
        stopped_on=stopped_on,
    )


def load_ribbons(
    courses: Sequence[Course],
    *,
    now: datetime,
    phases: Mapping[int, Sequence[dict[str, Any]]] | None = None,
) -> dict[int, RibbonFacts]:
    """Return the ribbon facts of each course by its id; the courses' clinic must be loaded.

    `phases` are by course those in force, where they are at hand.
    Cost: eleven queries, however many courses; one fewer with the phases.
    """
    loaded = load_facts(courses, phases=phases) if courses else {}
    return {
        course.pk: ribbon_of(
            course,
            loaded[course.pk],
            assess_facts(loaded[course.pk], today=local_today(course.clinic, now)),
            now=now,
        )
        for course in courses
    }
