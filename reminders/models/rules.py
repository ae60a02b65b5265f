"""The messages that a clinic wants sent, with every version they ever had."""

import uuid
from typing import ClassVar, Final

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clinics.models import Clinic, ClinicScopedQuerySet, StaffMember


class Trigger(models.TextChoices):
    BEFORE_SESSION = "before_session", _("before a session")
    PREPARATION = "preparation", _("preparation for a session")
    MISSED_SESSION = "missed_session", _("missed session")
    AFTER_SESSION = "after_session", _("how a session was")
    OVERDUE = "overdue", _("overdue")
    BOOK_NEXT = "book_next", _("book your next session")
    MAINTENANCE_DUE = "maintenance_due", _("maintenance due")
    SCHEDULE = "schedule", _("schedule")
    CHANGE = "change", _("change of the schedule")
    EARLIER_SLOT = "earlier_slot", _("an earlier time is free")
    ACCESS_CODE = "access_code", _("a code for the client's pages")
    COURSE_COMPLETED = "course_completed", _("course completed")
    STAFF_DIGEST = "staff_digest", _("morning digest for staff")


# Both tell the client of the schedule: the first time, and whenever it has changed since.
TELLING_TRIGGERS: Final = ("schedule", "change")


class ReminderRule(models.Model):
    """One message that a clinic wants sent; rows are switched off, never deleted."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="reminder_rules")
    slug = models.SlugField(max_length=40)
    trigger = models.CharField(max_length=20, choices=Trigger)
    is_active = models.BooleanField(default=True)
    # In order of preference: the first one on which the client can be reached is used.
    channels = models.JSONField(default=list)
    # Before the session: whole days keep the wall time over a change of clocks, minutes are absolute.
    lead_days = models.PositiveSmallIntegerField(null=True, blank=True)
    lead_minutes = models.PositiveIntegerField(null=True, blank=True)
    # The clinic's wall time for messages that belong to a day; null means the session's own time.
    at_time = models.TimeField(null=True, blank=True)
    # How long after the event, so that further changes join in one message.
    wait_minutes = models.PositiveIntegerField(default=0)
    # How long after its time a message is still of use.
    useful_minutes = models.PositiveIntegerField()
    repeat_days = models.PositiveSmallIntegerField(default=0)
    cap_count = models.PositiveSmallIntegerField(default=1)
    is_first_only = models.BooleanField(default=False)
    skips_confirmed = models.BooleanField(default=False)
    # The clinic's own words by language: {"en": {"subject": ..., "body": ..., "short": ...}}; what is missing is ours.
    texts = models.JSONField(default=dict, blank=True)
    # Bumped by every change: a row records the version that made it.
    version = models.PositiveIntegerField(default=1)
    # The newest version that moved messages: a row made by an older one waits until it has followed.
    timing_version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()

    objects = ClinicScopedQuerySet["ReminderRule"].as_manager()

    class Meta:
        ordering = ("pk",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["clinic", "slug"], name="rule_once_per_clinic"),
            models.CheckConstraint(
                condition=Q(lead_days__isnull=True) | Q(lead_minutes__isnull=True),
                name="rule_one_kind_of_lead",
            ),
            # Spelled out, because a comparison with null would let the row pass.
            models.CheckConstraint(
                condition=~Q(trigger__in=("before_session", "preparation"))
                | Q(lead_days__isnull=False, lead_days__gte=1)
                | Q(lead_minutes__isnull=False, lead_minutes__gte=1),
                name="rule_before_session_has_lead",
            ),
            models.CheckConstraint(condition=Q(useful_minutes__gte=1), name="rule_useful_for_a_while"),
            models.CheckConstraint(
                condition=Q(cap_count=1) | Q(cap_count__gte=1, repeat_days__gte=1),
                name="rule_repeats_by_days",
            ),
        ]

    def __str__(self) -> str:
        return self.slug


class RuleVersion(models.Model):
    """A rule as it stood from one change to the next; written with the change, never altered."""

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="rule_versions")
    rule = models.ForeignKey(ReminderRule, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    # The rule's fields by name, as they stand in this version.
    values = models.JSONField()
    changed_at = models.DateTimeField()
    # Null for the version that the clinic started with.
    changed_by = models.ForeignKey(StaffMember, models.PROTECT, null=True, blank=True, related_name="+")

    objects = ClinicScopedQuerySet["RuleVersion"].as_manager()

    class Meta:
        ordering = ("number",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["rule", "number"], name="rule_version_numbered"),
        ]

    def __str__(self) -> str:
        return f"version {self.number} of rule {self.rule_id}"


class ResyncRequest(models.Model):
    """That a clinic's rules or channels have changed, and how far its courses have followed."""

    clinic = models.OneToOneField(Clinic, models.PROTECT, related_name="resync_request")
    asked_at = models.DateTimeField()
    # Courses with this id and smaller ones are done.
    after_course = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"resync of clinic {self.clinic_id}"
