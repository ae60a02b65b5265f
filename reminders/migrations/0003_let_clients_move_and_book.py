"""Answers of clients who move and book their visits themselves."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reminders", "0002_keep_fewer_indexes"),
    ]

    operations = [
        migrations.AlterField(
            model_name="answer",
            name="kind",
            field=models.CharField(
                choices=[
                    ("confirm", "confirmed"),
                    ("cancel", "cancelled"),
                    ("move", "moved"),
                    ("book", "booked"),
                    ("stop", "wants no more messages"),
                    ("start", "wants messages again"),
                    ("other", "wrote something else"),
                ],
                max_length=10,
            ),
        ),
    ]
