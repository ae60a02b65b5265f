"""Files that were made, what is made again and again, and the key that makes pseudonyms."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clinics.models import BackgroundJob, Clinic, ClinicScopedQuerySet, StaffMember


class Frequency(models.TextChoices):
    DAILY = "daily", _("every day")
    WEEKLY = "weekly", _("every week")
    MONTHLY = "monthly", _("on the first of every month")


class StopReason(models.TextChoices):
    REMOVED = "removed", _("taken off")
    RIGHT_LOST = "right_lost", _("the recipient may not export any more")


class PseudonymKey(models.Model):
    """A clinic's secret behind the pseudonyms of its anonymised files; sealed, and never changed."""

    clinic = models.OneToOneField(Clinic, models.PROTECT, related_name="+")
    sealed = models.TextField()
    created_at = models.DateTimeField()

    objects = ClinicScopedQuerySet["PseudonymKey"].as_manager()

    def __str__(self) -> str:
        return f"key of clinic {self.clinic_id}"


class ExportSchedule(models.Model):
    """A file that is made again and again for one member of staff, who gets a link to it by e-mail."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="export_schedules")
    member = models.ForeignKey(StaffMember, models.PROTECT, related_name="export_schedules")
    # What, as exports.core.choice writes it; the days are each run's own.
    choice = models.JSONField(default=dict)
    frequency = models.CharField(max_length=8, choices=Frequency)
    # The clinic's wall time.
    at_time = models.TimeField()
    # ISO weekday, for weekly ones.
    weekday = models.PositiveSmallIntegerField(default=1)
    next_run_at = models.DateTimeField()
    # The last day that a run covered: the next one follows on it.
    covered_to_on = models.DateField(null=True, blank=True)
    last_run_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(StaffMember, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True, blank=True)
    stop_reason = models.CharField(max_length=10, choices=StopReason, blank=True)

    objects = ClinicScopedQuerySet["ExportSchedule"].as_manager()

    class Meta:
        ordering = ("created_at", "pk")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(frequency__in=Frequency.values), name="export_frequency_known"
            ),
            models.CheckConstraint(condition=Q(weekday__gte=1, weekday__lte=7), name="export_weekday_iso"),
            models.CheckConstraint(
                condition=Q(stopped_at__isnull=True, stop_reason="")
                | (Q(stopped_at__isnull=False) & ~Q(stop_reason="")),
                name="export_schedule_stopped_with_reason",
            ),
        ]
        indexes: ClassVar = [
            # What the clock finds due.
            models.Index(
                fields=["next_run_at"], condition=Q(stopped_at__isnull=True), name="export_schedule_due"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.frequency} {self.code}"


class ExportFile(models.Model):
    """One file: being made, ready for a day, then gone; the row stays until it is tidied away."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="export_files")
    schedule = models.ForeignKey(ExportSchedule, models.PROTECT, null=True, blank=True, related_name="files")
    made_for = models.ForeignKey(StaffMember, models.PROTECT, related_name="export_files")
    choice = models.JSONField(default=dict)
    job = models.ForeignKey(BackgroundJob, models.PROTECT, null=True, blank=True, related_name="+")
    # Random, in the folder of exports; what people save it as says the table and the day.
    name = models.CharField(max_length=60, unique=True)
    row_count = models.PositiveIntegerField(default=0)
    byte_count = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField()
    ready_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    # When its link was mailed; only those of a schedule are.
    told_at = models.DateTimeField(null=True, blank=True)

    objects = ClinicScopedQuerySet["ExportFile"].as_manager()

    class Meta:
        ordering = ("-created_at", "-pk")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(ready_at__isnull=True, expires_at__isnull=True)
                | Q(ready_at__isnull=False, expires_at__isnull=False),
                name="export_file_expires_once_ready",
            ),
        ]
        indexes: ClassVar = [
            # The clinic's list of files.
            models.Index(fields=["clinic", "-created_at"], name="export_file_by_clinic"),
        ]

    def __str__(self) -> str:
        return f"export {self.code}"
