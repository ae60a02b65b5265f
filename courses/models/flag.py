"""Open drifts and their history, and the calls made because of them."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clinics.models import Clinic, ClinicScopedQuerySet, StaffMember
from courses.models.course import Course


class FlagKind(models.TextChoices):
    OVERDUE = "overdue", _("overdue")
    LAPSED = "lapsed", _("lapsed")
    INTERRUPTED = "interrupted", _("interrupted")
    UNBOOKED = "unbooked", _("unbooked")
    BOOKED_LATE = "booked_late", _("booked late")
    MISBOOKED = "misbooked", _("misbooked")
    TOO_FREQUENT = "too_frequent", _("too frequent")
    BEHIND = "behind", _("behind")
    MISSED_STREAK = "missed_streak", _("missed streak")
    DECISION_DUE = "decision_due", _("decision due")
    UNRECORDED = "unrecorded", _("unrecorded")
    CONTRAINDICATED = "contraindicated", _("contraindicated")
    OFF_PROTOCOL = "off_protocol", _("off protocol")


class Severity(models.TextChoices):
    NOTICE = "notice", _("notice")
    WARNING = "warning", _("warning")
    SERIOUS = "serious", _("serious")


class Cause(models.TextChoices):
    CLIENT = "client", _("client")
    CLINIC = "clinic", _("clinic")
    BOTH = "both", _("both")
    SCHEDULING = "scheduling", _("scheduling")


class ResolvedReason(models.TextChoices):
    ATTENDED = "attended", _("attended")
    RECORDED = "recorded", _("outcome recorded")
    REBOOKED = "rebooked", _("rebooked")
    CANCELLED = "cancelled", _("booking cancelled")
    PAUSED = "paused", _("paused")
    RESUMED = "resumed", _("pause ended")
    RESTARTED = "restarted", _("restarted")
    DECIDED = "decided", _("decided")
    CORRECTED = "corrected", _("corrected")
    CHANGED = "changed", _("prescription changed")
    CALENDAR = "calendar", _("clinic calendar changed")
    TIME = "time", _("time passed")
    COMPLETED = "completed", _("completed")
    DISCONTINUED = "discontinued", _("discontinued")


class Flag(models.Model):
    """One open finding of one kind on one course, from its opening to its resolution."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="flags")
    course = models.ForeignKey(Course, models.PROTECT, related_name="flags")
    kind = models.CharField(max_length=16, choices=FlagKind)
    severity = models.CharField(max_length=8, choices=Severity)
    # 3 serious, 2 warning, 1 notice: the worklist's first order.
    severity_rank = models.PositiveSmallIntegerField()
    days = models.PositiveIntegerField(null=True, blank=True)
    count = models.PositiveIntegerField(null=True, blank=True)
    cause = models.CharField(max_length=10, choices=Cause, blank=True)
    # The first day it holds, where the rules fix it; else its own opening date.
    since_on = models.DateField()
    evidence = models.JSONField(default=dict, blank=True)
    opened_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(StaffMember, models.PROTECT, null=True, blank=True, related_name="+")
    acknowledged_note = models.CharField(max_length=400, blank=True)
    snoozed_until_on = models.DateField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_reason = models.CharField(max_length=12, choices=ResolvedReason, blank=True)

    objects = ClinicScopedQuerySet["Flag"].as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["course", "kind"],
                condition=Q(resolved_at__isnull=True),
                name="flag_one_open_per_kind",
            ),
            models.CheckConstraint(condition=Q(kind__in=FlagKind.values), name="flag_kind_known"),
            models.CheckConstraint(condition=Q(severity__in=Severity.values), name="flag_severity_known"),
            models.CheckConstraint(condition=Q(cause__in=["", *Cause.values]), name="flag_cause_known"),
            models.CheckConstraint(
                condition=Q(days__isnull=False, count__isnull=True)
                | Q(days__isnull=True, count__isnull=False),
                name="flag_days_or_count",
            ),
            models.CheckConstraint(
                condition=Q(resolved_at__isnull=True, resolved_reason="")
                | (Q(resolved_at__isnull=False) & ~Q(resolved_reason="")),
                name="flag_resolved_with_reason",
            ),
            models.CheckConstraint(
                condition=Q(acknowledged_at__isnull=True, acknowledged_by__isnull=True)
                | Q(acknowledged_at__isnull=False, acknowledged_by__isnull=False),
                name="flag_acknowledged_by_somebody",
            ),
        ]
        indexes: ClassVar = [
            # Needs attention: the open flags of a clinic, serious and old first.
            models.Index(
                fields=["clinic", "-severity_rank", "since_on"],
                condition=Q(resolved_at__isnull=True),
                name="flag_open_by_clinic",
            ),
            # What began in a period, for reports.
            models.Index(fields=["clinic", "opened_at"], name="flag_by_opening"),
            # A course's flags, for its page and for every assessment.
            models.Index(fields=["course", "resolved_at"], name="flag_by_course"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} on course {self.course_id}"

    @property
    def stamp(self) -> str:
        """Return what changes when somebody takes care of it or when it grows more severe."""
        seen_at = int(self.acknowledged_at.timestamp()) if self.acknowledged_at else 0
        until = self.snoozed_until_on.toordinal() if self.snoozed_until_on else 0
        return f"{self.severity_rank}-{seen_at}-{until}"


class CallOutcome(models.TextChoices):
    REACHED = "reached", _("reached")
    AGREED = "agreed", _("agreed to a date")
    CALL_LATER = "call_later", _("call later")
    NOT_REACHED = "not_reached", _("not reached")
    DECLINED = "declined", _("declined")


class FlagCall(models.Model):
    """One attempt to reach the client about a flag."""

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="flag_calls")
    flag = models.ForeignKey(Flag, models.PROTECT, related_name="calls")
    outcome = models.CharField(max_length=12, choices=CallOutcome)
    note = models.CharField(max_length=400, blank=True)
    next_on = models.DateField(null=True, blank=True)
    by = models.ForeignKey(StaffMember, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    objects = ClinicScopedQuerySet["FlagCall"].as_manager()

    class Meta:
        ordering = ("created_at", "pk")

    def __str__(self) -> str:
        return f"call about flag {self.flag_id}"
