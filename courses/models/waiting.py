"""Clients who would come earlier than they are booked, slots that become free, and which were offered to whom."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from clinics.models import Clinic, ClinicScopedQuerySet, Room, StaffMember
from courses.models.session import TreatmentSession


class Waiting(models.Model):
    """That a client would take an earlier slot for one booking; at most one such wish at a time is open."""

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="waitings")
    session = models.ForeignKey(TreatmentSession, models.PROTECT, related_name="waitings")
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = ClinicScopedQuerySet["Waiting"].as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["session"], condition=Q(ended_at__isnull=True), name="waiting_one_open"
            ),
        ]
        indexes: ClassVar = [
            # Whoever has waited longest is asked first.
            models.Index(
                fields=["clinic", "created_at"], condition=Q(ended_at__isnull=True), name="waiting_open"
            ),
        ]

    def __str__(self) -> str:
        return f"wait for session {self.session_id}"


class FreedSlot(models.Model):
    """A slot that a cancelled or moved booking has left; kept only where somebody waits."""

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="freed_slots")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    practitioner = models.ForeignKey(StaffMember, models.PROTECT, null=True, blank=True, related_name="+")
    room = models.ForeignKey(Room, models.PROTECT, null=True, blank=True, related_name="+")
    freed_at = models.DateTimeField()
    # When those who wait were looked through for it.
    offered_at = models.DateTimeField(null=True, blank=True)

    objects = ClinicScopedQuerySet["FreedSlot"].as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(starts_at__lt=F("ends_at")), name="freed_slot_in_order"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["freed_at"], condition=Q(offered_at__isnull=True), name="freed_slot_to_offer"
            ),
        ]

    def __str__(self) -> str:
        return f"slot freed at {self.freed_at}"


class EarlierOutcome(models.TextChoices):
    OPEN = "", _("open")
    TAKEN = "taken", _("taken")
    LOST = "lost", _("somebody else took it")


class EarlierSlot(models.Model):
    """One freed slot offered to one client who waits; the first who takes it has it."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="earlier_slots")
    waiting = models.ForeignKey(Waiting, models.PROTECT, related_name="offers")
    freed = models.ForeignKey(FreedSlot, models.PROTECT, related_name="offers")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    outcome = models.CharField(max_length=5, choices=EarlierOutcome, blank=True)
    # Whether a message about it is on its way, or cannot be.
    told_at = models.DateTimeField(null=True, blank=True)

    objects = ClinicScopedQuerySet["EarlierSlot"].as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["waiting", "freed"], name="earlier_slot_once"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["created_at"], condition=Q(told_at__isnull=True), name="earlier_slot_to_tell"
            ),
        ]

    def __str__(self) -> str:
        return f"earlier slot {self.code}"
