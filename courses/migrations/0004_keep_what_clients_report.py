"""What clients say of a session afterwards."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

from clinics.postgres import keep, stay_in_clinic


class Migration(migrations.Migration):
    dependencies = [
        ("clinics", "0001_create_clinics"),
        ("courses", "0003_add_disruptions"),
    ]

    operations = [
        migrations.CreateModel(
            name="ReactionReport",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "reaction",
                    models.CharField(
                        choices=[
                            ("none", "none"),
                            ("redness", "redness"),
                            ("bruises", "bruises"),
                            ("pain", "pain"),
                        ],
                        max_length=10,
                    ),
                ),
                ("pain", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("note", models.CharField(blank=True, max_length=400)),
                ("needs_person", models.BooleanField(default=False)),
                ("reported_at", models.DateTimeField()),
                ("handled_at", models.DateTimeField(blank=True, null=True)),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reaction_reports",
                        to="clinics.clinic",
                    ),
                ),
                (
                    "session",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reaction_report",
                        to="courses.treatmentsession",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("handled_at__isnull", True), ("needs_person", True)),
                        fields=["clinic", "-reported_at"],
                        name="reaction_report_open",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("pain__isnull", True), ("pain__lte", 10), _connector="OR"),
                        name="reaction_report_pain_0_to_10",
                    )
                ],
            },
        ),
        keep(stay_in_clinic("courses_reactionreport", "session_id", "courses_treatmentsession")),
    ]
