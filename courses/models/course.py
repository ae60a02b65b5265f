"""One client's prescription and everything a person decided about it."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from clients.models import Client
from clinics.models import Clinic, ClinicScopedQuerySet, StaffMember
from courses.models.protocol import PhaseFields, Protocol


class CourseStatus(models.TextChoices):
    DRAFT = "draft", _("draft")
    ACTIVE = "active", _("active")
    PAUSED = "paused", _("paused")
    COMPLETED = "completed", _("completed")
    DISCONTINUED = "discontinued", _("discontinued")


class DriftState(models.TextChoices):
    """Where a course stands against its prescription; empty before the first assessment."""

    NOT_STARTED = "not_started", _("not started")
    RESTING = "resting", _("resting")
    DUE = "due", pgettext_lazy("course", "due")
    LATE = "late", _("late")
    OVERDUE = "overdue", _("overdue")
    LAPSED = "lapsed", _("lapsed")
    PAUSED = "paused", _("paused")
    FINISHED = "finished", _("finished")


class PauseReason(models.TextChoices):
    BRUISES = "bruises", _("bruises")
    ILLNESS = "illness", _("illness")
    BLEEDING = "bleeding", _("bleeding")
    TRAVEL = "travel", _("travel")
    CLINIC = "clinic", _("clinic")
    OTHER = "other", _("other")


class PlanPolicy(models.TextChoices):
    """How a replan makes up for what was missed."""

    PRESCRIBE = "prescribe", _("first plan")
    SHIFT = "shift", _("shift the rest")
    CATCH_UP = "catch_up", _("catch up inside the windows")
    DROP = "drop", _("drop the missed one")
    ROLL_FORWARD = "roll_forward", _("rolled forward")
    DISRUPTION = "disruption", _("moved because of an absence or closure")


class Course(models.Model):
    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="courses")
    client = models.ForeignKey(Client, models.PROTECT, related_name="courses")
    protocol = models.ForeignKey(Protocol, models.PROTECT, related_name="courses")
    status = models.CharField(max_length=14, choices=CourseStatus, default=CourseStatus.DRAFT)
    start_on = models.DateField()
    prescribed_by = models.ForeignKey(StaffMember, models.PROTECT, related_name="prescribed_courses")
    # The planner's wish; the client's own preferences come after it.
    practitioner = models.ForeignKey(
        StaffMember, models.PROTECT, null=True, blank=True, related_name="preferred_courses"
    )
    # Bumped by every change: a page that was opened before it is stale.
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    activated_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=200, blank=True)

    # The last assessment, kept so that lists can filter and sort by it; assess() is the truth.
    assessed_on = models.DateField(null=True, blank=True)
    next_check_on = models.DateField(null=True, blank=True)
    # When the scheduler looks next: next_check_on at the clinic's midnight, or later after an error.
    next_check_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=12, choices=DriftState, blank=True)
    phase_position = models.PositiveSmallIntegerField(null=True, blank=True)
    session_number = models.PositiveSmallIntegerField(null=True, blank=True)
    due_from_on = models.DateField(null=True, blank=True)
    due_by_on = models.DateField(null=True, blank=True)
    attended_count = models.PositiveIntegerField(default=0)
    attendance_rate = models.FloatField(null=True, blank=True)
    on_time_rate = models.FloatField(null=True, blank=True)
    early_rate = models.FloatField(null=True, blank=True)
    late_rate = models.FloatField(null=True, blank=True)
    slippage_days = models.PositiveIntegerField(null=True, blank=True)
    projected_end_on = models.DateField(null=True, blank=True)
    # Of the gaps that were last copied to the sessions; blank before the first time.
    verdict_digest = models.CharField(max_length=16, blank=True)

    objects = ClinicScopedQuerySet["Course"].as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(status__in=CourseStatus.values), name="course_status_known"),
            models.CheckConstraint(
                condition=Q(status="draft", activated_at__isnull=True)
                | (~Q(status="draft") & Q(activated_at__isnull=False)),
                name="course_activated_once_past_draft",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["completed", "discontinued"], ended_at__isnull=False)
                | (~Q(status__in=["completed", "discontinued"]) & Q(ended_at__isnull=True)),
                name="course_ended_with_time",
            ),
            models.CheckConstraint(
                condition=~Q(status="discontinued") | ~Q(end_reason=""),
                name="course_discontinued_with_reason",
            ),
        ]
        indexes: ClassVar = [
            # The scheduler's scan: courses whose answer time alone can have changed.
            models.Index(
                fields=["next_check_at"],
                condition=Q(next_check_at__isnull=False),
                name="course_due_for_check",
            ),
            # The course list of a clinic by status, newest first.
            models.Index(fields=["clinic", "status", "-start_on"], name="course_by_clinic_status"),
            # All courses of a clinic, the one due first: sorting them anew for every page takes long.
            models.Index(fields=["clinic", "due_by_on", "id"], name="course_by_clinic_due"),
            # And the one begun last, or first.
            models.Index(fields=["clinic", "start_on", "id"], name="course_by_clinic_start"),
            # The courses of a client.
            models.Index(fields=["client", "-start_on"], name="course_by_client"),
            # The course list by state and how long it has been due.
            models.Index(fields=["clinic", "state", "due_by_on"], name="course_by_clinic_state"),
            # The courses that began in a period, and those that ended since, for reports.
            models.Index(fields=["clinic", "start_on"], name="course_by_start"),
            models.Index(
                fields=["clinic", "ended_at"], condition=Q(ended_at__isnull=False), name="course_by_end"
            ),
            # Courses whose sessions have no verdicts yet: those from before there were any.
            models.Index(
                fields=["clinic"],
                condition=Q(verdict_digest="") & ~Q(status="draft"),
                name="course_without_verdicts",
            ),
        ]

    def __str__(self) -> str:
        return f"course {self.code}"

    @property
    def is_open(self) -> bool:
        """Whether the course is assessed: active or paused."""
        return self.status in (CourseStatus.ACTIVE, CourseStatus.PAUSED)


class PrescriptionRevision(models.Model):
    """The prescription as it stood from one decision to the next; the newest is in force."""

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="prescription_revisions")
    course = models.ForeignKey(Course, models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    reason = models.CharField(max_length=200, blank=True)
    by = models.ForeignKey(StaffMember, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    objects = ClinicScopedQuerySet["PrescriptionRevision"].as_manager()

    class Meta:
        ordering = ("number",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["course", "number"], name="prescription_revision_once"),
            models.CheckConstraint(
                condition=Q(number=1) | ~Q(reason=""), name="prescription_change_with_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"revision {self.number}"


class Phase(PhaseFields):
    """A phase as prescribed to one client, frozen with its revision."""

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="phases")
    revision = models.ForeignKey(PrescriptionRevision, models.PROTECT, related_name="phases")
    target = models.PositiveSmallIntegerField(null=True, blank=True)

    objects = ClinicScopedQuerySet["Phase"].as_manager()

    class Meta(PhaseFields.Meta):
        ordering = ("position",)
        constraints: ClassVar = [
            *PhaseFields.Meta.constraints,
            models.UniqueConstraint(fields=["revision", "position"], name="phase_position_once"),
            models.CheckConstraint(
                condition=Q(target__isnull=True)
                | Q(
                    sessions_min__isnull=False,
                    sessions_max__isnull=False,
                    target__gte=F("sessions_min"),
                    target__lte=F("sessions_max"),
                ),
                name="phase_target_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.position}"


class PhaseEnd(models.Model):
    """A prescriber's decision that a phase is over, from sessions_min on."""

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="phase_ends")
    course = models.ForeignKey(Course, models.PROTECT, related_name="phase_ends")
    phase_position = models.PositiveSmallIntegerField()
    ended_on = models.DateField()
    reason = models.CharField(max_length=200, blank=True)
    by = models.ForeignKey(StaffMember, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    objects = ClinicScopedQuerySet["PhaseEnd"].as_manager()

    class Meta:
        ordering = ("phase_position",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["course", "phase_position"], name="phase_end_once"),
        ]

    def __str__(self) -> str:
        return f"phase {self.phase_position} ended on {self.ended_on}"


class Restart(models.Model):
    """A prescriber's decision after a lapse: the windows count anew from this day."""

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="restarts")
    course = models.ForeignKey(Course, models.PROTECT, related_name="restarts")
    restart_on = models.DateField()
    reason = models.CharField(max_length=200, blank=True)
    by = models.ForeignKey(StaffMember, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    objects = ClinicScopedQuerySet["Restart"].as_manager()

    class Meta:
        ordering = ("restart_on",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["course", "restart_on"], name="restart_once_a_day"),
        ]

    def __str__(self) -> str:
        return f"restart on {self.restart_on}"


class Pause(models.Model):
    """A dated, reasoned stop, both ends included; without an end it is open. Pauses of a course never overlap."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="pauses")
    course = models.ForeignKey(Course, models.PROTECT, related_name="pauses")
    from_on = models.DateField()
    to_on = models.DateField(null=True, blank=True)
    reason = models.CharField(max_length=12, choices=PauseReason)
    note = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()

    objects = ClinicScopedQuerySet["Pause"].as_manager()

    class Meta:
        ordering = ("from_on",)
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(to_on__isnull=True) | Q(from_on__lte=F("to_on")), name="pause_not_upside_down"
            ),
            models.CheckConstraint(condition=Q(reason__in=PauseReason.values), name="pause_reason_known"),
            models.UniqueConstraint(
                fields=["course"], condition=Q(to_on__isnull=True), name="pause_one_open_ended"
            ),
            models.UniqueConstraint(fields=["course", "from_on"], name="pause_unique_start"),
        ]

    def __str__(self) -> str:
        return f"pause from {self.from_on}"


class RecordedContraindication(models.Model):
    """A condition of a client, active on the days given, both ends included; without an end it goes on."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="recorded_contraindications")
    client = models.ForeignKey(Client, models.PROTECT, related_name="contraindications")
    condition = models.SlugField(max_length=80)
    from_on = models.DateField()
    to_on = models.DateField(null=True, blank=True)
    note = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()

    objects = ClinicScopedQuerySet["RecordedContraindication"].as_manager()

    class Meta:
        ordering = ("from_on", "condition")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(to_on__isnull=True) | Q(from_on__lte=F("to_on")),
                name="recorded_contraindication_not_upside_down",
            ),
        ]

    def __str__(self) -> str:
        return f"condition of client {self.client_id}"


class ContraindicationOverride(models.Model):
    """A prescriber's written decision that a condition does not stop one course."""

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="contraindication_overrides")
    course = models.ForeignKey(Course, models.PROTECT, related_name="contraindication_overrides")
    condition = models.SlugField(max_length=80)
    reason = models.CharField(max_length=400)
    by = models.ForeignKey(StaffMember, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    objects = ClinicScopedQuerySet["ContraindicationOverride"].as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["course", "condition"], name="override_once"),
            models.CheckConstraint(condition=~Q(reason=""), name="override_with_reason"),
        ]

    def __str__(self) -> str:
        return f"override on course {self.course_id}"


class PlanRevision(models.Model):
    """One plan that was applied: what stood before, what stands after, and what it cost."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="plan_revisions")
    course = models.ForeignKey(Course, models.PROTECT, related_name="plan_revisions")
    number = models.PositiveIntegerField()
    policy = models.CharField(max_length=12, choices=PlanPolicy)
    # Lists of {"session": code, "start": ..., "end": ..., "practitioner": code, "room": code}.
    before = models.JSONField(default=list)
    after = models.JSONField(default=list)
    cost = models.JSONField(default=dict)
    notes = models.JSONField(default=list)
    by = models.ForeignKey(StaffMember, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()

    objects = ClinicScopedQuerySet["PlanRevision"].as_manager()

    class Meta:
        ordering = ("number",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["course", "number"], name="plan_revision_once"),
        ]

    def __str__(self) -> str:
        return f"plan {self.number}"
