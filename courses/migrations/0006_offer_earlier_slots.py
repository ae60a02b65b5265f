"""Clients who wait for an earlier slot, slots that became free, and to whom each was offered."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

from clinics.postgres import keep, name_with_clinic, stay_in_clinic


class Migration(migrations.Migration):
    dependencies = [
        ("clinics", "0001_create_clinics"),
        ("courses", "0005_keep_why_corrected"),
    ]

    operations = [
        migrations.CreateModel(
            name="FreedSlot",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("freed_at", models.DateTimeField()),
                ("offered_at", models.DateTimeField(blank=True, null=True)),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="freed_slots",
                        to="clinics.clinic",
                    ),
                ),
                (
                    "practitioner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinics.staffmember",
                    ),
                ),
                (
                    "room",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinics.room",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Waiting",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="waitings",
                        to="clinics.clinic",
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="waitings",
                        to="courses.treatmentsession",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="EarlierSlot",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[("", "open"), ("taken", "taken"), ("lost", "somebody else took it")],
                        max_length=5,
                    ),
                ),
                ("told_at", models.DateTimeField(blank=True, null=True)),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="earlier_slots",
                        to="clinics.clinic",
                    ),
                ),
                (
                    "freed",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="offers",
                        to="courses.freedslot",
                    ),
                ),
                (
                    "waiting",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="offers",
                        to="courses.waiting",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="freedslot",
            index=models.Index(
                condition=models.Q(("offered_at__isnull", True)),
                fields=["freed_at"],
                name="freed_slot_to_offer",
            ),
        ),
        migrations.AddConstraint(
            model_name="freedslot",
            constraint=models.CheckConstraint(
                condition=models.Q(("starts_at__lt", models.F("ends_at"))), name="freed_slot_in_order"
            ),
        ),
        migrations.AddIndex(
            model_name="waiting",
            index=models.Index(
                condition=models.Q(("ended_at__isnull", True)),
                fields=["clinic", "created_at"],
                name="waiting_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="waiting",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at__isnull", True)), fields=("session",), name="waiting_one_open"
            ),
        ),
        migrations.AddIndex(
            model_name="earlierslot",
            index=models.Index(
                condition=models.Q(("told_at__isnull", True)),
                fields=["created_at"],
                name="earlier_slot_to_tell",
            ),
        ),
        migrations.AddConstraint(
            model_name="earlierslot",
            constraint=models.UniqueConstraint(fields=("waiting", "freed"), name="earlier_slot_once"),
        ),
        keep(
            name_with_clinic("courses_waiting"),
            name_with_clinic("courses_freedslot"),
            stay_in_clinic("courses_waiting", "session_id", "courses_treatmentsession"),
            stay_in_clinic("courses_freedslot", "practitioner_id", "clinics_staffmember"),
            stay_in_clinic("courses_freedslot", "room_id", "clinics_room"),
            stay_in_clinic("courses_earlierslot", "waiting_id", "courses_waiting"),
            stay_in_clinic("courses_earlierslot", "freed_id", "courses_freedslot"),
        ),
    ]
