"""Reusable templates of courses, versioned: a change makes a new version, courses keep their frozen copy."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from clinics.models import Clinic, ClinicScopedQuerySet, StaffMember


class PhaseKind(models.TextChoices):
    INTENSIVE = "intensive", _("intensive")
    MAINTENANCE = "maintenance", _("maintenance")


class ContraindicationStrength(models.TextChoices):
    PERMANENT = "permanent", _("permanent")
    TEMPORARY = "temporary", _("temporary")
    CAUTION = "caution", _("caution")


class Protocol(models.Model):
    """A template of a course in one clinic; one version of each slug is current."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="protocols")
    slug = models.SlugField(max_length=60)
    version = models.PositiveIntegerField(default=1)
    is_current = models.BooleanField(default=True)
    name_en = models.CharField(max_length=120)
    name_ru = models.CharField(max_length=120, blank=True)
    summary_en = models.TextField(blank=True)
    summary_ru = models.TextField(blank=True)
    modality = models.CharField(max_length=60, blank=True)
    # What the client does before a session.
    preparation_en = models.TextField(blank=True)
    preparation_ru = models.TextField(blank=True)
    # Order of one day's treatments, for example ["mechanical_bed", "massage"]; empty means any order.
    same_day_order = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField()
    # Null for what came with the library.
    created_by = models.ForeignKey(StaffMember, models.PROTECT, null=True, blank=True, related_name="+")
    # Since when nobody can prescribe it; the courses that were prescribed from it go on.
    retired_at = models.DateTimeField(null=True, blank=True)

    objects = ClinicScopedQuerySet["Protocol"].as_manager()

    class Meta:
        ordering = ("name_en",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["clinic", "slug", "version"], name="protocol_version_once"),
            models.UniqueConstraint(
                fields=["clinic", "slug"], condition=Q(is_current=True), name="protocol_one_current"
            ),
            models.CheckConstraint(
                condition=Q(retired_at__isnull=True) | Q(is_current=True), name="protocol_retired_as_current"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.slug} v{self.version}"

    def name_in(self, language: str) -> str:
        """Return the name in the language, else in English."""
        return (self.name_ru if language == "ru" else "") or self.name_en

    def summary_in(self, language: str) -> str:
        """Return the summary in the language, else in English."""
        return (self.summary_ru if language == "ru" else "") or self.summary_en

    def preparation_in(self, language: str) -> str:
        """Return the preparation in the language, else in English."""
        return (self.preparation_ru if language == "ru" else "") or self.preparation_en


class PhaseFields(models.Model):
    """One stretch of a course with one cadence; shared by templates and frozen copies."""

    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=20, choices=PhaseKind)
    frequency = models.PositiveSmallIntegerField()
    period_min = models.PositiveSmallIntegerField()
    period_max = models.PositiveSmallIntegerField()
    rest_days = models.PositiveSmallIntegerField()
    flex_days = models.PositiveSmallIntegerField()
    sessions_min = models.PositiveSmallIntegerField(null=True, blank=True)
    sessions_max = models.PositiveSmallIntegerField(null=True, blank=True)
    duration_days = models.PositiveSmallIntegerField(null=True, blank=True)
    grace_days = models.PositiveSmallIntegerField()
    lapse_days = models.PositiveSmallIntegerField()
    minutes_min = models.PositiveSmallIntegerField(null=True, blank=True)
    minutes_max = models.PositiveSmallIntegerField(null=True, blank=True)
    # Minutes by session number where length rises gradually, for example [20, 25, 30]; later ones take the last.
    minutes_by_session = models.JSONField(default=list, blank=True)

    class Meta:
        abstract = True
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(kind__in=PhaseKind.values), name="%(class)s_kind_known"),
            models.CheckConstraint(
                condition=Q(frequency__gte=1, frequency__lte=F("period_max")), name="%(class)s_frequency_fits"
            ),
            models.CheckConstraint(
                condition=Q(period_min__gte=1, period_min__lte=F("period_max")),
                name="%(class)s_period_in_order",
            ),
            models.CheckConstraint(condition=Q(rest_days__gte=1), name="%(class)s_rest_positive"),
            models.CheckConstraint(
                condition=Q(flex_days__lt=F("period_min")), name="%(class)s_flex_below_period"
            ),
            models.CheckConstraint(
                condition=Q(sessions_max__isnull=False) | Q(duration_days__isnull=False),
                name="%(class)s_has_amount",
            ),
            models.CheckConstraint(
                condition=Q(sessions_min__isnull=True, sessions_max__isnull=True)
                | Q(
                    sessions_min__isnull=False,
                    sessions_max__isnull=False,
                    sessions_min__gte=1,
                    sessions_min__lte=F("sessions_max"),
                ),
                name="%(class)s_sessions_in_order",
            ),
            models.CheckConstraint(
                condition=Q(duration_days__isnull=True) | Q(duration_days__gte=1),
                name="%(class)s_duration_positive",
            ),
            models.CheckConstraint(
                condition=Q(grace_days__lte=F("lapse_days")), name="%(class)s_grace_below_lapse"
            ),
            models.CheckConstraint(
                condition=Q(minutes_min__isnull=True, minutes_max__isnull=True)
                | Q(
                    minutes_min__isnull=False,
                    minutes_max__isnull=False,
                    minutes_min__gte=1,
                    minutes_min__lte=F("minutes_max"),
                ),
                name="%(class)s_minutes_in_order",
            ),
        ]


class ProtocolPhase(PhaseFields):
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="protocol_phases")
    protocol = models.ForeignKey(Protocol, models.PROTECT, related_name="phases")

    objects = ClinicScopedQuerySet["ProtocolPhase"].as_manager()

    class Meta(PhaseFields.Meta):
        ordering = ("position",)
        constraints: ClassVar = [
            *PhaseFields.Meta.constraints,
            models.UniqueConstraint(fields=["protocol", "position"], name="protocol_phase_position_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.position}"


class ProtocolContraindication(models.Model):
    """A condition that speaks against a protocol: permanent ones block, temporary ones propose a pause."""

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="protocol_contraindications")
    protocol = models.ForeignKey(Protocol, models.PROTECT, related_name="contraindications")
    position = models.PositiveSmallIntegerField(default=0)
    condition = models.SlugField(max_length=80)
    strength = models.CharField(max_length=12, choices=ContraindicationStrength)
    name_en = models.CharField(max_length=160)
    name_ru = models.CharField(max_length=160, blank=True)

    objects = ClinicScopedQuerySet["ProtocolContraindication"].as_manager()

    class Meta:
        ordering = ("position", "pk")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["protocol", "condition"], name="protocol_condition_once"),
            models.CheckConstraint(
                condition=Q(strength__in=ContraindicationStrength.values),
                name="protocol_condition_strength_known",
            ),
        ]

    def __str__(self) -> str:
        return self.condition

    def name_in(self, language: str) -> str:
        """Return the name in the language, else in English."""
        return (self.name_ru if language == "ru" else "") or self.name_en
