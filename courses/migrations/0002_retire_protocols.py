"""Who made a version of a protocol, and since when it is out of use."""

import django.db.models.deletion
from django.db import migrations, models

from clinics.postgres import keep, stay_in_clinic


class Migration(migrations.Migration):
    dependencies = [
        ("clinics", "0001_create_clinics"),
        ("courses", "0001_create_courses"),
    ]

    operations = [
        migrations.AddField(
            model_name="protocol",
            name="created_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="clinics.staffmember",
            ),
        ),
        migrations.AddField(
            model_name="protocol",
            name="retired_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddConstraint(
            model_name="protocol",
            constraint=models.CheckConstraint(
                condition=models.Q(("retired_at__isnull", True), ("is_current", True), _connector="OR"),
                name="protocol_retired_as_current",
            ),
        ),
        keep(stay_in_clinic("courses_protocol", "created_by_id", "clinics_staffmember")),
    ]
