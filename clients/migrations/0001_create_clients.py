"""Clients; on PostgreSQL nothing of theirs points into another clinic."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

from clinics.postgres import keep, name_with_clinic, stay_in_clinic

# (child table, column, parent table)
_CHILDREN = (
    ("clients_client", "prefers_practitioner_id", "clinics_staffmember"),
    ("clients_contactpoint", "client_id", "clients_client"),
    ("clients_consent", "client_id", "clients_client"),
    ("clients_accesslink", "client_id", "clients_client"),
)


class Migration(migrations.Migration):
    replaces = [
        ("clients", "0001_initial"),
        ("clients", "0002_initial"),
        ("clients", "0003_require_whole_withdrawals"),
        ("clients", "0004_add_access_links"),
        ("clients", "0005_index_disabled_addresses"),
    ]

    initial = True

    dependencies = [
        ("clinics", "0001_create_clinics"),
    ]

    operations = [
        migrations.CreateModel(
            name="Client",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("given_name", models.CharField(max_length=120)),
                ("family_name", models.CharField(blank=True, max_length=120)),
                ("birth_on", models.DateField(blank=True, null=True)),
                (
                    "language",
                    models.CharField(
                        choices=[("en", "English"), ("ru", "Russian")], default="en", max_length=5
                    ),
                ),
                ("time_zone", models.CharField(blank=True, max_length=64)),
                ("health_notes", models.TextField(blank=True)),
                ("prefers_weekdays", models.JSONField(blank=True, default=list)),
                ("prefers_from_time", models.TimeField(blank=True, null=True)),
                ("prefers_to_time", models.TimeField(blank=True, null=True)),
                ("search_text", models.TextField(blank=True, editable=False)),
                ("created_at", models.DateTimeField()),
                ("erased_at", models.DateTimeField(blank=True, null=True)),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="clients",
                        to="clinics.clinic",
                    ),
                ),
                (
                    "prefers_practitioner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="preferred_by",
                        to="clinics.staffmember",
                    ),
                ),
            ],
            options={
                "ordering": ("family_name", "given_name", "pk"),
                "indexes": [
                    models.Index(fields=["clinic", "family_name", "given_name"], name="client_by_name")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("prefers_from_time__isnull", True),
                            ("prefers_to_time__isnull", True),
                            ("prefers_from_time__lte", models.F("prefers_to_time")),
                            _connector="OR",
                        ),
                        name="client_preferred_times_in_order",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ContactPoint",
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
                ("value", models.CharField(max_length=254)),
                ("position", models.PositiveSmallIntegerField(default=0)),
                ("disabled_at", models.DateTimeField(blank=True, null=True)),
                ("disabled_reason", models.CharField(blank=True, max_length=120)),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contact_points",
                        to="clients.client",
                    ),
                ),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contact_points",
                        to="clinics.clinic",
                    ),
                ),
            ],
            options={
                "ordering": ("position", "pk"),
                "indexes": [
                    models.Index(
                        condition=models.Q(("disabled_at__isnull", False)),
                        fields=["clinic"],
                        name="contact_point_disabled",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("client", "channel", "value"), name="contact_point_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("disabled_at__isnull", True), ("disabled_reason", "")),
                            models.Q(
                                ("disabled_at__isnull", False),
                                models.Q(("disabled_reason", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="contact_point_disabled_with_reason",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Consent",
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
                ("granted_at", models.DateTimeField()),
                ("granted_source", models.CharField(max_length=40)),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                ("withdrawn_source", models.CharField(blank=True, max_length=40)),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="consents",
                        to="clients.client",
                    ),
                ),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="consents",
                        to="clinics.clinic",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("withdrawn_at__isnull", True)),
                        fields=("client", "channel"),
                        name="consent_one_in_force",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("withdrawn_at__isnull", True), ("withdrawn_source", "")),
                            models.Q(
                                ("withdrawn_at__gte", models.F("granted_at")),
                                ("withdrawn_at__isnull", False),
                                models.Q(("withdrawn_source", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="consent_withdrawn_after_granted",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AccessLink",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("session", "one visit: see, confirm, cancel"),
                            ("unsubscribe", "no more messages on one channel"),
                        ],
                        max_length=12,
                    ),
                ),
                ("token_hash", models.CharField(max_length=64, unique=True)),
                ("subject_key", models.CharField(max_length=60)),
                ("reminder_code", models.UUIDField(blank=True, null=True)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                ("last_used_at", models.DateTimeField(blank=True, null=True)),
                ("use_count", models.PositiveIntegerField(default=0)),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="access_links",
                        to="clients.client",
                    ),
                ),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="access_links",
                        to="clinics.clinic",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["client", "purpose"], name="access_link_by_client"),
                    models.Index(fields=["expires_at"], name="access_link_by_expiry"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("created_at__lt", models.F("expires_at"))),
                        name="access_link_lives_a_while",
                    )
                ],
            },
        ),
        keep(
            name_with_clinic("clients_client"),
            *(stay_in_clinic(*row) for row in _CHILDREN),
        ),
    ]
