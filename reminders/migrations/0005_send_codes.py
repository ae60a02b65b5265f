"""Codes by which clients prove who they are, as messages of their own."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reminders", "0004_tell_of_earlier_slots"),
    ]

    operations = [
        migrations.AlterField(
            model_name="reminder",
            name="trigger",
            field=models.CharField(
                choices=[
                    ("before_session", "before a session"),
                    ("preparation", "preparation for a session"),
                    ("missed_session", "missed session"),
                    ("overdue", "overdue"),
                    ("book_next", "book your next session"),
                    ("maintenance_due", "maintenance due"),
                    ("schedule", "schedule"),
                    ("change", "change of the schedule"),
                    ("earlier_slot", "an earlier time is free"),
                    ("access_code", "a code for the client's pages"),
                    ("course_completed", "course completed"),
                    ("staff_digest", "morning digest for staff"),
                ],
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="reminderrule",
            name="trigger",
            field=models.CharField(
                choices=[
                    ("before_session", "before a session"),
                    ("preparation", "preparation for a session"),
                    ("missed_session", "missed session"),
                    ("overdue", "overdue"),
                    ("book_next", "book your next session"),
                    ("maintenance_due", "maintenance due"),
                    ("schedule", "schedule"),
                    ("change", "change of the schedule"),
                    ("earlier_slot", "an earlier time is free"),
                    ("access_code", "a code for the client's pages"),
                    ("course_completed", "course completed"),
                    ("staff_digest", "morning digest for staff"),
                ],
                max_length=20,
            ),
        ),
    ]
