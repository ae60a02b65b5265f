"""Messages to clients as rows: the rules that want them, what was decided about each, and the clock's own record."""

import uuid
from typing import ClassVar, Final

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from clients.models import Channel, Client, ContactPoint
from clinics.models import Clinic, ClinicScopedQuerySet
from courses.models import Course, TreatmentSession


class Trigger(models.TextChoices):
    BEFORE_SESSION = "before_session", _("before a session")
    PREPARATION = "preparation", _("preparation for a session")
    MISSED_SESSION = "missed_session", _("missed session")
    OVERDUE = "overdue", _("overdue")
    BOOK_NEXT = "book_next", _("book your next session")
    MAINTENANCE_DUE = "maintenance_due", _("maintenance due")
    SCHEDULE = "schedule", _("schedule and its changes")
    COURSE_COMPLETED = "course_completed", _("course completed")


class ReminderState(models.TextChoices):
    DUE = "due", _("due")
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
    COURSE_ENDED = "course_ended", _("the course has ended")
    NOT_NEEDED = "not_needed", _("there was no longer a need for it")
    CLIENT_ERASED = "client_erased", _("the client's data were erased")
    RULE_OFF = "rule_off", _("the rule was switched off")
    BOUNCED = "bounced", _("the address does not exist")
    REFUSED = "refused", _("the mail server refused it")
    GAVE_UP = "gave_up", _("it could not be delivered in time")
    BROKEN = "broken", _("the message could not be written")
    LOST_IN_FLIGHT = "lost_in_flight", _("the connection broke before the server answered")


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
    # The clinic's own words by language: {"en": {"subject": "...", "intro": "..."}}; empty means ours.
    texts = models.JSONField(default=dict, blank=True)
    # Bumped by every change: a row records the version that made it.
    version = models.PositiveIntegerField(default=1)
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


class Reminder(models.Model):
    """One message to one client over one channel, from the moment it is wanted to what became of it."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="reminders")
    client = models.ForeignKey(Client, models.PROTECT, related_name="reminders")
    course = models.ForeignKey(Course, models.PROTECT, null=True, blank=True, related_name="reminders")
    session = models.ForeignKey(
        TreatmentSession, models.PROTECT, null=True, blank=True, related_name="reminders"
    )
    rule = models.ForeignKey(ReminderRule, models.PROTECT, related_name="reminders")
    rule_version = models.PositiveIntegerField()
    trigger = models.CharField(max_length=20, choices=Trigger)
    channel = models.CharField(max_length=10, choices=Channel)
    # What it is about: "session:<code>" or "course:<code>", at that version of it, and the how-manieth.
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
        "self", models.PROTECT, null=True, blank=True, related_name="carried_reminders"
    )
    # What a schedule told: [[session code, start in UTC], ...]; codes and instants only.
    told = models.JSONField(default=list, blank=True)

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
            # The senders' scan: what is due now, oldest first.
            models.Index(fields=["send_at"], condition=Q(state="due"), name="reminder_due"),
            # What has outlived its use.
            models.Index(fields=["expires_at"], condition=Q(state="due"), name="reminder_outlived"),
            # Claims whose sender went silent.
            models.Index(fields=["lease_until"], condition=Q(state="claimed"), name="reminder_claimed"),
            # Every change of a course compares its rows; its page lists them.
            models.Index(fields=["course", "send_at"], name="reminder_by_course"),
            # The day's count of a client; the client's page.
            models.Index(fields=["client", "-send_at"], name="reminder_by_client"),
            # A clinic's messages by state, newest first.
            models.Index(fields=["clinic", "state", "-send_at"], name="reminder_by_clinic"),
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
    reminder = models.ForeignKey(Reminder, models.PROTECT, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    generation = models.PositiveIntegerField()
    # A client's changed address takes its row away; that there was an attempt stays on record.
    contact_point = models.ForeignKey(ContactPoint, models.SET_NULL, null=True, blank=True, related_name="+")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=10, choices=AttemptOutcome, default=AttemptOutcome.SENDING)
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

    def __str__(self) -> str:
        return f"attempt {self.number} of reminder {self.reminder_id}"


class KeptMail(models.Model):
    """A message kept in the database where no mail server is set up; what a recipient would have got."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # Null for mail that is no clinic's, such as a new password.
    clinic = models.ForeignKey(Clinic, models.PROTECT, null=True, blank=True, related_name="kept_mails")
    message_id = models.CharField(max_length=200, blank=True)
    from_header = models.CharField(max_length=320)
    to_header = models.TextField()
    subject = models.CharField(max_length=300)
    text = models.TextField()
    html = models.TextField(blank=True)
    kept_at = models.DateTimeField()

    objects = ClinicScopedQuerySet["KeptMail"].as_manager()

    class Meta:
        indexes: ClassVar = [
            # The mailbox page, newest first.
            models.Index(fields=["clinic", "-kept_at"], name="kept_mail_newest"),
        ]

    def __str__(self) -> str:
        return f"mail {self.code}"


class TickRun(models.Model):
    """One period of one periodic job: whoever inserts the row does the work, everybody else leaves."""

    job = models.CharField(max_length=40)
    period_start = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["job", "period_start"], name="tick_once_a_period"),
        ]

    def __str__(self) -> str:
        return f"{self.job} at {self.period_start:%Y-%m-%d %H:%M:%S}"


class JobState(models.Model):
    """When a periodic job last started and last succeeded, for the health page."""

    job = models.CharField(max_length=40, unique=True)
    last_started_at = models.DateTimeField()
    last_succeeded_at = models.DateTimeField(null=True, blank=True)
    last_counts = models.JSONField(default=dict)

    def __str__(self) -> str:
        return self.job
