"""An operator may deactivate a clinic: nobody gets in, nothing goes out, everything stays."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("clinics", "0008_fill_sign_ins"),
    ]

    operations = [
        migrations.AddField(
            model_name="clinic",
            name="deactivated_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
