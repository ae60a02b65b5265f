"""Logins, clinics and their people; on PostgreSQL nobody's hours or absences belong to another clinic."""

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import clinics.models
from clinics.postgres import keep, name_with_clinic, stay_in_clinic

_PARENTS = ("clinics_room", "clinics_staffmember")
# (child table, column, parent table)
_CHILDREN = (
    ("clinics_practitionerhours", "practitioner_id", "clinics_staffmember"),
    ("clinics_absence", "practitioner_id", "clinics_staffmember"),
)


class Migration(migrations.Migration):
    replaces = [("clinics", "0001_initial"), ("clinics", "0002_add_digest_wish")]

    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="User",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                ("first_name", models.CharField(blank=True, max_length=150, verbose_name="first name")),
                ("last_name", models.CharField(blank=True, max_length=150, verbose_name="last name")),
                (
                    "is_staff",
                    models.BooleanField(
                        default=False,
                        help_text="Designates whether the user can log into this admin site.",
                        verbose_name="staff status",
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(
                        default=True,
                        help_text="Designates whether this user should be treated as active. Unselect this instead of deleting accounts.",
                        verbose_name="active",
                    ),
                ),
                (
                    "date_joined",
                    models.DateTimeField(default=django.utils.timezone.now, verbose_name="date joined"),
                ),
                ("code", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("email", models.EmailField(max_length=254, unique=True, verbose_name="e-mail")),
                (
                    "language",
                    models.CharField(
                        blank=True, choices=[("en", "English"), ("ru", "Russian")], max_length=5
                    ),
                ),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
            options={
                "verbose_name": "user",
                "verbose_name_plural": "users",
                "abstract": False,
            },
            managers=[
                ("objects", clinics.models.UserManager()),
            ],
        ),
        migrations.CreateModel(
            name="Clinic",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("name", models.CharField(max_length=120)),
                ("time_zone", models.CharField(max_length=64)),
                (
                    "language",
                    models.CharField(
                        choices=[("en", "English"), ("ru", "Russian")], default="en", max_length=5
                    ),
                ),
                ("country", models.CharField(blank=True, max_length=2)),
                ("address", models.CharField(blank=True, max_length=300)),
                ("phone", models.CharField(blank=True, max_length=32)),
                ("sender_name", models.CharField(blank=True, max_length=80)),
                ("reply_to_email", models.EmailField(blank=True, max_length=254)),
                ("booking_lead_days", models.PositiveSmallIntegerField(default=3)),
                ("booking_horizon_days", models.PositiveSmallIntegerField(default=60)),
                ("notice_hours", models.PositiveSmallIntegerField(default=24)),
                ("longest_pause_days", models.PositiveSmallIntegerField(default=21)),
                ("slot_step_minutes", models.PositiveSmallIntegerField(default=15)),
                ("quiet_from_time", models.TimeField(default="21:00")),
                ("quiet_to_time", models.TimeField(default="08:00")),
                ("daily_message_cap", models.PositiveSmallIntegerField(default=3)),
                ("shows_treatment_in_messages", models.BooleanField(default=False)),
                ("is_demo", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField()),
                ("calendar_version", models.PositiveIntegerField(default=1)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("slot_step_minutes__gte", 1), ("slot_step_minutes__lte", 240)),
                        name="clinic_slot_step_sane",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("longest_pause_days__gte", 1)), name="clinic_pause_limit_positive"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OpeningHours",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "weekday",
                    models.PositiveSmallIntegerField(
                        choices=[
                            (1, "Monday"),
                            (2, "Tuesday"),
                            (3, "Wednesday"),
                            (4, "Thursday"),
                            (5, "Friday"),
                            (6, "Saturday"),
                            (7, "Sunday"),
                        ]
                    ),
                ),
                ("opens_time", models.TimeField()),
                ("closes_time", models.TimeField()),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="opening_hours",
                        to="clinics.clinic",
                    ),
                ),
            ],
            options={
                "ordering": ("weekday", "opens_time"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("opens_time__lt", models.F("closes_time"))),
                        name="hours_open_before_close",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("weekday__gte", 1), ("weekday__lte", 7)), name="hours_weekday_iso"
                    ),
                    models.UniqueConstraint(
                        fields=("clinic", "weekday", "opens_time"), name="hours_unique_start"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Closure",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("from_on", models.DateField()),
                ("to_on", models.DateField()),
                ("reason", models.CharField(blank=True, max_length=120)),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="closures",
                        to="clinics.clinic",
                    ),
                ),
            ],
            options={
                "ordering": ("from_on",),
                "indexes": [models.Index(fields=["clinic", "to_on"], name="closure_by_clinic")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("from_on__lte", models.F("to_on"))),
                        name="closure_not_upside_down",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Room",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("name", models.CharField(max_length=60)),
                ("position", models.PositiveSmallIntegerField(default=0)),
                ("is_active", models.BooleanField(default=True)),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="rooms", to="clinics.clinic"
                    ),
                ),
            ],
            options={
                "ordering": ("position", "name"),
                "constraints": [models.UniqueConstraint(fields=("clinic", "name"), name="room_unique_name")],
            },
        ),
        migrations.CreateModel(
            name="StaffMember",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("owner", "owner"),
                            ("prescriber", "prescriber"),
                            ("practitioner", "practitioner"),
                            ("receptionist", "receptionist"),
                            ("analyst", "analyst"),
                        ],
                        max_length=20,
                    ),
                ),
                ("display_name", models.CharField(max_length=120)),
                ("is_treating", models.BooleanField(default=False)),
                ("position", models.PositiveSmallIntegerField(default=0)),
                ("is_active", models.BooleanField(default=True)),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="staff_members",
                        to="clinics.clinic",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="staff_members",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("gets_digest", models.BooleanField(default=False)),
            ],
            options={
                "ordering": ("position", "display_name"),
                "constraints": [
                    models.UniqueConstraint(fields=("clinic", "user"), name="staff_member_once_per_clinic")
                ],
            },
        ),
        migrations.CreateModel(
            name="PractitionerHours",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "weekday",
                    models.PositiveSmallIntegerField(
                        choices=[
                            (1, "Monday"),
                            (2, "Tuesday"),
                            (3, "Wednesday"),
                            (4, "Thursday"),
                            (5, "Friday"),
                            (6, "Saturday"),
                            (7, "Sunday"),
                        ]
                    ),
                ),
                ("starts_time", models.TimeField()),
                ("ends_time", models.TimeField()),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="practitioner_hours",
                        to="clinics.clinic",
                    ),
                ),
                (
                    "practitioner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="hours",
                        to="clinics.staffmember",
                    ),
                ),
            ],
            options={
                "ordering": ("weekday", "starts_time"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("starts_time__lt", models.F("ends_time"))),
                        name="practitioner_hours_start_before_end",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("weekday__gte", 1), ("weekday__lte", 7)),
                        name="practitioner_hours_weekday_iso",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Absence",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("from_on", models.DateField()),
                ("to_on", models.DateField()),
                ("reason", models.CharField(blank=True, max_length=120)),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="absences",
                        to="clinics.clinic",
                    ),
                ),
                (
                    "practitioner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="absences",
                        to="clinics.staffmember",
                    ),
                ),
            ],
            options={
                "ordering": ("from_on",),
                "indexes": [models.Index(fields=["practitioner", "to_on"], name="absence_by_practitioner")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("from_on__lte", models.F("to_on"))),
                        name="absence_not_upside_down",
                    )
                ],
            },
        ),
        keep(
            *(name_with_clinic(parent) for parent in _PARENTS),
            *(stay_in_clinic(*row) for row in _CHILDREN),
        ),
    ]
