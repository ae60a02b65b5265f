"""Filling in what reports count, for the courses of a version that did not keep it."""

from datetime import datetime
from typing import Final

from django.db import transaction

from courses.models import Course, CourseStatus
from courses.services import fill_verdicts
from reminders.services.reminded import fill_reminded

_BATCH: Final = 200


def fill_courses(*, now: datetime) -> int:
    """Fill every course that has no verdicts yet, each in a transaction of its own; return how many.

    One that is being changed at the moment waits for that; the change itself may have filled it.
    Cost: some fifteen queries a course.
    """
    total = last = 0
    while ids := list(_unfilled(last)):
        total += sum(_fill(pk, now=now) for pk in ids)
        last = ids[-1]
    return total


def _unfilled(after: int) -> list[int]:
    courses = Course.objects.filter(verdict_digest="", pk__gt=after).exclude(status=CourseStatus.DRAFT)
    return list(courses.order_by("pk").values_list("pk", flat=True)[:_BATCH])


def _fill(pk: int, *, now: datetime) -> bool:
    with transaction.atomic():
        course = (
            Course.objects.select_for_update(of=("self",))
            .select_related("clinic", "client", "protocol")
            .filter(pk=pk, verdict_digest="")
            .first()
        )
        if course is None:
            return False
        fill_verdicts(course, now=now)
        fill_reminded(course)
    return True
