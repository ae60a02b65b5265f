"""Clinics that are there already know their way: only new ones are guided."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("clinics", "0001_create_clinics"),
    ]

    operations = [
        migrations.AddField(
            model_name="clinic",
            name="is_being_set_up",
            field=models.BooleanField(default=False),
        ),
    ]
