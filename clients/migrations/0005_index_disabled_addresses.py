from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("clients", "0004_add_access_links"),
        ("clinics", "0002_add_digest_wish"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="contactpoint",
            index=models.Index(
                condition=models.Q(("disabled_at__isnull", False)),
                fields=["clinic"],
                name="contact_point_disabled",
            ),
        ),
    ]
