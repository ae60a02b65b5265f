"""Endpoints of a clinic's other programs, and a row for each event that one of them is to be told."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import pgettext_lazy

from clinics.models import Clinic, ClinicScopedQuerySet, StaffMember


class EndpointState(models.TextChoices):
    ACTIVE = "active", pgettext_lazy("webhook", "on")
    # Events are noted and wait.
    PAUSED = "paused", pgettext_lazy("webhook", "paused")
    # Nothing is noted any more; `off_reason` says why.
    OFF = "off", pgettext_lazy("webhook", "switched off")
    # Its row stays, so that no change of a course meets one that is just going.
    REMOVED = "removed", pgettext_lazy("webhook", "removed")


class OffReason(models.TextChoices):
    GONE = "gone", pgettext_lazy("webhook", "the address said that it is gone for good")
    FAILING = "failing", pgettext_lazy("webhook", "nothing got through for days")


class DeliveryState(models.TextChoices):
    WAITING = "waiting", pgettext_lazy("webhook call", "waiting")
    DELIVERED = "delivered", pgettext_lazy("webhook call", "delivered")
    FAILED = "failed", pgettext_lazy("webhook call", "failed")


class HookEndpoint(models.Model):
    """An address of a clinic's own program that is told of events."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="hook_endpoints")
    name = models.CharField(max_length=80)
    url = models.CharField(max_length=500)
    events = models.JSONField(default=list)
    # The signing secret and, for a day after it was renewed, the former one; encrypted.
    sealed_secrets = models.TextField(blank=True)
    former_until = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=8, choices=EndpointState, default=EndpointState.ACTIVE)
    off_reason = models.CharField(max_length=8, choices=OffReason, blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(StaffMember, models.PROTECT, related_name="+")
    # One sender at a time: its lease, and the number that makes every older claim void.
    generation = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    failure_count = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True, blank=True)
    # Left alone until then, after a failure.
    rest_until = models.DateTimeField(null=True, blank=True)
    last_succeeded_at = models.DateTimeField(null=True, blank=True)

    objects = ClinicScopedQuerySet["HookEndpoint"].as_manager()

    class Meta:
        ordering = ("name", "pk")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state="off") & ~Q(off_reason="") | ~Q(state="off") & Q(off_reason=""),
                name="hook_endpoint_off_with_reason",
            ),
            models.CheckConstraint(
                condition=Q(failing_since__isnull=True, failure_count=0)
                | Q(failing_since__isnull=False, failure_count__gt=0),
                name="hook_endpoint_failing_since",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} of clinic {self.clinic_id}"


class HookDelivery(models.Model):
    """One event for one endpoint, from the transaction that caused it to its answer. It refers to no course."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="hook_deliveries")
    endpoint = models.ForeignKey(HookEndpoint, models.PROTECT, related_name="deliveries")
    # The same for each endpoint that is told, and at each try: receivers drop copies by it.
    event_id = models.UUIDField()
    event = models.CharField(max_length=30)
    # What is sent, exactly: ids, codes, kinds and times.
    body = models.TextField()
    occurred_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=DeliveryState, default=DeliveryState.WAITING)
    next_at = models.DateTimeField(null=True, blank=True)
    attempt_count = models.PositiveIntegerField(default=0)
    # The last tries, oldest first: [{"at", "status", "error", "ms"}].
    tries = models.JSONField(default=list, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = ClinicScopedQuerySet["HookDelivery"].as_manager()

    class Meta:
        verbose_name_plural = "hook deliveries"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["endpoint", "event_id"], name="hook_delivery_once"),
            models.CheckConstraint(
                condition=Q(state="waiting", next_at__isnull=False, ended_at__isnull=True)
                | ~Q(state="waiting") & Q(next_at__isnull=True, ended_at__isnull=False),
                name="hook_delivery_waits_or_has_ended",
            ),
        ]
        indexes: ClassVar = [
            # What a sender takes next, and which endpoints have something due.
            models.Index(
                fields=["endpoint", "next_at"], condition=Q(state="waiting"), name="hook_delivery_due"
            ),
            # The log of an endpoint, newest first.
            models.Index(fields=["endpoint", "-occurred_at"], name="hook_delivery_newest"),
            # What has been kept for long enough.
            models.Index(fields=["ended_at"], name="hook_delivery_ended"),
        ]

    def __str__(self) -> str:
        return f"{self.event} for endpoint {self.endpoint_id}"
