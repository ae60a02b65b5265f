"""What programs were answered, so that a request sent twice is done once; on PostgreSQL within its own clinic."""

import django.db.models.deletion
from django.db import migrations, models

from clinics.postgres import keep, name_with_clinic, stay_in_clinic


class Migration(migrations.Migration):
    dependencies = [
        ("clinics", "0010_keep_wanted_events"),
    ]

    operations = [
        migrations.CreateModel(
            name="AnsweredRequest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key_mark", models.CharField(max_length=64)),
                ("request_mark", models.CharField(max_length=64)),
                ("status", models.PositiveSmallIntegerField()),
                ("sealed", models.TextField()),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="answered_requests",
                        to="clinics.clinic",
                    ),
                ),
                (
                    "token",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="answered_requests",
                        to="clinics.apitoken",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["expires_at"], name="answered_request_by_expiry")],
                "constraints": [
                    models.UniqueConstraint(fields=("token", "key_mark"), name="answered_request_once"),
                    models.CheckConstraint(
                        condition=models.Q(("expires_at__gt", models.F("created_at"))),
                        name="answered_request_lives_a_while",
                    ),
                ],
            },
        ),
        keep(
            name_with_clinic("clinics_apitoken"),
            stay_in_clinic("clinics_answeredrequest", "token_id", "clinics_apitoken"),
        ),
    ]
