"""Rolling plans forward: what the booking horizon has reached is booked."""

import logging
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.db.models import Min, Q

from audit.services import SYSTEM
from clinics.models import Clinic
from courses.errors import CourseError
from courses.models import Course, CourseStatus, PlanPolicy, SessionStatus, TreatmentSession
from courses.services.applying import apply_plan
from courses.services.proposing import propose_plan

logger = logging.getLogger(__name__)

# Courses in these states are not booked further by themselves.
_LEFT_TO_PEOPLE: Final = ("overdue", "lapsed")
_RUNNING: Final = (CourseStatus.ACTIVE, CourseStatus.PAUSED)
# Refusals because of somebody else at the same moment: the next try finds another world.
_PASSING: Final = ("busy", "day_taken", "slot_taken", "stale_plan")


def roll_forward_due(*, now: datetime, limit: int = 200) -> int:
    """Book what the booking horizon has reached of the sessions that are planned by date; return the courses.

    Each course has a transaction of its own. One that cannot be planned loses the dates reached, so that it never
    blocks those behind it: the findings then say that nothing is booked. A client who stays away is booked no
    further: how to go on is for people to decide.
    Cost: one query to find them, then those of propose_plan() and apply_plan() for each.
    """
    # Not distinct() with an order by date, which would make a row of each date.
    reached = TreatmentSession.objects.filter(_reached_by(now), course__status__in=_RUNNING).exclude(
        course__state__in=_LEFT_TO_PEOPLE
    )
    first = reached.values("course").annotate(first_on=Min("on")).order_by("first_on", "course")
    ids = list(first.values_list("course", flat=True)[:limit])
    return sum(_roll_forward(course_id, now=now) for course_id in ids)


def _reached_by(now: datetime) -> Q:
    """Return the condition for sessions planned by date up to each clinic's booking horizon."""
    # A clinic's own day decides, here as when booking: else a course would be planned again and again for hours.
    reached = Q(pk__in=[])
    for zone, horizon_days in Clinic.objects.values_list("time_zone", "booking_horizon_days").distinct():
        last_on = now.astimezone(ZoneInfo(zone)).date() + timedelta(days=horizon_days)
        reached |= Q(clinic__time_zone=zone, clinic__booking_horizon_days=horizon_days, on__lte=last_on)
    return Q(status=SessionStatus.PLANNED) & reached


def _roll_forward(course_id: int, *, now: datetime) -> int:
    course = Course.objects.select_related("clinic", "client", "protocol", "practitioner").get(pk=course_id)
    try:
        proposal = propose_plan(course=course, now=now, policy=PlanPolicy.ROLL_FORWARD)
        apply_plan(course=course, proposal=proposal, by=SYSTEM, now=now)
    except CourseError as error:
        logger.warning("Course %s was not rolled forward: %s.", course.code, error.code)
        if error.code not in _PASSING:
            TreatmentSession.objects.filter(_reached_by(now), course=course).delete()
        return 0
    except Exception:
        logger.exception("Rolling course %s forward failed.", course.code)
        TreatmentSession.objects.filter(_reached_by(now), course=course).delete()
        return 0
    return 1
