"""Exported files and schedules; on PostgreSQL neither a row nor whom it names belongs to another clinic."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

from clinics.postgres import keep, name_with_clinic, stay_in_clinic


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("clinics", "0006_let_readers_order_dates"),
    ]

    operations = [
        migrations.CreateModel(
            name="ExportSchedule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("choice", models.JSONField(default=dict)),
                (
                    "frequency",
                    models.CharField(
                        choices=[
                            ("daily", "every day"),
                            ("weekly", "every week"),
                            ("monthly", "on the first of every month"),
                        ],
                        max_length=8,
                    ),
                ),
                ("at_time", models.TimeField()),
                ("weekday", models.PositiveSmallIntegerField(default=1)),
                ("next_run_at", models.DateTimeField()),
                ("covered_to_on", models.DateField(blank=True, null=True)),
                ("last_run_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField()),
                ("stopped_at", models.DateTimeField(blank=True, null=True)),
                (
                    "stop_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("removed", "taken off"),
                            ("right_lost", "the recipient may not export any more"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="export_schedules",
                        to="clinics.clinic",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinics.staffmember",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="export_schedules",
                        to="clinics.staffmember",
                    ),
                ),
            ],
            options={
                "ordering": ("created_at", "pk"),
            },
        ),
        migrations.CreateModel(
            name="ExportFile",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("choice", models.JSONField(default=dict)),
                ("name", models.CharField(max_length=60, unique=True)),
                ("row_count", models.PositiveIntegerField(default=0)),
                ("byte_count", models.PositiveBigIntegerField(default=0)),
                ("created_at", models.DateTimeField()),
                ("ready_at", models.DateTimeField(blank=True, null=True)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("told_at", models.DateTimeField(blank=True, null=True)),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="export_files",
                        to="clinics.clinic",
                    ),
                ),
                (
                    "job",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinics.backgroundjob",
                    ),
                ),
                (
                    "made_for",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="export_files",
                        to="clinics.staffmember",
                    ),
                ),
                (
                    "schedule",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="files",
                        to="exports.exportschedule",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at", "-pk"),
            },
        ),
        migrations.CreateModel(
            name="PseudonymKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sealed", models.TextField()),
                ("created_at", models.DateTimeField()),
                (
                    "clinic",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="clinics.clinic"
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="exportschedule",
            index=models.Index(
                condition=models.Q(("stopped_at__isnull", True)),
                fields=["next_run_at"],
                name="export_schedule_due",
            ),
        ),
        migrations.AddConstraint(
            model_name="exportschedule",
            constraint=models.CheckConstraint(
                condition=models.Q(("frequency__in", ["daily", "weekly", "monthly"])),
                name="export_frequency_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="exportschedule",
            constraint=models.CheckConstraint(
                condition=models.Q(("weekday__gte", 1), ("weekday__lte", 7)), name="export_weekday_iso"
            ),
        ),
        migrations.AddConstraint(
            model_name="exportschedule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("stop_reason", ""), ("stopped_at__isnull", True)),
                    models.Q(("stopped_at__isnull", False), models.Q(("stop_reason", ""), _negated=True)),
                    _connector="OR",
                ),
                name="export_schedule_stopped_with_reason",
            ),
        ),
        migrations.AddIndex(
            model_name="exportfile",
            index=models.Index(fields=["clinic", "-created_at"], name="export_file_by_clinic"),
        ),
        migrations.AddConstraint(
            model_name="exportfile",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("expires_at__isnull", True), ("ready_at__isnull", True)),
                    models.Q(("expires_at__isnull", False), ("ready_at__isnull", False)),
                    _connector="OR",
                ),
                name="export_file_expires_once_ready",
            ),
        ),
        keep(
            name_with_clinic("exports_exportschedule"),
            stay_in_clinic("exports_exportschedule", "member_id", "clinics_staffmember"),
            stay_in_clinic("exports_exportschedule", "created_by_id", "clinics_staffmember"),
            stay_in_clinic("exports_exportfile", "schedule_id", "exports_exportschedule"),
            stay_in_clinic("exports_exportfile", "made_for_id", "clinics_staffmember"),
            stay_in_clinic("exports_exportfile", "job_id", "clinics_backgroundjob"),
        ),
    ]
