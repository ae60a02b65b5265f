"""Spreadsheets that a clinic brings along: one import, and each of its rows with what became of it."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from clinics.models import Clinic, ClinicScopedQuerySet, Language, StaffMember


class ImportKind(models.TextChoices):
    CLIENTS = "clients", _("clients")
    COURSES = "courses", _("courses")


class ImportStatus(models.TextChoices):
    UPLOADED = "uploaded", _("uploaded")
    CHECKING = "checking", _("being checked")
    CHECKED = "checked", _("checked")
    APPLYING = "applying", _("being imported")
    APPLIED = "applied", _("imported")
    UNDOING = "undoing", _("being undone")
    UNDONE = "undone", _("undone")


class RowOutcome(models.TextChoices):
    WAITING = "waiting", pgettext_lazy("a row", "not checked")
    NEW = "new", pgettext_lazy("a row", "new")
    SAME = "same", pgettext_lazy("a row", "here already")
    CHANGED = "changed", pgettext_lazy("a row", "changed")
    REFUSED = "refused", pgettext_lazy("a row", "refused")
    MADE = "made", pgettext_lazy("a row", "made")
    UPDATED = "updated", pgettext_lazy("a row", "brought up to date")
    UNDONE = "undone", pgettext_lazy("a row", "undone")
    KEPT = "kept", pgettext_lazy("a row", "left as it is")


class ImportBatch(models.Model):
    """One file: looked at first, then applied as a whole, then perhaps undone."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="imports")
    kind = models.CharField(max_length=10, choices=ImportKind)
    status = models.CharField(max_length=10, choices=ImportStatus, default=ImportStatus.UPLOADED)
    file_name = models.CharField(max_length=120)
    headings = models.JSONField(default=list)
    # The column of each field, 0-based: {"phone": 2}.
    columns = models.JSONField(default=dict)
    # In which what is wrong is said.
    language = models.CharField(max_length=5, choices=Language)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(StaffMember, models.PROTECT, related_name="+")
    applied_at = models.DateTimeField(null=True, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)
    # The background job that works or worked on it last.
    job_code = models.UUIDField(null=True, blank=True)

    objects = ClinicScopedQuerySet["ImportBatch"].as_manager()

    class Meta:
        ordering = ("-created_at", "-pk")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status__in=("applied", "undoing", "undone"), applied_at__isnull=False)
                | (~Q(status__in=("applied", "undoing", "undone")) & Q(applied_at__isnull=True)),
                name="import_applied_with_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.code}"

    @property
    def is_open(self) -> bool:
        """Whether its columns may still change: nothing was made of it yet, and nobody is at it."""
        return self.status in (ImportStatus.UPLOADED, ImportStatus.CHECKED)


class ImportRow(models.Model):
    """A line of the file. What it says is forgotten once it is applied; what was made of it is remembered."""

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="import_rows")
    batch = models.ForeignKey(ImportBatch, models.PROTECT, related_name="rows")
    # As the spreadsheet counts: the headings are the first line.
    number = models.PositiveIntegerField()
    cells = models.JSONField(default=list)
    # By which two lines about the same are found: a fingerprint.
    key = models.CharField(max_length=64, blank=True)
    outcome = models.CharField(max_length=10, choices=RowOutcome, default=RowOutcome.WAITING)
    # [[field, sentence], …]; never what a cell says.
    problems = models.JSONField(default=list)
    # The client or course that it made or changed.
    made_code = models.UUIDField(null=True, blank=True)
    # What a changed client was like before, for as long as that can be brought back.
    before = models.JSONField(default=dict)
    # The newest audit event of what was made: whatever comes after it was done by others.
    event_id = models.PositiveBigIntegerField(null=True, blank=True)

    objects = ClinicScopedQuerySet["ImportRow"].as_manager()

    class Meta:
        ordering = ("number",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["batch", "number"], name="import_row_once"),
        ]
        indexes: ClassVar = [
            # The next rows to work on, and how many there are of each outcome.
            models.Index(fields=["batch", "outcome", "number"], name="import_row_by_outcome"),
            # Another line about the same.
            models.Index(fields=["batch", "key"], name="import_row_by_key"),
        ]

    def __str__(self) -> str:
        return f"row {self.number}"
