"""Where everything of a client went who was registered twice; on PostgreSQL never to another clinic."""

import django.db.models.deletion
from django.db import migrations, models

from clinics.postgres import keep, stay_in_clinic


class Migration(migrations.Migration):
    dependencies = [
        ("clients", "0002_let_clients_choose"),
        ("clinics", "0001_create_clinics"),
    ]

    operations = [
        migrations.AddField(
            model_name="client",
            name="merged_into",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="merged_clients",
                to="clients.client",
            ),
        ),
        migrations.AddConstraint(
            model_name="client",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("merged_into__isnull", True), ("erased_at__isnull", False), _connector="OR"
                ),
                name="client_merged_is_gone",
            ),
        ),
        keep(stay_in_clinic("clients_client", "merged_into_id", "clients_client")),
    ]
