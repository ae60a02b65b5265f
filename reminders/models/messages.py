"""Messages to clients and staff: from the moment one is wanted to what became of it."""

import uuid
from typing import ClassVar, Final

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from clients.models import Channel, Client, ContactPoint
from clinics.models import Clinic, ClinicScopedQuerySet, StaffMember
from courses.models import Course, TreatmentSession
from reminders.models.rules import ReminderRule, Trigger


class ReminderState(models.TextChoices):
    DUE = "due", pgettext_lazy("reminder", "due")
    CLAIMED = "claimed", _("being sent")
    SENT = "sent", _("sent")
    FAILED = "failed", _("failed")
    EXPIRED = "expired", _("expired")
    CANCELLED = "cancelled", _("cancelled")
    SUPPRESSED = "suppressed", _("suppressed")
    UNCERTAIN = "uncertain", _("uncertain")


LIVE_STATES: Final = ("due", "claimed")
DECIDED_STATES: Final = ("sent", "failed", "expired", "cancelled", "suppressed", "uncertain")


class Reason(models.TextChoices):
    """Why a message was not sent, or what is known about one that perhaps was."""

    NO_CONTACT = "no_contact", _("the client has no address on this channel")
    CONTACT_DISABLED = "contact_disabled", _("the client's address does not work")
    NO_CONSENT = "no_consent", _("the client has not agreed to this channel")
    NO_CHANNEL = "no_channel", _("this channel is not set up")
    QUIET_HOURS = "quiet_hours", _("only quiet hours were left")
    CAPPED = "capped", _("the client has had the day's most messages")
    ALREADY_CONFIRMED = "already_confirmed", _("the client has already confirmed")
    STALE = "stale", _("it was too late to be of use")
    SESSION_MOVED = "session_moved", _("the session was moved")
    SESSION_CANCELLED = "session_cancelled", _("the session was cancelled")
    SESSION_OVER = "session_over", _("the session is over")
    PAUSED = "paused", _("the course is paused then")
    CLINIC_CLOSED = "clinic_closed", _("the clinic is closed that day")
    COURSE_ENDED = "course_ended", _("the course has ended")
    NOT_NEEDED = "not_needed", _("there was no longer a need for it")
    CLIENT_ERASED = "client_erased", _("the client's data were erased")
    RULE_OFF = "rule_off", _("the rule was switched off")
    BOUNCED = "bounced", _("the address does not exist")
    REFUSED = "refused", _("the mail server refused it")
    GAVE_UP = "gave_up", _("it could not be delivered in time")
    BROKEN = "broken", _("the message could not be written")
    HELD = "held", _("it was held back after a restore and not released")
    CLINIC_INACTIVE = "clinic_inactive", _("the clinic was deactivated then")
    STOPPED = "stopped", _("a member of staff stopped it")
    CHANNEL_PAUSED = "channel_paused", _("the channel did not work in time")
    HELD_OUT = "held_out", _("the session is in the group that gets no reminder, to tell what reminders do")
    LOST_IN_FLIGHT = "lost_in_flight", _("the connection broke before the server answered")


class Delivery(models.TextChoices):
    """What a provider reported about a message that was sent, the later word weighing more."""

    DELIVERED = "delivered", _("delivered")
    BOUNCED = "bounced", _("bounced")
    COMPLAINED = "complained", _("reported as unwanted")


class Reminder(models.Model):
    """One message to one client over one channel, from the moment it is wanted to what became of it."""

    # A message is written several times on its way, each time into every index: where one below begins with the
    # same column, or few rows have any value, the reference needs none of its own.
    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="reminders", db_index=False)
    # Whom it is for: a client, or, for a digest, a member of staff.
    client = models.ForeignKey(
        Client, models.PROTECT, null=True, blank=True, related_name="reminders", db_index=False
    )
    staff_member = models.ForeignKey(
        StaffMember, models.PROTECT, null=True, blank=True, related_name="reminders", db_index=False
    )
    course = models.ForeignKey(
        Course, models.PROTECT, null=True, blank=True, related_name="reminders", db_index=False
    )
    session = models.ForeignKey(
        TreatmentSession, models.PROTECT, null=True, blank=True, related_name="reminders"
    )
    rule = models.ForeignKey(ReminderRule, models.PROTECT, related_name="reminders", db_index=False)
    rule_version = models.PositiveIntegerField()
    trigger = models.CharField(max_length=20, choices=Trigger)
    channel = models.CharField(max_length=10, choices=Channel)
    # What it is about: "session:<code>", "course:<code>" or "staff:<code>", at that version, and the how-manieth.
    subject_key = models.CharField(max_length=60)
    subject_revision = models.PositiveIntegerField()
    occurrence = models.PositiveSmallIntegerField(default=0)
    # What it says, as a fingerprint: the slot, the awaited session, the list of bookings.
    about = models.CharField(max_length=80)
    send_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=ReminderState, default=ReminderState.DUE)
    decision_reason = models.CharField(max_length=20, choices=Reason, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    # The claim: who works on it until when; a claim with an older generation is void.
    lease_owner = models.CharField(max_length=64, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    generation = models.PositiveIntegerField(default=0)
    # Set while it is on the wire: from then on it cannot be called back.
    on_wire_at = models.DateTimeField(null=True, blank=True)
    attempt_count = models.PositiveSmallIntegerField(default=0)
    # Attempts of which nobody knows whether they arrived.
    uncertain_count = models.PositiveSmallIntegerField(default=0)
    retry_at = models.DateTimeField(null=True, blank=True)
    message_id = models.CharField(max_length=200, blank=True)
    # The message it went out with, when several went as one.
    sent_with = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="carried_reminders", db_index=False
    )
    # The message that could not be delivered, for which this one goes over the next channel.
    fallback_for = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="fallbacks", db_index=False
    )
    # What the provider reported afterwards; it only ever moves forward: nothing, delivered, bounced, complained.
    delivery = models.CharField(max_length=10, choices=Delivery, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    # What a schedule told: [[session code, start in UTC], ...]; codes and instants only.
    told = models.JSONField(default=list, blank=True)
    # When a person said that nothing more is to be done about a message that went wrong; who, says the audit trail.
    handled_at = models.DateTimeField(null=True, blank=True)

    objects = ClinicScopedQuerySet["Reminder"].as_manager()

    class Meta:
        constraints: ClassVar = [
            # However many schedulers run at once, one message.
            models.UniqueConstraint(
                fields=["rule", "subject_key", "subject_revision", "channel", "occurrence"],
                name="reminder_once",
            ),
            models.CheckConstraint(
                condition=Q(send_at__lt=F("expires_at")), name="reminder_sent_before_expiry"
            ),
            models.CheckConstraint(
                condition=Q(client__isnull=False, staff_member__isnull=True)
                | Q(client__isnull=True, staff_member__isnull=False, trigger="staff_digest"),
                name="reminder_one_recipient",
            ),
            models.CheckConstraint(
                condition=Q(delivery="", delivered_at__isnull=True)
                | (~Q(delivery="") & Q(delivered_at__isnull=False)),
                name="reminder_delivery_with_time",
            ),
            models.CheckConstraint(
                condition=Q(state__in=LIVE_STATES, decided_at__isnull=True, decision_reason="")
                | Q(state="sent", decided_at__isnull=False)
                | (
                    Q(state__in=("failed", "expired", "cancelled", "suppressed", "uncertain"))
                    & Q(decided_at__isnull=False)
                    & ~Q(decision_reason="")
                ),
                name="reminder_decision_with_reason",
            ),
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False)
                | (~Q(state="sent") & Q(sent_at__isnull=True)),
                name="reminder_sent_with_time",
            ),
            models.CheckConstraint(
                condition=(Q(state="claimed", lease_until__isnull=False) & ~Q(lease_owner=""))
                | (
                    ~Q(state="claimed") & Q(lease_until__isnull=True, lease_owner="", on_wire_at__isnull=True)
                ),
                name="reminder_claimed_with_lease",
            ),
        ]
        indexes: ClassVar = [
            # The senders' scan: what is due now, oldest first, in this very order, so that a claim reads no more
            # than it takes.
            models.Index(fields=["send_at", "id"], condition=Q(state="due"), name="reminder_due_in_order"),
            # What has outlived its use.
            models.Index(fields=["expires_at"], condition=Q(state="due"), name="reminder_outlived"),
            # Claims whose sender went silent.
            models.Index(fields=["lease_until"], condition=Q(state="claimed"), name="reminder_claimed"),
            # Every change of a course compares its rows; its page lists them.
            models.Index(fields=["course", "send_at"], name="reminder_by_course"),
            # Whether a client has an earlier message waiting or on its way, which goes first.
            models.Index(
                fields=["client", "channel", "send_at"],
                condition=Q(state__in=("due", "claimed")),
                name="reminder_live_by_client",
            ),
            # The day's count of a client; the client's page.
            models.Index(fields=["client", "-send_at"], name="reminder_by_client"),
            # The few that have one.
            models.Index(
                fields=["staff_member"], condition=Q(staff_member__isnull=False), name="reminder_by_staff"
            ),
            models.Index(
                fields=["sent_with"], condition=Q(sent_with__isnull=False), name="reminder_carried_by"
            ),
            models.Index(
                fields=["fallback_for"], condition=Q(fallback_for__isnull=False), name="reminder_fallback_for"
            ),
            # A clinic's messages by state, newest first.
            models.Index(fields=["clinic", "state", "-send_at"], name="reminder_by_clinic"),
            # What a person still has to look at: its number stands in the menu of every page.
            models.Index(
                fields=["clinic", "-send_at"],
                condition=Q(state__in=("failed", "uncertain"), handled_at__isnull=True),
                name="reminder_needs_person",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.trigger} {self.code}"

    @property
    def is_live(self) -> bool:
        return self.state in LIVE_STATES


class AttemptOutcome(models.TextChoices):
    SENDING = "sending", _("sending")
    SENT = "sent", _("accepted")
    TRANSIENT = "transient", _("failed for now")
    PERMANENT = "permanent", _("refused")
    UNCERTAIN = "uncertain", _("no answer")


class DeliveryAttempt(models.Model):
    """One try to hand a message over; written before it starts, so that a crash leaves its trace."""

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="delivery_attempts")
    # Found by "attempt_numbered".
    reminder = models.ForeignKey(Reminder, models.PROTECT, related_name="attempts", db_index=False)
    number = models.PositiveSmallIntegerField()
    generation = models.PositiveIntegerField()
    # A client's changed address takes its row away; that there was an attempt stays on record.
    contact_point = models.ForeignKey(ContactPoint, models.SET_NULL, null=True, blank=True, related_name="+")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=10, choices=AttemptOutcome, default=AttemptOutcome.SENDING)
    # What the provider calls it, where it says so; its reports name it.
    provider_id = models.CharField(max_length=120, blank=True)
    # A short code such as "smtp-451"; never the server's words, which may hold an address.
    error_code = models.CharField(max_length=40, blank=True)

    objects = ClinicScopedQuerySet["DeliveryAttempt"].as_manager()

    class Meta:
        ordering = ("number",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["reminder", "number"], name="attempt_numbered"),
            models.CheckConstraint(
                condition=Q(outcome="sending", finished_at__isnull=True)
                | (~Q(outcome="sending") & Q(finished_at__isnull=False)),
                name="attempt_finished_with_outcome",
            ),
        ]
        indexes: ClassVar = [
            # A provider's report names its own id.
            models.Index(fields=["provider_id"], condition=~Q(provider_id=""), name="attempt_by_provider_id"),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number} of reminder {self.reminder_id}"


class DeliveryReport(models.Model):
    """What a provider told about a message afterwards; each of its events counts once."""

    clinic = models.ForeignKey(Clinic, models.PROTECT, null=True, blank=True, related_name="delivery_reports")
    # Null until the message is found: a report may come before the attempt is on record.
    reminder = models.ForeignKey(
        Reminder, models.PROTECT, null=True, blank=True, related_name="delivery_reports"
    )
    provider = models.CharField(max_length=30)
    provider_id = models.CharField(max_length=120, blank=True)
    event_id = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=Delivery)
    is_permanent = models.BooleanField(default=False)
    happened_at = models.DateTimeField()
    received_at = models.DateTimeField()

    objects = ClinicScopedQuerySet["DeliveryReport"].as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["provider", "event_id"], name="delivery_report_once"),
        ]
        indexes: ClassVar = [
            # Reports still without their message, for the reconciler.
            models.Index(
                fields=["received_at"], condition=Q(reminder__isnull=True), name="delivery_report_unmatched"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} by {self.provider}"


class AnswerKind(models.TextChoices):
    CONFIRM = "confirm", _("confirmed")
    CANCEL = "cancel", _("cancelled")
    MOVE = "move", _("moved")
    BOOK = "book", _("booked")
    STOP = "stop", _("wants no more messages")
    START = "start", _("wants messages again")
    OTHER = "other", _("wrote something else")


class AnswerVia(models.TextChoices):
    LINK = "link", _("by link")
    SMS = "sms", _("by SMS")
    UNSUBSCRIBE = "unsubscribe", _("by the mail program's unsubscribe button")
    PROVIDER = "provider", _("through the provider")


class Answer(models.Model):
    """What a client answered to a message, and whether it changed anything."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="answers")
    client = models.ForeignKey(Client, models.PROTECT, related_name="answers")
    reminder = models.ForeignKey(Reminder, models.PROTECT, null=True, blank=True, related_name="answers")
    session = models.ForeignKey(
        TreatmentSession, models.PROTECT, null=True, blank=True, related_name="answers"
    )
    kind = models.CharField(max_length=10, choices=AnswerKind)
    via = models.CharField(max_length=12, choices=AnswerVia)
    channel = models.CharField(max_length=10, choices=Channel, blank=True)
    # What tells a repeated event from a new one; blank where a press on a page was already counted once.
    event_key = models.CharField(max_length=160, blank=True)
    # What the client wrote, where nobody but a person can read it.
    text = models.CharField(max_length=1000, blank=True)
    # Why it changed nothing, as a short code; blank when it did what was asked.
    refusal = models.CharField(max_length=40, blank=True)
    answered_at = models.DateTimeField()
    # When a person has read what no machine understood.
    handled_at = models.DateTimeField(null=True, blank=True)

    objects = ClinicScopedQuerySet["Answer"].as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event_key"], condition=~Q(event_key=""), name="answer_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["client", "-answered_at"], name="answer_by_client"),
            models.Index(
                fields=["clinic", "-answered_at"],
                condition=Q(kind="other", handled_at__isnull=True),
                name="answer_needs_person",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.via}"
