"""Bringing a whole clinic's messages in line after a change of its rules or channels, a few courses at a time."""

import logging
from datetime import datetime
from typing import Final

from django.db import DatabaseError, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from clinics.models import Clinic
from courses.models import Course, CourseStatus
from reminders.models import LIVE_STATES, Reminder, ResyncRequest
from reminders.services.syncing import sync_course_reminders

logger = logging.getLogger(__name__)

# So many courses a tick: a few seconds of work, whatever the size of the clinic.
COURSES_A_TICK: Final = 200


def request_resync(*, clinic: Clinic, now: datetime) -> None:
    """Ask that every course of a clinic is looked at anew; asking again begins anew.

    Runs in the caller's transaction.
    Cost: two queries.
    """
    ResyncRequest.objects.update_or_create(clinic=clinic, defaults={"asked_at": now, "after_course": 0})


def work_resyncs(*, now: datetime, limit: int = COURSES_A_TICK) -> int:
    """Bring up to `limit` courses of clinics that asked for it up to date, and return how many.

    Courses whose messages wait under an older timing come first, those due soonest before all others; each
    course is a transaction of its own. Safe to run twice and at once.
    Cost: one query when nobody asked.
    """
    done = 0
    for request in list(ResyncRequest.objects.order_by("asked_at", "pk")[:limit]):
        done += _work(request, now, limit - done)
        if done >= limit:
            break
    return done


def _work(request: ResyncRequest, now: datetime, limit: int) -> int:
    waiting = Reminder.objects.filter(
        clinic=request.clinic_id,
        state__in=LIVE_STATES,
        on_wire_at=None,
        course__isnull=False,
        rule_version__lt=F("rule__timing_version"),
    )
    # The same course may come several times; a dictionary keeps the first place of each.
    urgent = dict.fromkeys(waiting.order_by("send_at").values_list("course_id", flat=True)[: limit * 4])
    first = list(urgent)[:limit]
    rest = list(_courses(request).values_list("pk", flat=True)[: max(0, limit - len(first))])
    courses = dict.fromkeys(first + rest)
    for pk in courses:
        _sync(pk, now)
    mine = ResyncRequest.objects.filter(
        pk=request.pk, asked_at=request.asked_at, after_course=request.after_course
    )
    if rest:
        mine.update(after_course=rest[-1])
    elif len(first) < limit:
        mine.delete()
    return len(courses)


def _courses(request: ResyncRequest) -> QuerySet[Course]:
    live = Reminder.objects.filter(course=OuterRef("pk"), state__in=LIVE_STATES)
    running = Q(status__in=(CourseStatus.ACTIVE, CourseStatus.PAUSED))
    return (
        Course.objects.filter(clinic=request.clinic_id, pk__gt=request.after_course)
        .filter(running | Q(Exists(live)))
        .order_by("pk")
    )


def _sync(course_id: int, now: datetime) -> None:
    try:
        with transaction.atomic():
            sync_course_reminders(course_id=course_id, now=now)
    except DatabaseError:
        raise
    except Exception:
        # One course that cannot be worked out must not hold up those behind it.
        logger.exception("The messages of course %s could not be brought up to date.", course_id)
