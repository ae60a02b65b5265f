"""Background jobs; on PostgreSQL nobody starts one in another clinic than their own."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

from clinics.postgres import keep, name_with_clinic, stay_in_clinic


class Migration(migrations.Migration):
    dependencies = [
        ("clinics", "0001_create_clinics"),
    ]

    operations = [
        migrations.CreateModel(
            name="BackgroundJob",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("kind", models.CharField(max_length=40)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("running", "running"),
                            ("done", "done"),
                            ("failed", "failed"),
                            ("cancelled", "broken off"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("parameters", models.JSONField(default=dict)),
                ("result", models.JSONField(default=dict)),
                ("error_code", models.CharField(blank=True, max_length=40)),
                ("done_count", models.PositiveIntegerField(default=0)),
                ("total_count", models.PositiveIntegerField(default=0)),
                ("created_at", models.DateTimeField()),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("generation", models.PositiveIntegerField(default=0)),
                ("attempt_count", models.PositiveSmallIntegerField(default=0)),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="jobs", to="clinics.clinic"
                    ),
                ),
                (
                    "started_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="jobs",
                        to="clinics.staffmember",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at", "-pk"),
                "indexes": [
                    models.Index(fields=["clinic", "-created_at"], name="job_by_clinic"),
                    models.Index(
                        condition=models.Q(("status__in", ("waiting", "running"))),
                        fields=["created_at"],
                        name="job_unfinished",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["waiting", "running", "done", "failed", "cancelled"])
                        ),
                        name="job_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("lease_until__isnull", False), ("status", "running")),
                            models.Q(
                                models.Q(("status", "running"), _negated=True), ("lease_until__isnull", True)
                            ),
                            _connector="OR",
                        ),
                        name="job_leased_while_running",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("ended_at__isnull", False), ("status__in", ("done", "failed", "cancelled"))
                            ),
                            models.Q(
                                models.Q(("status__in", ("done", "failed", "cancelled")), _negated=True),
                                ("ended_at__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="job_ended_with_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "failed"), models.Q(("error_code", ""), _negated=True)),
                            models.Q(models.Q(("status", "failed"), _negated=True), ("error_code", "")),
                            _connector="OR",
                        ),
                        name="job_failed_with_code",
                    ),
                ],
            },
        ),
        keep(
            name_with_clinic("clinics_backgroundjob"),
            stay_in_clinic("clinics_backgroundjob", "started_by_id", "clinics_staffmember"),
        ),
    ]
