"""Courses of a client who was registered twice, brought together under one."""

from datetime import datetime

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from audit.services import Actor
from clients.models import Client
from courses.errors import CourseError
from courses.models import (
    BOOKED_STATUSES,
    Course,
    CourseStatus,
    RecordedContraindication,
    ResolvedReason,
    TreatmentSession,
)
from courses.services.changes import finish_change, lock_course, transacting


def overlapping_bookings(one: Client, other: Client) -> list[TreatmentSession]:
    """Return the bookings of one client that meet a booking of the other, by time.

    Cost: one query.
    """
    booked = TreatmentSession.objects.filter(status__in=BOOKED_STATUSES)
    others = booked.filter(client=other, starts_at__lt=OuterRef("ends_at"), ends_at__gt=OuterRef("starts_at"))
    met = booked.filter(Exists(others), client=one)
    return list(met.select_related("clinic").order_by("starts_at", "pk"))


def move_courses(*, kept: Client, gone: Client, by: Actor, now: datetime) -> int:
    """Put the courses, sessions and conditions of one client under another; return how many courses moved.

    Conditions now speak for the courses of both, so all of them are assessed again and their messages follow.
    Raises: CourseError `bookings_overlap` when both are booked at the same time.
    """
    with transacting():
        courses = [
            lock_course(course) for course in Course.objects.filter(client__in=(kept, gone)).order_by("pk")
        ]
        if overlapping_bookings(kept, gone):
            raise CourseError(
                _("Both are booked at the same time. Move or cancel one of the two first."),
                code="bookings_overlap",
            )
        moved = sum(course.client_id == gone.pk for course in courses)
        for model in (Course, TreatmentSession, RecordedContraindication):
            model._default_manager.filter(client=gone).update(client=kept)
        for course in courses:
            if course.status != CourseStatus.DRAFT:
                finish_change(
                    lock_course(course),
                    action="client_merged",
                    by=by,
                    now=now,
                    reason=ResolvedReason.CORRECTED,
                    details={},
                )
    return moved
