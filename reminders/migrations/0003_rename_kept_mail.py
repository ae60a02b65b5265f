"""Messages of every channel are kept where no provider is set up, not only mail."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("reminders", "0002_keep_tenants_apart"), ("clinics", "0001_initial")]

    operations = [
        migrations.RemoveIndex(model_name="keptmail", name="kept_mail_newest"),
        migrations.RenameModel(old_name="KeptMail", new_name="KeptMessage"),
    ]
