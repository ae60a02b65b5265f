"""Sessions counted by the day, and what else reports look up."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("clients", "0003_add_merged_into"),
        ("clinics", "0012_hold_reminders_out"),
        ("courses", "0010_keep_verdicts"),
    ]

    operations = [
        migrations.CreateModel(
            name="DayTally",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("on", models.DateField()),
                ("is_confirmed", models.BooleanField()),
                (
                    "reminding",
                    models.CharField(
                        blank=True, choices=[("sent", "reminded"), ("held_out", "held out")], max_length=8
                    ),
                ),
                ("attended", models.PositiveIntegerField()),
                ("no_show", models.PositiveIntegerField()),
                ("cancelled_late", models.PositiveIntegerField()),
                ("walked_in", models.PositiveIntegerField()),
                ("on_time", models.PositiveIntegerField()),
                ("early", models.PositiveIntegerField()),
                ("late", models.PositiveIntegerField()),
                ("early_days", models.PositiveIntegerField()),
                ("late_days", models.PositiveIntegerField()),
                ("held_minutes", models.PositiveIntegerField()),
                ("attended_minutes", models.PositiveIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="HourTally",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("on", models.DateField()),
                ("hour", models.PositiveSmallIntegerField()),
                ("attended", models.PositiveIntegerField()),
                ("no_show", models.PositiveIntegerField()),
                ("cancelled_late", models.PositiveIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="StaleDay",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("on", models.DateField()),
            ],
        ),
        migrations.AddIndex(
            model_name="course",
            index=models.Index(fields=["clinic", "start_on"], name="course_by_start"),
        ),
        migrations.AddIndex(
            model_name="course",
            index=models.Index(
                condition=models.Q(("ended_at__isnull", False)),
                fields=["clinic", "ended_at"],
                name="course_by_end",
            ),
        ),
        migrations.AddIndex(
            model_name="flag",
            index=models.Index(fields=["clinic", "opened_at"], name="flag_by_opening"),
        ),
        migrations.AddField(
            model_name="daytally",
            name="clinic",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="clinics.clinic",
            ),
        ),
        migrations.AddField(
            model_name="daytally",
            name="practitioner",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="clinics.staffmember",
            ),
        ),
        migrations.AddField(
            model_name="daytally",
            name="protocol",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="courses.protocol",
            ),
        ),
        migrations.AddField(
            model_name="hourtally",
            name="clinic",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="clinics.clinic",
            ),
        ),
        migrations.AddField(
            model_name="hourtally",
            name="practitioner",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="clinics.staffmember",
            ),
        ),
        migrations.AddField(
            model_name="hourtally",
            name="protocol",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="courses.protocol",
            ),
        ),
        migrations.AddField(
            model_name="staleday",
            name="clinic",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="clinics.clinic",
            ),
        ),
        migrations.AddIndex(
            model_name="daytally",
            index=models.Index(fields=["clinic", "on"], name="tally_by_clinic_day"),
        ),
        migrations.AddIndex(
            model_name="hourtally",
            index=models.Index(fields=["clinic", "on"], name="hour_tally_by_clinic_day"),
        ),
        migrations.AddConstraint(
            model_name="hourtally",
            constraint=models.CheckConstraint(
                condition=models.Q(("hour__lte", 23)), name="hour_tally_of_a_day"
            ),
        ),
        migrations.AddIndex(
            model_name="staleday",
            index=models.Index(fields=["clinic", "on"], name="stale_day_by_clinic"),
        ),
    ]
