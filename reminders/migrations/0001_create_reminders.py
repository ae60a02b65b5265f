"""Rules, messages and answers; on PostgreSQL none of them points into another clinic."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

from clinics.postgres import keep, name_with_clinic, stay_in_clinic

_PARENTS = ("reminders_reminder", "reminders_reminderrule")
# (child table, column, parent table)
_CHILDREN = (
    ("reminders_ruleversion", "changed_by_id", "clinics_staffmember"),
    ("reminders_ruleversion", "rule_id", "reminders_reminderrule"),
    ("reminders_reminder", "fallback_for_id", "reminders_reminder"),
    ("reminders_reminder", "sent_with_id", "reminders_reminder"),
    ("reminders_reminder", "staff_member_id", "clinics_staffmember"),
    ("reminders_deliveryreport", "reminder_id", "reminders_reminder"),
    ("reminders_answer", "client_id", "clients_client"),
    ("reminders_answer", "reminder_id", "reminders_reminder"),
    ("reminders_answer", "session_id", "courses_treatmentsession"),
)
# These of reminders_reminder are named without the application.
_SHORTLY_NAMED = (
    ("client_id", "clients_client"),
    ("course_id", "courses_course"),
    ("session_id", "courses_treatmentsession"),
    ("rule_id", "reminders_reminderrule"),
)


class Migration(migrations.Migration):
    replaces = [
        ("reminders", "0001_add_rules_and_messages"),
        ("reminders", "0002_keep_tenants_apart"),
        ("reminders", "0003_rename_kept_mail"),
        ("reminders", "0004_add_channels_answers_and_reports"),
        ("reminders", "0005_keep_answers_in_their_clinic"),
        ("reminders", "0006_note_what_people_handled"),
        ("reminders", "0007_count_beats"),
        ("reminders", "0008_follow_changes_of_rules"),
        ("reminders", "0009_keep_what_clients_write"),
        ("reminders", "0010_find_due_rows_in_order"),
    ]

    initial = True

    dependencies = [
        ("clients", "0001_create_clients"),
        ("clinics", "0001_create_clinics"),
        ("courses", "0001_create_courses"),
    ]

    operations = [
        migrations.CreateModel(
            name="ChannelAccount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("email", "e-mail"),
                            ("sms", "SMS"),
                            ("telegram", "Telegram"),
                            ("whatsapp", "WhatsApp"),
                            ("webhook", "the clinic's own system"),
                        ],
                        max_length=10,
                    ),
                ),
                ("provider", models.SlugField(max_length=30)),
                ("settings", models.JSONField(blank=True, default=dict)),
                ("sealed_secrets", models.TextField(blank=True)),
                ("is_active", models.BooleanField(default=True)),
                ("per_minute", models.PositiveIntegerField(blank=True, null=True)),
                ("version", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField()),
                ("changed_at", models.DateTimeField()),
                ("tested_at", models.DateTimeField(blank=True, null=True)),
                ("test_code", models.CharField(blank=True, max_length=40)),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="channel_accounts",
                        to="clinics.clinic",
                    ),
                ),
            ],
            options={
                "ordering": ("channel",),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("clinic", "channel"), name="channel_account_once_per_clinic"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("channel", "email"), _negated=True),
                        name="channel_account_not_email",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("per_minute__isnull", True), ("per_minute__gte", 1), _connector="OR"
                        ),
                        name="channel_account_rate_positive",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ChannelHealth",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("scope", models.CharField(max_length=60, unique=True)),
                ("failure_count", models.PositiveIntegerField(default=0)),
                ("open_until", models.DateTimeField(blank=True, null=True)),
                ("last_error_code", models.CharField(blank=True, max_length=40)),
                ("last_failed_at", models.DateTimeField(blank=True, null=True)),
                ("last_succeeded_at", models.DateTimeField(blank=True, null=True)),
                (
                    "clinic",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="channel_health",
                        to="clinics.clinic",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "channel health",
            },
        ),
        migrations.CreateModel(
            name="RateBucket",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("email", "e-mail"),
                            ("sms", "SMS"),
                            ("telegram", "Telegram"),
                            ("whatsapp", "WhatsApp"),
                            ("webhook", "the clinic's own system"),
                        ],
                        max_length=10,
                    ),
                ),
                ("tokens", models.FloatField()),
                ("refilled_at", models.DateTimeField()),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rate_buckets",
                        to="clinics.clinic",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("clinic", "channel"), name="rate_bucket_once"),
                    models.CheckConstraint(
                        condition=models.Q(("tokens__gte", 0)), name="rate_bucket_not_overdrawn"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="KeptMessage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("message_id", models.CharField(blank=True, max_length=200)),
                ("from_header", models.CharField(max_length=320)),
                ("to_header", models.TextField()),
                ("subject", models.CharField(max_length=300)),
                ("text", models.TextField()),
                ("html", models.TextField(blank=True)),
                ("kept_at", models.DateTimeField()),
                (
                    "clinic",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="kept_messages",
                        to="clinics.clinic",
                    ),
                ),
                ("attachments", models.JSONField(blank=True, default=list)),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("email", "e-mail"),
                            ("sms", "SMS"),
                            ("telegram", "Telegram"),
                            ("whatsapp", "WhatsApp"),
                            ("webhook", "the clinic's own system"),
                        ],
                        default="email",
                        max_length=10,
                    ),
                ),
                ("headers", models.JSONField(blank=True, default=dict)),
            ],
            options={
                "indexes": [models.Index(fields=["clinic", "-kept_at"], name="kept_message_newest")],
            },
        ),
        migrations.CreateModel(
            name="TickRun",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("job", models.CharField(max_length=40)),
                ("period_start", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("job", "period_start"), name="tick_once_a_period")
                ],
            },
        ),
        migrations.CreateModel(
            name="JobState",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("job", models.CharField(max_length=40, unique=True)),
                ("last_started_at", models.DateTimeField()),
                ("last_succeeded_at", models.DateTimeField(blank=True, null=True)),
                ("last_counts", models.JSONField(default=dict)),
            ],
        ),
        migrations.CreateModel(
            name="Installation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("epoch", models.CharField(max_length=64)),
                ("seen_at", models.DateTimeField()),
                ("held_at", models.DateTimeField(blank=True, null=True)),
                ("held_reason", models.CharField(blank=True, max_length=40)),
                ("beat", models.PositiveBigIntegerField(default=0)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("pk", 1)), name="installation_one_row"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("held_at__isnull", True), ("held_reason", "")),
                            models.Q(
                                ("held_at__isnull", False), models.Q(("held_reason", ""), _negated=True)
                            ),
                            _connector="OR",
                        ),
                        name="installation_held_with_reason",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReminderRule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("slug", models.SlugField(max_length=40)),
                (
                    "trigger",
                    models.CharField(
                        choices=[
                            ("before_session", "before a session"),
                            ("preparation", "preparation for a session"),
                            ("missed_session", "missed session"),
                            ("overdue", "overdue"),
                            ("book_next", "book your next session"),
                            ("maintenance_due", "maintenance due"),
                            ("schedule", "schedule"),
                            ("change", "change of the schedule"),
                            ("course_completed", "course completed"),
                            ("staff_digest", "morning digest for staff"),
                        ],
                        max_length=20,
                    ),
                ),
                ("is_active", models.BooleanField(default=True)),
                ("channels", models.JSONField(default=list)),
                ("lead_days", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("lead_minutes", models.PositiveIntegerField(blank=True, null=True)),
                ("at_time", models.TimeField(blank=True, null=True)),
                ("wait_minutes", models.PositiveIntegerField(default=0)),
                ("useful_minutes", models.PositiveIntegerField()),
                ("repeat_days", models.PositiveSmallIntegerField(default=0)),
                ("cap_count", models.PositiveSmallIntegerField(default=1)),
                ("is_first_only", models.BooleanField(default=False)),
                ("skips_confirmed", models.BooleanField(default=False)),
                ("texts", models.JSONField(blank=True, default=dict)),
                ("version", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField()),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reminder_rules",
                        to="clinics.clinic",
                    ),
                ),
                ("timing_version", models.PositiveIntegerField(default=1)),
            ],
            options={
                "ordering": ("pk",),
                "constraints": [
                    models.UniqueConstraint(fields=("clinic", "slug"), name="rule_once_per_clinic"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("lead_days__isnull", True), ("lead_minutes__isnull", True), _connector="OR"
                        ),
                        name="rule_one_kind_of_lead",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("trigger__in", ("before_session", "preparation")), _negated=True),
                            models.Q(("lead_days__gte", 1), ("lead_days__isnull", False)),
                            models.Q(("lead_minutes__gte", 1), ("lead_minutes__isnull", False)),
                            _connector="OR",
                        ),
                        name="rule_before_session_has_lead",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("useful_minutes__gte", 1)), name="rule_useful_for_a_while"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("cap_count", 1),
                            models.Q(("cap_count__gte", 1), ("repeat_days__gte", 1)),
                            _connector="OR",
                        ),
                        name="rule_repeats_by_days",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RuleVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("values", models.JSONField()),
                ("changed_at", models.DateTimeField()),
                (
                    "changed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinics.staffmember",
                    ),
                ),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rule_versions",
                        to="clinics.clinic",
                    ),
                ),
                (
                    "rule",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="reminders.reminderrule",
                    ),
                ),
            ],
            options={
                "ordering": ("number",),
                "constraints": [
                    models.UniqueConstraint(fields=("rule", "number"), name="rule_version_numbered")
                ],
            },
        ),
        migrations.CreateModel(
            name="ResyncRequest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("after_course", models.PositiveBigIntegerField(default=0)),
                (
                    "clinic",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="resync_request",
                        to="clinics.clinic",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Reminder",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("rule_version", models.PositiveIntegerField()),
                (
                    "trigger",
                    models.CharField(
                        choices=[
                            ("before_session", "before a session"),
                            ("preparation", "preparation for a session"),
                            ("missed_session", "missed session"),
                            ("overdue", "overdue"),
                            ("book_next", "book your next session"),
                            ("maintenance_due", "maintenance due"),
                            ("schedule", "schedule"),
                            ("change", "change of the schedule"),
                            ("course_completed", "course completed"),
                            ("staff_digest", "morning digest for staff"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("email", "e-mail"),
                            ("sms", "SMS"),
                            ("telegram", "Telegram"),
                            ("whatsapp", "WhatsApp"),
                            ("webhook", "the clinic's own system"),
                        ],
                        max_length=10,
                    ),
                ),
                ("subject_key", models.CharField(max_length=60)),
                ("subject_revision", models.PositiveIntegerField()),
                ("occurrence", models.PositiveSmallIntegerField(default=0)),
                ("about", models.CharField(max_length=80)),
                ("send_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("due", "due"),
                            ("claimed", "being sent"),
                            ("sent", "sent"),
                            ("failed", "failed"),
                            ("expired", "expired"),
                            ("cancelled", "cancelled"),
                            ("suppressed", "suppressed"),
                            ("uncertain", "uncertain"),
                        ],
                        default="due",
                        max_length=10,
                    ),
                ),
                (
                    "decision_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("no_contact", "the client has no address on this channel"),
                            ("contact_disabled", "the client's address does not work"),
                            ("no_consent", "the client has not agreed to this channel"),
                            ("no_channel", "this channel is not set up"),
                            ("quiet_hours", "only quiet hours were left"),
                            ("capped", "the client has had the day's most messages"),
                            ("already_confirmed", "the client has already confirmed"),
                            ("stale", "it was too late to be of use"),
                            ("session_moved", "the session was moved"),
                            ("session_cancelled", "the session was cancelled"),
                            ("session_over", "the session is over"),
                            ("paused", "the course is paused then"),
                            ("clinic_closed", "the clinic is closed that day"),
                            ("course_ended", "the course has ended"),
                            ("not_needed", "there was no longer a need for it"),
                            ("client_erased", "the client's data were erased"),
                            ("rule_off", "the rule was switched off"),
                            ("bounced", "the address does not exist"),
                            ("refused", "the mail server refused it"),
                            ("gave_up", "it could not be delivered in time"),
                            ("broken", "the message could not be written"),
                            ("held", "it was held back after a restore and not released"),
                            ("stopped", "a member of staff stopped it"),
                            ("channel_paused", "the channel did not work in time"),
                            ("lost_in_flight", "the connection broke before the server answered"),
                        ],
                        max_length=20,
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField()),
                ("lease_owner", models.CharField(blank=True, max_length=64)),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("generation", models.PositiveIntegerField(default=0)),
                ("on_wire_at", models.DateTimeField(blank=True, null=True)),
                ("attempt_count", models.PositiveSmallIntegerField(default=0)),
                ("uncertain_count", models.PositiveSmallIntegerField(default=0)),
                ("retry_at", models.DateTimeField(blank=True, null=True)),
                ("message_id", models.CharField(blank=True, max_length=200)),
                ("told", models.JSONField(blank=True, default=list)),
                (
                    "client",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reminders",
                        to="clients.client",
                    ),
                ),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reminders",
                        to="clinics.clinic",
                    ),
                ),
                (
                    "course",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reminders",
                        to="courses.course",
                    ),
                ),
                (
                    "sent_with",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="carried_reminders",
                        to="reminders.reminder",
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reminders",
                        to="courses.treatmentsession",
                    ),
                ),
                (
                    "rule",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reminders",
                        to="reminders.reminderrule",
                    ),
                ),
                ("delivered_at", models.DateTimeField(blank=True, null=True)),
                (
                    "delivery",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("delivered", "delivered"),
                            ("bounced", "bounced"),
                            ("complained", "reported as unwanted"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "fallback_for",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="fallbacks",
                        to="reminders.reminder",
                    ),
                ),
                (
                    "staff_member",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reminders",
                        to="clinics.staffmember",
                    ),
                ),
                ("handled_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "due")), fields=["expires_at"], name="reminder_outlived"
                    ),
                    models.Index(
                        condition=models.Q(("state", "claimed")),
                        fields=["lease_until"],
                        name="reminder_claimed",
                    ),
                    models.Index(fields=["course", "send_at"], name="reminder_by_course"),
                    models.Index(fields=["client", "-send_at"], name="reminder_by_client"),
                    models.Index(fields=["clinic", "state", "-send_at"], name="reminder_by_clinic"),
                    models.Index(
                        condition=models.Q(("state__in", ("due", "claimed"))),
                        fields=["client", "channel", "send_at"],
                        name="reminder_live_by_client",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("handled_at__isnull", True), ("state__in", ("failed", "uncertain"))
                        ),
                        fields=["clinic", "-send_at"],
                        name="reminder_needs_person",
                    ),
                    models.Index(
                        condition=models.Q(("state", "due")),
                        fields=["send_at", "id"],
                        name="reminder_due_in_order",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("rule", "subject_key", "subject_revision", "channel", "occurrence"),
                        name="reminder_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("send_at__lt", models.F("expires_at"))),
                        name="reminder_sent_before_expiry",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("decided_at__isnull", True),
                                ("decision_reason", ""),
                                ("state__in", ("due", "claimed")),
                            ),
                            models.Q(("decided_at__isnull", False), ("state", "sent")),
                            models.Q(
                                ("state__in", ("failed", "expired", "cancelled", "suppressed", "uncertain")),
                                ("decided_at__isnull", False),
                                models.Q(("decision_reason", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="reminder_decision_with_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("sent_at__isnull", False), ("state", "sent")),
                            models.Q(models.Q(("state", "sent"), _negated=True), ("sent_at__isnull", True)),
                            _connector="OR",
                        ),
                        name="reminder_sent_with_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("lease_until__isnull", False),
                                ("state", "claimed"),
                                models.Q(("lease_owner", ""), _negated=True),
                            ),
                            models.Q(
                                models.Q(("state", "claimed"), _negated=True),
                                ("lease_owner", ""),
                                ("lease_until__isnull", True),
                                ("on_wire_at__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="reminder_claimed_with_lease",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("client__isnull", False), ("staff_member__isnull", True)),
                            models.Q(
                                ("client__isnull", True),
                                ("staff_member__isnull", False),
                                ("trigger", "staff_digest"),
                            ),
                            _connector="OR",
                        ),
                        name="reminder_one_recipient",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("delivered_at__isnull", True), ("delivery", "")),
                            models.Q(
                                models.Q(("delivery", ""), _negated=True), ("delivered_at__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="reminder_delivery_with_time",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DeliveryAttempt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveSmallIntegerField()),
                ("generation", models.PositiveIntegerField()),
                ("started_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("sending", "sending"),
                            ("sent", "accepted"),
                            ("transient", "failed for now"),
                            ("permanent", "refused"),
                            ("uncertain", "no answer"),
                        ],
                        default="sending",
                        max_length=10,
                    ),
                ),
                ("error_code", models.CharField(blank=True, max_length=40)),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="delivery_attempts",
                        to="clinics.clinic",
                    ),
                ),
                (
                    "contact_point",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="clients.contactpoint",
                    ),
                ),
                (
                    "reminder",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attempts",
                        to="reminders.reminder",
                    ),
                ),
                ("provider_id", models.CharField(blank=True, max_length=120)),
            ],
            options={
                "ordering": ("number",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("provider_id", ""), _negated=True),
                        fields=["provider_id"],
                        name="attempt_by_provider_id",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("reminder", "number"), name="attempt_numbered"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("finished_at__isnull", True), ("outcome", "sending")),
                            models.Q(
                                models.Q(("outcome", "sending"), _negated=True),
                                ("finished_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="attempt_finished_with_outcome",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DeliveryReport",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("provider", models.CharField(max_length=30)),
                ("provider_id", models.CharField(blank=True, max_length=120)),
                ("event_id", models.CharField(max_length=120)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("delivered", "delivered"),
                            ("bounced", "bounced"),
                            ("complained", "reported as unwanted"),
                        ],
                        max_length=10,
                    ),
                ),
                ("is_permanent", models.BooleanField(default=False)),
                ("happened_at", models.DateTimeField()),
                ("received_at", models.DateTimeField()),
                (
                    "clinic",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="delivery_reports",
                        to="clinics.clinic",
                    ),
                ),
                (
                    "reminder",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="delivery_reports",
                        to="reminders.reminder",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("reminder__isnull", True)),
                        fields=["received_at"],
                        name="delivery_report_unmatched",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("provider", "event_id"), name="delivery_report_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Answer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("confirm", "confirmed"),
                            ("cancel", "cancelled"),
                            ("stop", "wants no more messages"),
                            ("start", "wants messages again"),
                            ("other", "wrote something else"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "via",
                    models.CharField(
                        choices=[
                            ("link", "by link"),
                            ("sms", "by SMS"),
                            ("unsubscribe", "by the mail program's unsubscribe button"),
                            ("provider", "through the provider"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("email", "e-mail"),
                            ("sms", "SMS"),
                            ("telegram", "Telegram"),
                            ("whatsapp", "WhatsApp"),
                            ("webhook", "the clinic's own system"),
                        ],
                        max_length=10,
                    ),
                ),
                ("event_key", models.CharField(blank=True, max_length=160)),
                ("refusal", models.CharField(blank=True, max_length=40)),
                ("answered_at", models.DateTimeField()),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="answers",
                        to="clients.client",
                    ),
                ),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="answers",
                        to="clinics.clinic",
                    ),
                ),
                (
                    "reminder",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="answers",
                        to="reminders.reminder",
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="answers",
                        to="courses.treatmentsession",
                    ),
                ),
                ("handled_at", models.DateTimeField(blank=True, null=True)),
                ("text", models.CharField(blank=True, max_length=1000)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["client", "-answered_at"], name="answer_by_client"),
                    models.Index(
                        condition=models.Q(("handled_at__isnull", True), ("kind", "other")),
                        fields=["clinic", "-answered_at"],
                        name="answer_needs_person",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("event_key", ""), _negated=True),
                        fields=("event_key",),
                        name="answer_once",
                    )
                ],
            },
        ),
        keep(
            *(name_with_clinic(parent) for parent in _PARENTS),
            *(stay_in_clinic(*row) for row in _CHILDREN),
            *(
                stay_in_clinic("reminders_reminder", column, parent, name=f"reminder_{column}_same_clinic")
                for column, parent in _SHORTLY_NAMED
            ),
        ),
    ]
