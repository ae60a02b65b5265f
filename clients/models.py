"""The person treated: names, contacts, consents, preferences and health notes."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from clinics.models import Clinic, ClinicScopedQuerySet, Language, StaffMember


class Channel(models.TextChoices):
    EMAIL = "email", _("e-mail")
    SMS = "sms", _("SMS")
    TELEGRAM = "telegram", "Telegram"
    WHATSAPP = "whatsapp", "WhatsApp"
    # The clinic's own system, which knows its clients by their code.
    WEBHOOK = "webhook", _("the clinic's own system")


class DetailLevel(models.TextChoices):
    """What messages say, and what a client's pages show before the client proves to be the client."""

    CLINIC = "clinic", _("as the clinic does")
    NEUTRAL = "neutral", _("only day, time and place")


class Client(models.Model):
    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="clients")
    given_name = models.CharField(max_length=120)
    family_name = models.CharField(max_length=120, blank=True)
    birth_on = models.DateField(null=True, blank=True)
    language = models.CharField(max_length=5, choices=Language, default=Language.ENGLISH)
    # Blank means the clinic's.
    time_zone = models.CharField(max_length=64, blank=True)
    # Both or neither; without them the clinic's. In the client's own zone.
    quiet_from_time = models.TimeField(null=True, blank=True)
    quiet_to_time = models.TimeField(null=True, blank=True)
    detail_level = models.CharField(max_length=8, choices=DetailLevel, default=DetailLevel.CLINIC)
    health_notes = models.TextField(blank=True)
    # ISO weekdays, for example [1, 3, 5]; empty means any.
    prefers_weekdays = models.JSONField(default=list, blank=True)
    prefers_from_time = models.TimeField(null=True, blank=True)
    prefers_to_time = models.TimeField(null=True, blank=True)
    prefers_practitioner = models.ForeignKey(
        StaffMember, models.PROTECT, null=True, blank=True, related_name="preferred_by"
    )
    # Names, e-mail and digits of telephones in lower case: what the search field looks through.
    search_text = models.TextField(blank=True, editable=False)
    created_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True, blank=True)
    # Set together with erased_at when all that was here has gone over to another client's row.
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="merged_clients"
    )

    objects = ClinicScopedQuerySet["Client"].as_manager()

    class Meta:
        ordering = ("family_name", "given_name", "pk")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(prefers_from_time__isnull=True)
                | Q(prefers_to_time__isnull=True)
                | Q(prefers_from_time__lte=F("prefers_to_time")),
                name="client_preferred_times_in_order",
            ),
            models.CheckConstraint(
                condition=Q(quiet_from_time__isnull=True, quiet_to_time__isnull=True)
                | Q(quiet_from_time__isnull=False, quiet_to_time__isnull=False),
                name="client_quiet_hours_whole",
            ),
            models.CheckConstraint(
                condition=Q(merged_into__isnull=True) | Q(erased_at__isnull=False),
                name="client_merged_is_gone",
            ),
        ]
        indexes: ClassVar = [
            # The client list, by name.
            models.Index(fields=["clinic", "family_name", "given_name"], name="client_by_name"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()


class ContactPoint(models.Model):
    """One address of a client on one channel; a disabled one is never written to."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="contact_points")
    client = models.ForeignKey(Client, models.PROTECT, related_name="contact_points")
    channel = models.CharField(max_length=10, choices=Channel)
    value = models.CharField(max_length=254)
    position = models.PositiveSmallIntegerField(default=0)
    disabled_at = models.DateTimeField(null=True, blank=True)
    disabled_reason = models.CharField(max_length=120, blank=True)

    objects = ClinicScopedQuerySet["ContactPoint"].as_manager()

    class Meta:
        ordering = ("position", "pk")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["client", "channel", "value"], name="contact_point_once"),
            models.CheckConstraint(
                condition=Q(disabled_at__isnull=True, disabled_reason="")
                | (Q(disabled_at__isnull=False) & ~Q(disabled_reason="")),
                name="contact_point_disabled_with_reason",
            ),
        ]
        indexes: ClassVar = [
            # Addresses that do not work, for the staff's list.
            models.Index(
                fields=["clinic"], condition=Q(disabled_at__isnull=False), name="contact_point_disabled"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} of client {self.client_id}"


class Consent(models.Model):
    """A client's permission to be written to on one channel, with its history; at most one is in force."""

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="consents")
    client = models.ForeignKey(Client, models.PROTECT, related_name="consents")
    channel = models.CharField(max_length=10, choices=Channel)
    granted_at = models.DateTimeField()
    granted_source = models.CharField(max_length=40)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_source = models.CharField(max_length=40, blank=True)

    objects = ClinicScopedQuerySet["Consent"].as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["client", "channel"],
                condition=Q(withdrawn_at__isnull=True),
                name="consent_one_in_force",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True, withdrawn_source="")
                | (
                    Q(withdrawn_at__isnull=False, withdrawn_at__gte=F("granted_at")) & ~Q(withdrawn_source="")
                ),
                name="consent_withdrawn_after_granted",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} of client {self.client_id}"


class LinkPurpose(models.TextChoices):
    SESSION = "session", _("one visit: see, confirm, move, cancel; and its course")
    COURSE = "course", _("one course and its visits")
    FEED = "feed", _("visits for the client's calendar")
    FEELING = "feeling", _("how one visit was")
    UNSUBSCRIBE = "unsubscribe", _("no more messages on one channel")


class AccessLink(models.Model):
    """A secret address given to one client for one purpose; only the hash of its token is kept."""

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="access_links")
    client = models.ForeignKey(Client, models.PROTECT, related_name="access_links")
    purpose = models.CharField(max_length=12, choices=LinkPurpose)
    # SHA-256 of the token, in hexadecimal digits.
    token_hash = models.CharField(max_length=64, unique=True)
    # What it is about, such as "session:<code>" or "channel:email"; no key, so that nothing here blocks erasure.
    subject_key = models.CharField(max_length=60)
    # The message that carried it.
    reminder_code = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    use_count = models.PositiveIntegerField(default=0)

    objects = ClinicScopedQuerySet["AccessLink"].as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(created_at__lt=F("expires_at")), name="access_link_lives_a_while"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["client", "purpose"], name="access_link_by_client"),
            # What has expired is removed after a while.
            models.Index(fields=["expires_at"], name="access_link_by_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} link of client {self.client_id}"


class ErasureRequest(models.Model):
    """That a client asked for everything about them to be erased, until a person has seen to it."""

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="erasure_requests")
    client = models.ForeignKey(Client, models.PROTECT, related_name="erasure_requests")
    asked_at = models.DateTimeField()
    handled_at = models.DateTimeField(null=True, blank=True)

    objects = ClinicScopedQuerySet["ErasureRequest"].as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["client"], condition=Q(handled_at__isnull=True), name="erasure_request_one_open"
            ),
        ]
        indexes: ClassVar = [
            # What waits for a person.
            models.Index(
                fields=["clinic", "asked_at"],
                condition=Q(handled_at__isnull=True),
                name="erasure_request_open",
            ),
        ]

    def __str__(self) -> str:
        return f"erasure request of client {self.client_id}"
