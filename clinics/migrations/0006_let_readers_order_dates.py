"""Dates in the reader's own order, where the language alone does not say it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("clinics", "0005_guide_new_clinics"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="date_order",
            field=models.CharField(
                blank=True,
                choices=[("month-first", "month before day"), ("iso", "year, month, day")],
                max_length=12,
            ),
        ),
    ]
