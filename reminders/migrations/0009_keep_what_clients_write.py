from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reminders", "0008_follow_changes_of_rules"),
    ]

    operations = [
        migrations.AddField(
            model_name="answer",
            name="text",
            field=models.CharField(blank=True, max_length=1000),
        ),
    ]
