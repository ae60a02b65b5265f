"""Contraindications: recording what a client has, and a prescriber's written decision against one."""

from datetime import date, datetime

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
    fitting_text,
    lock_course,
    refuse,
    require_prescriber,
    require_reason,
    transacting,
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
    text = fitting_text(note, column=RecordedContraindication.note, field="note")
    if not ProtocolContraindication.objects.filter(clinic=client.clinic, condition=condition).exists():
        raise refuse("condition", _("Choose a condition from the list."), code="unknown_condition")
    with transacting():
        found = RecordedContraindication.objects.create(
            clinic=client.clinic,
            client=client,
            condition=condition,
            from_on=from_on,
            to_on=to_on,
            note=text,
            created_at=now,
        )
        _record(client, "condition_recorded", by=by, now=now, from_on=from_on, to_on=to_on)
        _reassess_courses(client, "condition_recorded", by=by, now=now)
    return found


def _record(client: Client, action: str, *, by: Actor, now: datetime, **details: date | None) -> None:
    record(
        f"client.{action}",
        at=now,
        by=by,
        clinic_code=client.clinic.code,
        subject_kind="client",
        subject_code=client.code,
        # Which condition it is stays out of the audit trail: it is clinical.
        new={name: day.isoformat() if day else None for name, day in details.items()},
    )


def _reassess_courses(client: Client, action: str, *, by: Actor, now: datetime) -> None:
    running = Course.objects.filter(client=client, status__in=[CourseStatus.ACTIVE, CourseStatus.PAUSED])
    for course in running.order_by("pk"):
        finish_change(
            lock_course(course),
            action=action,
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
    with transacting():
        contraindication.to_on = to_on
        contraindication.save(update_fields=["to_on"])
        client = contraindication.client
        _record(client, "condition_ended", by=by, now=now, to_on=to_on)
        _reassess_courses(client, "condition_ended", by=by, now=now)


def override_contraindication(
    *, course: Course, condition: str, reason: str, by: Actor, now: datetime
) -> ContraindicationOverride:
    """Put on record a prescriber's decision that a condition does not stop this course.

    Raises: CourseError for anybody but a prescriber, without a reason, for an unknown condition, or one that was
    overridden before: that decision and its reason stay on record.
    """
    member = require_prescriber(by, course.clinic)
    text = require_reason(reason, column=ContraindicationOverride.reason)
    if not course.protocol.contraindications.filter(condition=condition).exists():
        raise refuse("condition", _("Choose a condition from the list."), code="unknown_condition")
    with changing(
        course, action="condition_overridden", by=by, now=now, reason=ResolvedReason.DECIDED
    ) as locked:
        if ContraindicationOverride.objects.filter(course=locked, condition=condition).exists():
            raise refuse(
                "condition", _("This condition is already overridden for the course."), code="override_twice"
            )
        override = ContraindicationOverride.objects.create(
            clinic=locked.clinic,
            course=locked,
            condition=condition,
            reason=text,
            by=member,
            created_at=now,
        )
    return override
