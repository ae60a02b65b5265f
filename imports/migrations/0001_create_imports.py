"""Imported spreadsheets; on PostgreSQL neither a row nor its maker belongs to another clinic."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

from clinics.postgres import keep, name_with_clinic, stay_in_clinic


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("clinics", "0003_add_api_tokens"),
    ]

    operations = [
        migrations.CreateModel(
            name="ImportBatch",
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
                    models.CharField(choices=[("clients", "clients"), ("courses", "courses")], max_length=10),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("uploaded", "uploaded"),
                            ("checking", "being checked"),
                            ("checked", "checked"),
                            ("applying", "being imported"),
                            ("applied", "imported"),
                            ("undoing", "being undone"),
                            ("undone", "undone"),
                        ],
                        default="uploaded",
                        max_length=10,
                    ),
                ),
                ("file_name", models.CharField(max_length=120)),
                ("headings", models.JSONField(default=list)),
                ("columns", models.JSONField(default=dict)),
                ("language", models.CharField(choices=[("en", "English"), ("ru", "Russian")], max_length=5)),
                ("created_at", models.DateTimeField()),
                ("applied_at", models.DateTimeField(blank=True, null=True)),
                ("undone_at", models.DateTimeField(blank=True, null=True)),
                ("job_code", models.UUIDField(blank=True, null=True)),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="imports",
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
            ],
            options={
                "ordering": ("-created_at", "-pk"),
            },
        ),
        migrations.CreateModel(
            name="ImportRow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("cells", models.JSONField(default=list)),
                ("key", models.CharField(blank=True, max_length=64)),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("waiting", "not checked"),
                            ("new", "new"),
                            ("same", "here already"),
                            ("changed", "changed"),
                            ("refused", "refused"),
                            ("made", "made"),
                            ("updated", "brought up to date"),
                            ("undone", "undone"),
                            ("kept", "left as it is"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("problems", models.JSONField(default=list)),
                ("made_code", models.UUIDField(blank=True, null=True)),
                ("before", models.JSONField(default=dict)),
                ("event_id", models.PositiveBigIntegerField(blank=True, null=True)),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rows",
                        to="imports.importbatch",
                    ),
                ),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="import_rows",
                        to="clinics.clinic",
                    ),
                ),
            ],
            options={
                "ordering": ("number",),
            },
        ),
        migrations.AddConstraint(
            model_name="importbatch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("applied_at__isnull", False), ("status__in", ("applied", "undoing", "undone"))),
                    models.Q(
                        models.Q(("status__in", ("applied", "undoing", "undone")), _negated=True),
                        ("applied_at__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="import_applied_with_time",
            ),
        ),
        migrations.AddIndex(
            model_name="importrow",
            index=models.Index(fields=["batch", "outcome", "number"], name="import_row_by_outcome"),
        ),
        migrations.AddIndex(
            model_name="importrow",
            index=models.Index(fields=["batch", "key"], name="import_row_by_key"),
        ),
        migrations.AddConstraint(
            model_name="importrow",
            constraint=models.UniqueConstraint(fields=("batch", "number"), name="import_row_once"),
        ),
        keep(
            name_with_clinic("imports_importbatch"),
            stay_in_clinic("imports_importbatch", "created_by_id", "clinics_staffmember"),
            stay_in_clinic("imports_importrow", "batch_id", "imports_importbatch"),
        ),
    ]
