"""Disruptions with the sessions that they hit; PostgreSQL refuses those of another clinic."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

from clinics.postgres import keep, name_with_clinic, stay_in_clinic

# (child table, column, parent table)
_CHILDREN = (
    ("courses_disruption", "practitioner_id", "clinics_staffmember"),
    ("courses_disruption", "job_id", "clinics_backgroundjob"),
    ("courses_disruption", "created_by_id", "clinics_staffmember"),
    ("courses_disruptedsession", "disruption_id", "courses_disruption"),
    ("courses_disruptedsession", "course_id", "courses_course"),
    ("courses_disruptedsession", "session_id", "courses_treatmentsession"),
    ("courses_disruptedsession", "practitioner_id", "clinics_staffmember"),
    ("courses_disruptedsession", "room_id", "clinics_room"),
    ("courses_disruptedsession", "new_practitioner_id", "clinics_staffmember"),
    ("courses_disruptedsession", "new_room_id", "clinics_room"),
)


class Migration(migrations.Migration):
    dependencies = [
        ("clinics", "0002_add_background_jobs"),
        ("courses", "0002_retire_protocols"),
    ]

    operations = [
        migrations.AlterField(
            model_name="planrevision",
            name="policy",
            field=models.CharField(
                choices=[
                    ("prescribe", "first plan"),
                    ("shift", "shift the rest"),
                    ("catch_up", "catch up inside the windows"),
                    ("drop", "drop the missed one"),
                    ("roll_forward", "rolled forward"),
                    ("disruption", "moved because of an absence or closure"),
                ],
                max_length=12,
            ),
        ),
        migrations.CreateModel(
            name="Disruption",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("from_on", models.DateField()),
                ("to_on", models.DateField()),
                ("reason", models.CharField(blank=True, max_length=120)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("planning", "being planned"),
                            ("planned", "planned"),
                            ("applying", "being applied"),
                            ("applied", "applied"),
                        ],
                        default="planning",
                        max_length=10,
                    ),
                ),
                ("calendar_version", models.PositiveIntegerField()),
                ("is_recorded", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="disruptions",
                        to="clinics.clinic",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinics.staffmember",
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
                    "practitioner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="disruptions",
                        to="clinics.staffmember",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at", "-pk"),
            },
        ),
        migrations.CreateModel(
            name="DisruptedSession",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("position", models.PositiveIntegerField()),
                ("is_hit", models.BooleanField(default=True)),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("drift", models.JSONField(default=list)),
                ("course_version", models.PositiveIntegerField(blank=True, null=True)),
                ("new_starts_at", models.DateTimeField(blank=True, null=True)),
                ("new_ends_at", models.DateTimeField(blank=True, null=True)),
                ("days_outside", models.PositiveSmallIntegerField(default=0)),
                ("why", models.JSONField(default=list)),
                (
                    "choice",
                    models.CharField(
                        choices=[
                            ("move", "Take the time proposed"),
                            ("leave", "Leave it"),
                            ("cancel", "Cancel it"),
                        ],
                        default="move",
                        max_length=10,
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("moved", "moved"),
                            ("left", "left"),
                            ("cancelled", "cancelled"),
                            ("refused", "not moved"),
                        ],
                        max_length=10,
                    ),
                ),
                ("refusal", models.CharField(blank=True, max_length=40)),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="clinics.clinic"
                    ),
                ),
                (
                    "course",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="courses.course"
                    ),
                ),
                (
                    "new_practitioner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinics.staffmember",
                    ),
                ),
                (
                    "new_room",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinics.room",
                    ),
                ),
                (
                    "practitioner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinics.staffmember",
                    ),
                ),
                (
                    "room",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinics.room",
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="courses.treatmentsession",
                    ),
                ),
                (
                    "disruption",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sessions",
                        to="courses.disruption",
                    ),
                ),
            ],
            options={
                "ordering": ("position",),
            },
        ),
        migrations.AddIndex(
            model_name="disruption",
            index=models.Index(fields=["clinic", "-created_at"], name="disruption_by_clinic"),
        ),
        migrations.AddConstraint(
            model_name="disruption",
            constraint=models.CheckConstraint(
                condition=models.Q(("from_on__lte", models.F("to_on"))), name="disruption_not_upside_down"
            ),
        ),
        migrations.AddConstraint(
            model_name="disruption",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["planning", "planned", "applying", "applied"])),
                name="disruption_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="disruption",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at__isnull", False), ("status", "applied")),
                    models.Q(models.Q(("status", "applied"), _negated=True), ("ended_at__isnull", True)),
                    _connector="OR",
                ),
                name="disruption_applied_with_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="disruptedsession",
            constraint=models.UniqueConstraint(
                fields=("disruption", "session"), name="disrupted_session_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="disruptedsession",
            constraint=models.UniqueConstraint(
                fields=("disruption", "position"), name="disrupted_session_in_order"
            ),
        ),
        migrations.AddConstraint(
            model_name="disruptedsession",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("new_ends_at__isnull", True), ("new_starts_at__isnull", True)),
                    models.Q(
                        ("new_ends_at__isnull", False),
                        ("new_starts_at__isnull", False),
                        ("new_starts_at__lt", models.F("new_ends_at")),
                    ),
                    _connector="OR",
                ),
                name="disrupted_session_slot_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="disruptedsession",
            constraint=models.CheckConstraint(
                condition=models.Q(("choice__in", ["move", "leave", "cancel"])),
                name="disrupted_session_choice_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="disruptedsession",
            constraint=models.CheckConstraint(
                condition=models.Q(("outcome__in", ["", "moved", "left", "cancelled", "refused"])),
                name="disrupted_session_outcome_known",
            ),
        ),
        keep(name_with_clinic("courses_disruption"), *(stay_in_clinic(*row) for row in _CHILDREN)),
    ]
