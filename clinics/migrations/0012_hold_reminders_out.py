"""A group of sessions without a reminder, to compare with."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("clinics", "0011_remember_answers"),
    ]

    operations = [
        migrations.AddField(
            model_name="clinic",
            name="reminder_holdout_percent",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddConstraint(
            model_name="clinic",
            constraint=models.CheckConstraint(
                condition=models.Q(("reminder_holdout_percent__lte", 50)), name="clinic_holdout_half_at_most"
            ),
        ),
    ]
