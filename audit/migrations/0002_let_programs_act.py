"""Programs of a clinic act too: the log names their token."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0001_create_audit"),
    ]

    operations = [
        migrations.AlterField(
            model_name="auditevent",
            name="actor_kind",
            field=models.CharField(
                choices=[
                    ("staff", "staff member"),
                    ("client", "client"),
                    ("token", "program"),
                    ("system", "system"),
                ],
                max_length=10,
            ),
        ),
    ]
