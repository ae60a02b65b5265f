"""What reports count of a session, in its own columns."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("courses", "0009_index_courses_by_due"),
    ]

    operations = [
        migrations.AddField(
            model_name="course",
            name="verdict_digest",
            field=models.CharField(blank=True, max_length=16),
        ),
        migrations.AddField(
            model_name="treatmentsession",
            name="late_cause",
            field=models.CharField(blank=True, max_length=10),
        ),
        migrations.AddField(
            model_name="treatmentsession",
            name="reminding",
            field=models.CharField(
                blank=True, choices=[("sent", "reminded"), ("held_out", "held out")], max_length=8
            ),
        ),
        migrations.AddField(
            model_name="treatmentsession",
            name="verdict",
            field=models.CharField(
                blank=True,
                choices=[("on_time", "on time"), ("early", "early"), ("late", "late")],
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="treatmentsession",
            name="verdict_days",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddIndex(
            model_name="course",
            index=models.Index(
                condition=models.Q(("verdict_digest", ""), models.Q(("status", "draft"), _negated=True)),
                fields=["clinic"],
                name="course_without_verdicts",
            ),
        ),
    ]
