"""Who works in one clinic only has signed in there; of the others nobody knows where it was."""

from django.db import migrations
from django.db.models import Count, OuterRef, Subquery


def fill(apps, schema_editor):
    member_model = apps.get_model("clinics", "StaffMember")
    user_model = apps.get_model("clinics", "User")
    of_one_clinic = user_model.objects.annotate(n=Count("staff_members")).filter(n=1).values("pk")
    last_login = user_model.objects.filter(pk=OuterRef("user")).values("last_login")[:1]
    member_model.objects.filter(user__in=of_one_clinic).update(signed_in_at=Subquery(last_login))


class Migration(migrations.Migration):
    dependencies = [
        ("clinics", "0007_note_sign_ins"),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
