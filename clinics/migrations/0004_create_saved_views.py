"""The filters of lists under names; on PostgreSQL nobody's view belongs to another clinic."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

from clinics.postgres import keep, stay_in_clinic


class Migration(migrations.Migration):
    dependencies = [
        ("clinics", "0003_add_api_tokens"),
    ]

    operations = [
        migrations.CreateModel(
            name="SavedView",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "page",
                    models.CharField(
                        choices=[
                            ("courses", "Courses"),
                            ("attention", "Needs attention"),
                            ("messages", "Messages"),
                        ],
                        max_length=12,
                    ),
                ),
                ("name", models.CharField(max_length=40)),
                ("query", models.CharField(max_length=400)),
                ("is_shared", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField()),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="saved_views",
                        to="clinics.clinic",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="saved_views",
                        to="clinics.staffmember",
                    ),
                ),
            ],
            options={
                "ordering": ("name", "pk"),
                "indexes": [models.Index(fields=["clinic", "page"], name="saved_view_by_page")],
                "constraints": [
                    models.UniqueConstraint(fields=("member", "page", "name"), name="saved_view_unique_name"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("query", ""), _negated=True), models.Q(("name", ""), _negated=True)
                        ),
                        name="saved_view_says_something",
                    ),
                ],
            },
        ),
        keep(stay_in_clinic("clinics_savedview", "member_id", "clinics_staffmember")),
    ]
