"""When somebody last signed in to one clinic, which is no news of what they do in others."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("clinics", "0006_let_readers_order_dates"),
    ]

    operations = [
        migrations.AddField(
            model_name="staffmember",
            name="signed_in_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
