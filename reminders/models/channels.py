"""The ways out: a clinic's own accounts with providers, how each fares, and what is kept where there is none."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from clients.models import Channel
from clinics.models import Clinic, ClinicScopedQuerySet


class ChannelAccount(models.Model):
    """A clinic's account on one channel other than e-mail, which the installation sends for everybody."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="channel_accounts")
    channel = models.CharField(max_length=10, choices=Channel)
    # A key of the list of providers, each with a form of its own; never an address to send to.
    provider = models.SlugField(max_length=30)
    settings = models.JSONField(default=dict, blank=True)
    # The provider's keys and tokens, encrypted; nothing of them is ever shown again.
    sealed_secrets = models.TextField(blank=True)
    is_active = models.BooleanField(default=True)
    # Null means the installation's rate for the channel.
    per_minute = models.PositiveIntegerField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    tested_at = models.DateTimeField(null=True, blank=True)
    # How the last test message fared, as a short code; blank when it was accepted.
    test_code = models.CharField(max_length=40, blank=True)

    objects = ClinicScopedQuerySet["ChannelAccount"].as_manager()

    class Meta:
        ordering = ("channel",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["clinic", "channel"], name="channel_account_once_per_clinic"),
            models.CheckConstraint(condition=~Q(channel="email"), name="channel_account_not_email"),
            models.CheckConstraint(
                condition=Q(per_minute__isnull=True) | Q(per_minute__gte=1),
                name="channel_account_rate_positive",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider} for {self.channel}"


class ChannelHealth(models.Model):
    """How one way out has fared lately; after several failures in a row it is left alone for a while."""

    # "email" for the installation's, "<channel>:<account code>" for a clinic's own.
    scope = models.CharField(max_length=60, unique=True)
    clinic = models.ForeignKey(Clinic, models.PROTECT, null=True, blank=True, related_name="channel_health")
    failure_count = models.PositiveIntegerField(default=0)
    # Nothing is tried before this moment; then one sender tries, and the others follow when it succeeds.
    open_until = models.DateTimeField(null=True, blank=True)
    last_error_code = models.CharField(max_length=40, blank=True)
    last_failed_at = models.DateTimeField(null=True, blank=True)
    last_succeeded_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "channel health"

    def __str__(self) -> str:
        return self.scope


class RateBucket(models.Model):
    """What a clinic may still send over a channel at this moment; it refills as time passes."""

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="rate_buckets")
    channel = models.CharField(max_length=10, choices=Channel)
    tokens = models.FloatField()
    refilled_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["clinic", "channel"], name="rate_bucket_once"),
            models.CheckConstraint(condition=Q(tokens__gte=0), name="rate_bucket_not_overdrawn"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} of clinic {self.clinic_id}"


class KeptMessage(models.Model):
    """A message kept in the database where no provider is set up; what a recipient would have got."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # Null for mail that is no clinic's, such as a new password.
    clinic = models.ForeignKey(Clinic, models.PROTECT, null=True, blank=True, related_name="kept_messages")
    channel = models.CharField(max_length=10, choices=Channel, default=Channel.EMAIL)
    message_id = models.CharField(max_length=200, blank=True)
    from_header = models.CharField(max_length=320)
    to_header = models.TextField()
    subject = models.CharField(max_length=300)
    text = models.TextField()
    html = models.TextField(blank=True)
    # Attached files as [[name, media type, text], ...].
    attachments = models.JSONField(default=list, blank=True)
    headers = models.JSONField(default=dict, blank=True)
    kept_at = models.DateTimeField()

    objects = ClinicScopedQuerySet["KeptMessage"].as_manager()

    class Meta:
        indexes: ClassVar = [
            # The mailbox page, newest first.
            models.Index(fields=["clinic", "-kept_at"], name="kept_message_newest"),
        ]

    def __str__(self) -> str:
        return f"kept message {self.code}"
