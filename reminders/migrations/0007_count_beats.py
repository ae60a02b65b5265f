from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reminders", "0006_note_what_people_handled"),
    ]

    operations = [
        migrations.AddField(
            model_name="installation",
            name="beat",
            field=models.PositiveBigIntegerField(default=0),
        ),
    ]
