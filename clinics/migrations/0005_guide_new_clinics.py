"""Clinics that are there already know their way: only new ones are guided."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("clinics", "0004_create_saved_views"),
    ]

    operations = [
        migrations.AddField(
            model_name="clinic",
            name="is_being_set_up",
            field=models.BooleanField(default=False),
        ),
    ]
