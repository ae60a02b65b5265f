"""Why an outcome was mended, beside the outcome."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("courses", "0004_keep_what_clients_report"),
    ]

    operations = [
        migrations.AddField(
            model_name="treatmentsession",
            name="correction_reason",
            field=models.CharField(blank=True, max_length=200),
        ),
    ]
