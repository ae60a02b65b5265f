"""Indexes that no query needs go."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("clients", "0001_create_clients"),
        ("clinics", "0001_create_clinics"),
        ("courses", "0001_create_courses"),
        ("reminders", "0001_create_reminders"),
    ]

    operations = [
        migrations.AlterField(
            model_name="deliveryattempt",
            name="reminder",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="attempts",
                to="reminders.reminder",
            ),
        ),
        migrations.AlterField(
            model_name="reminder",
            name="client",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="reminders",
                to="clients.client",
            ),
        ),
        migrations.AlterField(
            model_name="reminder",
            name="clinic",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="reminders",
                to="clinics.clinic",
            ),
        ),
        migrations.AlterField(
            model_name="reminder",
            name="course",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="reminders",
                to="courses.course",
            ),
        ),
        migrations.AlterField(
            model_name="reminder",
            name="fallback_for",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="fallbacks",
                to="reminders.reminder",
            ),
        ),
        migrations.AlterField(
            model_name="reminder",
            name="rule",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="reminders",
                to="reminders.reminderrule",
            ),
        ),
        migrations.AlterField(
            model_name="reminder",
            name="sent_with",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="carried_reminders",
                to="reminders.reminder",
            ),
        ),
        migrations.AlterField(
            model_name="reminder",
            name="staff_member",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="reminders",
                to="clinics.staffmember",
            ),
        ),
        migrations.AddIndex(
            model_name="reminder",
            index=models.Index(
                condition=models.Q(("staff_member__isnull", False)),
                fields=["staff_member"],
                name="reminder_by_staff",
            ),
        ),
        migrations.AddIndex(
            model_name="reminder",
            index=models.Index(
                condition=models.Q(("sent_with__isnull", False)),
                fields=["sent_with"],
                name="reminder_carried_by",
            ),
        ),
        migrations.AddIndex(
            model_name="reminder",
            index=models.Index(
                condition=models.Q(("fallback_for__isnull", False)),
                fields=["fallback_for"],
                name="reminder_fallback_for",
            ),
        ),
    ]
