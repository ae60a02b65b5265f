"""Contraindications: recording what a client has, and a prescriber's written decision against one."""

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from audit.services import Actor, record
from clients.models import Client
from courses.models import (
    ContraindicationOverride,
    Course,
    CourseStatus,
    ProtocolContraindication,
    RecordedContraindication,
    ResolvedReason,
)
from courses.services.changes import (
    changing,
    finish_change,
    lock_course,
    refuse,
    require_prescriber,
    require_reason,
)


def record_contraindication(
    *,
    client: Client,
    condition: str,
    from_on: date,
    to_on: date | None,
    by: Actor,
    now: datetime,
    note: str = "",
) -> RecordedContraindication:
    """Record a condition of a client for the days given, both included; every running course is reassessed.

    Raises: CourseError for a range upside down or a condition that no protocol of the clinic knows.
    """
    if to_on is not None and to_on < from_on:
        raise refuse("to_on", _("The condition ends before it begins."), code="range_upside_down")
    if not ProtocolContraindication.objects.filter(clinic=client.clinic, condition=condition).exists():
        raise refuse("condition", _("Choose a condition from the list."), code="unknown_condition")
    with transaction.atomic():
        found = RecordedContraindication.objects.create(
            clinic=client.clinic,
            client=client,
            condition=condition,
            from_on=from_on,
            to_on=to_on,
            note=note.strip(),
            created_at=now,
        )
        record(
            "client.condition_recorded",
            at=now,
            by=by,
            clinic_code=client.clinic.code,
            subject_kind="client",
            subject_code=client.code,
            # Which condition it is stays out of the audit trail: it is clinical.
            new={"from_on": from_on.isoformat(), "to_on": to_on.isoformat() if to_on else None},
        )
        _reassess_courses(client, by=by, now=now)
    return found


def _reassess_courses(client: Client, *, by: Actor, now: datetime) -> None:
    running = Course.objects.filter(client=client, status__in=[CourseStatus.ACTIVE, CourseStatus.PAUSED])
    for course in running.order_by("pk"):
        finish_change(
            lock_course(course),
            action="condition_recorded",
            by=by,
            now=now,
            reason=ResolvedReason.CORRECTED,
            details={},
        )


def end_contraindication(
    *, contraindication: RecordedContraindication, to_on: date, by: Actor, now: datetime
) -> None:
    """Set the last day on which a condition holds.

    Raises: CourseError when that is before its first.
    """
    if to_on < contraindication.from_on:
        raise refuse("to_on", _("The condition ends before it begins."), code="range_upside_down")
    with transaction.atomic():
        contraindication.to_on = to_on
        contraindication.save(update_fields=["to_on"])
        _reassess_courses(contraindication.client, by=by, now=now)


def override_contraindication(
    *, course: Course, condition: str, reason: str, by: Actor, now: datetime
) -> ContraindicationOverride:
    """Put on record a prescriber's decision that a condition does not stop this course.

    Raises: CourseError for anybody but a prescriber, without a reason, or for an unknown condition.
    """
    member = require_prescriber(by, course.clinic)
    text = require_reason(reason)
    if not course.protocol.contraindications.filter(condition=condition).exists():
        raise refuse("condition", _("Choose a condition from the list."), code="unknown_condition")
    with changing(
        course, action="condition_overridden", by=by, now=now, reason=ResolvedReason.DECIDED
    ) as locked:
        override, _created = ContraindicationOverride.objects.get_or_create(
            course=locked,
            condition=condition,
            defaults={"clinic": locked.clinic, "reason": text, "by": member, "created_at": now},
        )
    return override
