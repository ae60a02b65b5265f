"""A disruption that was applied can be taken back: what each session was before, and what came of it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("courses", "0006_offer_earlier_slots"),
    ]

    operations = [
        migrations.AddField(
            model_name="disruption",
            name="entry_code",
            field=models.UUIDField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="disruptedsession",
            name="before",
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name="disruptedsession",
            name="undone",
            field=models.CharField(
                blank=True, choices=[("back", "back where it was"), ("kept", "not taken back")], max_length=10
            ),
        ),
        migrations.AlterField(
            model_name="disruption",
            name="status",
            field=models.CharField(
                choices=[
                    ("planning", "being planned"),
                    ("planned", "planned"),
                    ("applying", "being applied"),
                    ("applied", "applied"),
                    ("undoing", "being taken back"),
                    ("undone", "taken back"),
                ],
                default="planning",
                max_length=10,
            ),
        ),
    ]
