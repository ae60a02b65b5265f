"""Words that rules are chosen by are known words."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("clinics", "0012_hold_reminders_out"),
        ("courses", "0013_index_courses_by_start"),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="flag",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "overdue",
                            "lapsed",
                            "interrupted",
                            "unbooked",
                            "booked_late",
                            "misbooked",
                            "too_frequent",
                            "behind",
                            "missed_streak",
                            "decision_due",
                            "unrecorded",
                            "contraindicated",
                            "off_protocol",
                        ],
                    )
                ),
                name="flag_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="flag",
            constraint=models.CheckConstraint(
                condition=models.Q(("severity__in", ["notice", "warning", "serious"])),
                name="flag_severity_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="flag",
            constraint=models.CheckConstraint(
                condition=models.Q(("cause__in", ["", "client", "clinic", "both", "scheduling"])),
                name="flag_cause_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="pause",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("reason__in", ["bruises", "illness", "bleeding", "travel", "clinic", "other"])
                ),
                name="pause_reason_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="phase",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["intensive", "maintenance"])), name="phase_kind_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="protocolcontraindication",
            constraint=models.CheckConstraint(
                condition=models.Q(("strength__in", ["permanent", "temporary", "caution"])),
                name="protocol_condition_strength_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="protocolphase",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["intensive", "maintenance"])),
                name="protocolphase_kind_known",
            ),
        ),
    ]
