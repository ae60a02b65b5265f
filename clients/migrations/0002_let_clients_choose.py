"""Clients' own quiet hours and how plainly they are written to; requests for erasure."""

import django.db.models.deletion
from django.db import migrations, models

from clinics.postgres import keep, stay_in_clinic


class Migration(migrations.Migration):
    dependencies = [
        ("clients", "0001_create_clients"),
        ("clinics", "0001_create_clinics"),
    ]

    operations = [
        migrations.CreateModel(
            name="ErasureRequest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("handled_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.AddField(
            model_name="client",
            name="detail_level",
            field=models.CharField(
                choices=[("clinic", "as the clinic does"), ("neutral", "only day, time and place")],
                default="clinic",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="client",
            name="quiet_from_time",
            field=models.TimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="client",
            name="quiet_to_time",
            field=models.TimeField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="accesslink",
            name="purpose",
            field=models.CharField(
                choices=[
                    ("session", "one visit: see, confirm, move, cancel; and its course"),
                    ("course", "one course and its visits"),
                    ("feed", "visits for the client's calendar"),
                    ("unsubscribe", "no more messages on one channel"),
                ],
                max_length=12,
            ),
        ),
        migrations.AddConstraint(
            model_name="client",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("quiet_from_time__isnull", True), ("quiet_to_time__isnull", True)),
                    models.Q(("quiet_from_time__isnull", False), ("quiet_to_time__isnull", False)),
                    _connector="OR",
                ),
                name="client_quiet_hours_whole",
            ),
        ),
        migrations.AddField(
            model_name="erasurerequest",
            name="client",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="erasure_requests",
                to="clients.client",
            ),
        ),
        migrations.AddField(
            model_name="erasurerequest",
            name="clinic",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="erasure_requests",
                to="clinics.clinic",
            ),
        ),
        migrations.AddIndex(
            model_name="erasurerequest",
            index=models.Index(
                condition=models.Q(("handled_at__isnull", True)),
                fields=["clinic", "asked_at"],
                name="erasure_request_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="erasurerequest",
            constraint=models.UniqueConstraint(
                condition=models.Q(("handled_at__isnull", True)),
                fields=("client",),
                name="erasure_request_one_open",
            ),
        ),
        keep(stay_in_clinic("clients_erasurerequest", "client_id", "clients_client")),
    ]
