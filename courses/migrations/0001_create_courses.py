"""Protocols, courses and sessions; PostgreSQL refuses double bookings, overlapping pauses and foreign parents."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

from clinics.postgres import constrain, keep, name_with_clinic, stay_in_clinic

# Overlap of one-value ranges stands in for equality, so that no btree_gist extension is needed.
_FREE = """EXCLUDE USING gist (
    int8range({column}, {column}, '[]') WITH &&, tstzrange(starts_at, ends_at) WITH &&
) WHERE (status IN ('booked', 'confirmed', 'arrived') AND {column} IS NOT NULL)"""
_NO_OVERLAP = """EXCLUDE USING gist (
    int8range(course_id, course_id, '[]') WITH &&, daterange(from_on, to_on, '[]') WITH &&
)"""
_PARENTS = (
    "courses_course",
    "courses_flag",
    "courses_prescriptionrevision",
    "courses_protocol",
    "courses_treatmentsession",
)
# (child table, column, parent table)
_CHILDREN = (
    ("courses_protocolphase", "protocol_id", "courses_protocol"),
    ("courses_protocolcontraindication", "protocol_id", "courses_protocol"),
    ("courses_recordedcontraindication", "client_id", "clients_client"),
    ("courses_course", "client_id", "clients_client"),
    ("courses_course", "protocol_id", "courses_protocol"),
    ("courses_course", "prescribed_by_id", "clinics_staffmember"),
    ("courses_course", "practitioner_id", "clinics_staffmember"),
    ("courses_prescriptionrevision", "course_id", "courses_course"),
    ("courses_phase", "revision_id", "courses_prescriptionrevision"),
    ("courses_phaseend", "course_id", "courses_course"),
    ("courses_pause", "course_id", "courses_course"),
    ("courses_restart", "course_id", "courses_course"),
    ("courses_contraindicationoverride", "course_id", "courses_course"),
    ("courses_planrevision", "course_id", "courses_course"),
    ("courses_treatmentsession", "course_id", "courses_course"),
    ("courses_treatmentsession", "client_id", "clients_client"),
    ("courses_treatmentsession", "practitioner_id", "clinics_staffmember"),
    ("courses_treatmentsession", "room_id", "clinics_room"),
    ("courses_treatmentsession", "outcome_by_id", "clinics_staffmember"),
    ("courses_flag", "course_id", "courses_course"),
    ("courses_flagcall", "flag_id", "courses_flag"),
)


class Migration(migrations.Migration):
    replaces = [
        ("courses", "0001_initial"),
        ("courses", "0002_refuse_overlaps"),
        ("courses", "0003_require_whole_pairs"),
        ("courses", "0004_keep_children_in_their_clinic"),
    ]

    initial = True

    dependencies = [
        ("clients", "0001_create_clients"),
        ("clinics", "0001_create_clinics"),
    ]

    operations = [
        migrations.CreateModel(
            name="Protocol",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("slug", models.SlugField(max_length=60)),
                ("version", models.PositiveIntegerField(default=1)),
                ("is_current", models.BooleanField(default=True)),
                ("name_en", models.CharField(max_length=120)),
                ("name_ru", models.CharField(blank=True, max_length=120)),
                ("summary_en", models.TextField(blank=True)),
                ("summary_ru", models.TextField(blank=True)),
                ("modality", models.CharField(blank=True, max_length=60)),
                ("preparation_en", models.TextField(blank=True)),
                ("preparation_ru", models.TextField(blank=True)),
                ("same_day_order", models.JSONField(blank=True, default=list)),
                ("created_at", models.DateTimeField()),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="protocols",
                        to="clinics.clinic",
                    ),
                ),
            ],
            options={
                "ordering": ("name_en",),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("clinic", "slug", "version"), name="protocol_version_once"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("is_current", True)),
                        fields=("clinic", "slug"),
                        name="protocol_one_current",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ProtocolPhase",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.PositiveSmallIntegerField()),
                (
                    "kind",
                    models.CharField(
                        choices=[("intensive", "intensive"), ("maintenance", "maintenance")], max_length=20
                    ),
                ),
                ("frequency", models.PositiveSmallIntegerField()),
                ("period_min", models.PositiveSmallIntegerField()),
                ("period_max", models.PositiveSmallIntegerField()),
                ("rest_days", models.PositiveSmallIntegerField()),
                ("flex_days", models.PositiveSmallIntegerField()),
                ("sessions_min", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("sessions_max", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("duration_days", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("grace_days", models.PositiveSmallIntegerField()),
                ("lapse_days", models.PositiveSmallIntegerField()),
                ("minutes_min", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("minutes_max", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("minutes_by_session", models.JSONField(blank=True, default=list)),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="protocol_phases",
                        to="clinics.clinic",
                    ),
                ),
                (
                    "protocol",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="phases",
                        to="courses.protocol",
                    ),
                ),
            ],
            options={
                "ordering": ("position",),
                "abstract": False,
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("frequency__gte", 1), ("frequency__lte", models.F("period_max"))),
                        name="protocolphase_frequency_fits",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("period_min__gte", 1), ("period_min__lte", models.F("period_max"))
                        ),
                        name="protocolphase_period_in_order",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("rest_days__gte", 1)), name="protocolphase_rest_positive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("flex_days__lt", models.F("period_min"))),
                        name="protocolphase_flex_below_period",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("sessions_max__isnull", False), ("duration_days__isnull", False), _connector="OR"
                        ),
                        name="protocolphase_has_amount",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("duration_days__isnull", True), ("duration_days__gte", 1), _connector="OR"
                        ),
                        name="protocolphase_duration_positive",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("grace_days__lte", models.F("lapse_days"))),
                        name="protocolphase_grace_below_lapse",
                    ),
                    models.UniqueConstraint(
                        fields=("protocol", "position"), name="protocol_phase_position_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("sessions_max__isnull", True), ("sessions_min__isnull", True)),
                            models.Q(
                                ("sessions_max__isnull", False),
                                ("sessions_min__gte", 1),
                                ("sessions_min__isnull", False),
                                ("sessions_min__lte", models.F("sessions_max")),
                            ),
                            _connector="OR",
                        ),
                        name="protocolphase_sessions_in_order",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("minutes_max__isnull", True), ("minutes_min__isnull", True)),
                            models.Q(
                                ("minutes_max__isnull", False),
                                ("minutes_min__gte", 1),
                                ("minutes_min__isnull", False),
                                ("minutes_min__lte", models.F("minutes_max")),
                            ),
                            _connector="OR",
                        ),
                        name="protocolphase_minutes_in_order",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ProtocolContraindication",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.PositiveSmallIntegerField(default=0)),
                ("condition", models.SlugField(max_length=80)),
                (
                    "strength",
                    models.CharField(
                        choices=[
                            ("permanent", "permanent"),
                            ("temporary", "temporary"),
                            ("caution", "caution"),
                        ],
                        max_length=12,
                    ),
                ),
                ("name_en", models.CharField(max_length=160)),
                ("name_ru", models.CharField(blank=True, max_length=160)),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="protocol_contraindications",
                        to="clinics.clinic",
                    ),
                ),
                (
                    "protocol",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contraindications",
                        to="courses.protocol",
                    ),
                ),
            ],
            options={
                "ordering": ("position", "pk"),
                "constraints": [
                    models.UniqueConstraint(fields=("protocol", "condition"), name="protocol_condition_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Course",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "draft"),
                            ("active", "active"),
                            ("paused", "paused"),
                            ("completed", "completed"),
                            ("discontinued", "discontinued"),
                        ],
                        default="draft",
                        max_length=14,
                    ),
                ),
                ("start_on", models.DateField()),
                ("version", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField()),
                ("activated_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("end_reason", models.CharField(blank=True, max_length=200)),
                ("assessed_on", models.DateField(blank=True, null=True)),
                ("next_check_on", models.DateField(blank=True, null=True)),
                ("next_check_at", models.DateTimeField(blank=True, null=True)),
                (
                    "state",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("not_started", "not started"),
                            ("resting", "resting"),
                            ("due", "due"),
                            ("late", "late"),
                            ("overdue", "overdue"),
                            ("lapsed", "lapsed"),
                            ("paused", "paused"),
                            ("finished", "finished"),
                        ],
                        max_length=12,
                    ),
                ),
                ("phase_position", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("session_number", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("due_from_on", models.DateField(blank=True, null=True)),
                ("due_by_on", models.DateField(blank=True, null=True)),
                ("attended_count", models.PositiveIntegerField(default=0)),
                ("attendance_rate", models.FloatField(blank=True, null=True)),
                ("on_time_rate", models.FloatField(blank=True, null=True)),
                ("early_rate", models.FloatField(blank=True, null=True)),
                ("late_rate", models.FloatField(blank=True, null=True)),
                ("slippage_days", models.PositiveIntegerField(blank=True, null=True)),
                ("projected_end_on", models.DateField(blank=True, null=True)),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="courses",
                        to="clients.client",
                    ),
                ),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="courses",
                        to="clinics.clinic",
                    ),
                ),
                (
                    "practitioner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="preferred_courses",
                        to="clinics.staffmember",
                    ),
                ),
                (
                    "prescribed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="prescribed_courses",
                        to="clinics.staffmember",
                    ),
                ),
                (
                    "protocol",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="courses",
                        to="courses.protocol",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("next_check_at__isnull", False)),
                        fields=["next_check_at"],
                        name="course_due_for_check",
                    ),
                    models.Index(fields=["clinic", "status", "-start_on"], name="course_by_clinic_status"),
                    models.Index(fields=["client", "-start_on"], name="course_by_client"),
                    models.Index(fields=["clinic", "state", "due_by_on"], name="course_by_clinic_state"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("activated_at__isnull", True), ("status", "draft")),
                            models.Q(
                                models.Q(("status", "draft"), _negated=True), ("activated_at__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="course_activated_once_past_draft",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("ended_at__isnull", False), ("status__in", ["completed", "discontinued"])
                            ),
                            models.Q(
                                models.Q(("status__in", ["completed", "discontinued"]), _negated=True),
                                ("ended_at__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="course_ended_with_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "discontinued"), _negated=True),
                            models.Q(("end_reason", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="course_discontinued_with_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["draft", "active", "paused", "completed", "discontinued"])
                        ),
                        name="course_status_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PrescriptionRevision",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("reason", models.CharField(blank=True, max_length=200)),
                ("created_at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinics.staffmember",
                    ),
                ),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="prescription_revisions",
                        to="clinics.clinic",
                    ),
                ),
                (
                    "course",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="revisions",
                        to="courses.course",
                    ),
                ),
            ],
            options={
                "ordering": ("number",),
                "constraints": [
                    models.UniqueConstraint(fields=("course", "number"), name="prescription_revision_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("number", 1), models.Q(("reason", ""), _negated=True), _connector="OR"
                        ),
                        name="prescription_change_with_reason",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Phase",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.PositiveSmallIntegerField()),
                (
                    "kind",
                    models.CharField(
                        choices=[("intensive", "intensive"), ("maintenance", "maintenance")], max_length=20
                    ),
                ),
                ("frequency", models.PositiveSmallIntegerField()),
                ("period_min", models.PositiveSmallIntegerField()),
                ("period_max", models.PositiveSmallIntegerField()),
                ("rest_days", models.PositiveSmallIntegerField()),
                ("flex_days", models.PositiveSmallIntegerField()),
                ("sessions_min", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("sessions_max", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("duration_days", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("grace_days", models.PositiveSmallIntegerField()),
                ("lapse_days", models.PositiveSmallIntegerField()),
                ("minutes_min", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("minutes_max", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("minutes_by_session", models.JSONField(blank=True, default=list)),
                ("target", models.PositiveSmallIntegerField(blank=True, null=True)),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="phases",
                        to="clinics.clinic",
                    ),
                ),
                (
                    "revision",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="phases",
                        to="courses.prescriptionrevision",
                    ),
                ),
            ],
            options={
                "ordering": ("position",),
                "abstract": False,
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("frequency__gte", 1), ("frequency__lte", models.F("period_max"))),
                        name="phase_frequency_fits",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("period_min__gte", 1), ("period_min__lte", models.F("period_max"))
                        ),
                        name="phase_period_in_order",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("rest_days__gte", 1)), name="phase_rest_positive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("flex_days__lt", models.F("period_min"))),
                        name="phase_flex_below_period",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("sessions_max__isnull", False), ("duration_days__isnull", False), _connector="OR"
                        ),
                        name="phase_has_amount",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("duration_days__isnull", True), ("duration_days__gte", 1), _connector="OR"
                        ),
                        name="phase_duration_positive",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("grace_days__lte", models.F("lapse_days"))),
                        name="phase_grace_below_lapse",
                    ),
                    models.UniqueConstraint(fields=("revision", "position"), name="phase_position_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("sessions_max__isnull", True), ("sessions_min__isnull", True)),
                            models.Q(
                                ("sessions_max__isnull", False),
                                ("sessions_min__gte", 1),
                                ("sessions_min__isnull", False),
                                ("sessions_min__lte", models.F("sessions_max")),
                            ),
                            _connector="OR",
                        ),
                        name="phase_sessions_in_order",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("minutes_max__isnull", True), ("minutes_min__isnull", True)),
                            models.Q(
                                ("minutes_max__isnull", False),
                                ("minutes_min__gte", 1),
                                ("minutes_min__isnull", False),
                                ("minutes_min__lte", models.F("minutes_max")),
                            ),
                            _connector="OR",
                        ),
                        name="phase_minutes_in_order",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("target__isnull", True),
                            models.Q(
                                ("sessions_max__isnull", False),
                                ("sessions_min__isnull", False),
                                ("target__gte", models.F("sessions_min")),
                                ("target__lte", models.F("sessions_max")),
                            ),
                            _connector="OR",
                        ),
                        name="phase_target_in_range",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PhaseEnd",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("phase_position", models.PositiveSmallIntegerField()),
                ("ended_on", models.DateField()),
                ("reason", models.CharField(blank=True, max_length=200)),
                ("created_at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinics.staffmember",
                    ),
                ),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="phase_ends",
                        to="clinics.clinic",
                    ),
                ),
                (
                    "course",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="phase_ends",
                        to="courses.course",
                    ),
                ),
            ],
            options={
                "ordering": ("phase_position",),
                "constraints": [
                    models.UniqueConstraint(fields=("course", "phase_position"), name="phase_end_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Restart",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("restart_on", models.DateField()),
                ("reason", models.CharField(blank=True, max_length=200)),
                ("created_at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinics.staffmember",
                    ),
                ),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="restarts",
                        to="clinics.clinic",
                    ),
                ),
                (
                    "course",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="restarts",
                        to="courses.course",
                    ),
                ),
            ],
            options={
                "ordering": ("restart_on",),
                "constraints": [
                    models.UniqueConstraint(fields=("course", "restart_on"), name="restart_once_a_day")
                ],
            },
        ),
        migrations.CreateModel(
            name="Pause",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("from_on", models.DateField()),
                ("to_on", models.DateField(blank=True, null=True)),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("bruises", "bruises"),
                            ("illness", "illness"),
                            ("bleeding", "bleeding"),
                            ("travel", "travel"),
                            ("clinic", "clinic"),
                            ("other", "other"),
                        ],
                        max_length=12,
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=200)),
                ("created_at", models.DateTimeField()),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="pauses",
                        to="clinics.clinic",
                    ),
                ),
                (
                    "course",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="pauses",
                        to="courses.course",
                    ),
                ),
            ],
            options={
                "ordering": ("from_on",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("to_on__isnull", True), ("from_on__lte", models.F("to_on")), _connector="OR"
                        ),
                        name="pause_not_upside_down",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("to_on__isnull", True)),
                        fields=("course",),
                        name="pause_one_open_ended",
                    ),
                    models.UniqueConstraint(fields=("course", "from_on"), name="pause_unique_start"),
                ],
            },
        ),
        migrations.CreateModel(
            name="RecordedContraindication",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("condition", models.SlugField(max_length=80)),
                ("from_on", models.DateField()),
                ("to_on", models.DateField(blank=True, null=True)),
                ("note", models.CharField(blank=True, max_length=200)),
                ("created_at", models.DateTimeField()),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contraindications",
                        to="clients.client",
                    ),
                ),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="recorded_contraindications",
                        to="clinics.clinic",
                    ),
                ),
            ],
            options={
                "ordering": ("from_on", "condition"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("to_on__isnull", True), ("from_on__lte", models.F("to_on")), _connector="OR"
                        ),
                        name="recorded_contraindication_not_upside_down",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ContraindicationOverride",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("condition", models.SlugField(max_length=80)),
                ("reason", models.CharField(max_length=400)),
                ("created_at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinics.staffmember",
                    ),
                ),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contraindication_overrides",
                        to="clinics.clinic",
                    ),
                ),
                (
                    "course",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contraindication_overrides",
                        to="courses.course",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("course", "condition"), name="override_once"),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="override_with_reason"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PlanRevision",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("number", models.PositiveIntegerField()),
                (
                    "policy",
                    models.CharField(
                        choices=[
                            ("prescribe", "first plan"),
                            ("shift", "shift the rest"),
                            ("catch_up", "catch up inside the windows"),
                            ("drop", "drop the missed one"),
                            ("roll_forward", "rolled forward"),
                        ],
                        max_length=12,
                    ),
                ),
                ("before", models.JSONField(default=list)),
                ("after", models.JSONField(default=list)),
                ("cost", models.JSONField(default=dict)),
                ("notes", models.JSONField(default=list)),
                ("created_at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinics.staffmember",
                    ),
                ),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="plan_revisions",
                        to="clinics.clinic",
                    ),
                ),
                (
                    "course",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="plan_revisions",
                        to="courses.course",
                    ),
                ),
            ],
            options={
                "ordering": ("number",),
                "constraints": [
                    models.UniqueConstraint(fields=("course", "number"), name="plan_revision_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Flag",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("overdue", "overdue"),
                            ("lapsed", "lapsed"),
                            ("interrupted", "interrupted"),
                            ("unbooked", "unbooked"),
                            ("booked_late", "booked late"),
                            ("misbooked", "misbooked"),
                            ("too_frequent", "too frequent"),
                            ("behind", "behind"),
                            ("missed_streak", "missed streak"),
                            ("decision_due", "decision due"),
                            ("unrecorded", "unrecorded"),
                            ("contraindicated", "contraindicated"),
                            ("off_protocol", "off protocol"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "severity",
                    models.CharField(
                        choices=[("notice", "notice"), ("warning", "warning"), ("serious", "serious")],
                        max_length=8,
                    ),
                ),
                ("severity_rank", models.PositiveSmallIntegerField()),
                ("days", models.PositiveIntegerField(blank=True, null=True)),
                ("count", models.PositiveIntegerField(blank=True, null=True)),
                (
                    "cause",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("client", "client"),
                            ("clinic", "clinic"),
                            ("both", "both"),
                            ("scheduling", "scheduling"),
                        ],
                        max_length=10,
                    ),
                ),
                ("since_on", models.DateField()),
                ("evidence", models.JSONField(blank=True, default=dict)),
                ("opened_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
                ("acknowledged_at", models.DateTimeField(blank=True, null=True)),
                ("acknowledged_note", models.CharField(blank=True, max_length=400)),
                ("snoozed_until_on", models.DateField(blank=True, null=True)),
                ("resolved_at", models.DateTimeField(blank=True, null=True)),
                (
                    "resolved_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("attended", "attended"),
                            ("recorded", "outcome recorded"),
                            ("rebooked", "rebooked"),
                            ("cancelled", "booking cancelled"),
                            ("paused", "paused"),
                            ("resumed", "pause ended"),
                            ("restarted", "restarted"),
                            ("decided", "decided"),
                            ("corrected", "corrected"),
                            ("changed", "prescription changed"),
                            ("calendar", "clinic calendar changed"),
                            ("time", "time passed"),
                            ("completed", "completed"),
                            ("discontinued", "discontinued"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "acknowledged_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinics.staffmember",
                    ),
                ),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="flags", to="clinics.clinic"
                    ),
                ),
                (
                    "course",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="flags", to="courses.course"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("resolved_at__isnull", True)),
                        fields=["clinic", "-severity_rank", "since_on"],
                        name="flag_open_by_clinic",
                    ),
                    models.Index(fields=["course", "resolved_at"], name="flag_by_course"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("resolved_at__isnull", True)),
                        fields=("course", "kind"),
                        name="flag_one_open_per_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("count__isnull", True), ("days__isnull", False)),
                            models.Q(("count__isnull", False), ("days__isnull", True)),
                            _connector="OR",
                        ),
                        name="flag_days_or_count",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("resolved_at__isnull", True), ("resolved_reason", "")),
                            models.Q(
                                ("resolved_at__isnull", False),
                                models.Q(("resolved_reason", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="flag_resolved_with_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("acknowledged_at__isnull", True), ("acknowledged_by__isnull", True)),
                            models.Q(("acknowledged_at__isnull", False), ("acknowledged_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="flag_acknowledged_by_somebody",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="FlagCall",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("reached", "reached"),
                            ("agreed", "agreed to a date"),
                            ("call_later", "call later"),
                            ("not_reached", "not reached"),
                            ("declined", "declined"),
                        ],
                        max_length=12,
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=400)),
                ("next_on", models.DateField(blank=True, null=True)),
                ("created_at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinics.staffmember",
                    ),
                ),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="flag_calls",
                        to="clinics.clinic",
                    ),
                ),
                (
                    "flag",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="calls", to="courses.flag"
                    ),
                ),
            ],
            options={
                "ordering": ("created_at", "pk"),
            },
        ),
        migrations.CreateModel(
            name="TreatmentSession",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("planned", "planned"),
                            ("booked", "booked"),
                            ("confirmed", "confirmed"),
                            ("arrived", "arrived"),
                            ("attended", "attended"),
                            ("no_show", "no-show"),
                            ("cancelled_late", "cancelled late"),
                            ("cancelled_by_client", "cancelled by the client"),
                            ("cancelled_by_clinic", "cancelled by the clinic"),
                        ],
                        max_length=20,
                    ),
                ),
                ("on", models.DateField()),
                ("starts_at", models.DateTimeField(blank=True, null=True)),
                ("ends_at", models.DateTimeField(blank=True, null=True)),
                ("is_pinned", models.BooleanField(default=False)),
                ("why", models.JSONField(blank=True, default=list)),
                ("version", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField()),
                ("confirmed_at", models.DateTimeField(blank=True, null=True)),
                ("arrived_at", models.DateTimeField(blank=True, null=True)),
                ("outcome_at", models.DateTimeField(blank=True, null=True)),
                ("cancel_reason", models.CharField(blank=True, max_length=200)),
                ("minutes", models.PositiveSmallIntegerField(blank=True, null=True)),
                (
                    "reaction",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("none", "none"),
                            ("redness", "redness"),
                            ("bruises", "bruises"),
                            ("pain", "pain"),
                        ],
                        max_length=10,
                    ),
                ),
                ("pain_before", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("pain_after", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("treatments", models.JSONField(blank=True, default=list)),
                ("note", models.TextField(blank=True)),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sessions",
                        to="clients.client",
                    ),
                ),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sessions",
                        to="clinics.clinic",
                    ),
                ),
                (
                    "course",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sessions",
                        to="courses.course",
                    ),
                ),
                (
                    "outcome_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinics.staffmember",
                    ),
                ),
                (
                    "practitioner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sessions",
                        to="clinics.staffmember",
                    ),
                ),
                (
                    "room",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sessions",
                        to="clinics.room",
                    ),
                ),
            ],
            options={
                "ordering": ("on", "starts_at", "pk"),
                "indexes": [
                    models.Index(fields=["clinic", "on", "starts_at"], name="session_by_clinic_day"),
                    models.Index(fields=["course", "on"], name="session_by_course"),
                    models.Index(
                        condition=models.Q(("status__in", ("booked", "confirmed", "arrived"))),
                        fields=["practitioner", "starts_at"],
                        name="session_busy_practitioner",
                    ),
                    models.Index(
                        condition=models.Q(("status__in", ("booked", "confirmed", "arrived"))),
                        fields=["room", "starts_at"],
                        name="session_busy_room",
                    ),
                    models.Index(
                        condition=models.Q(("status__in", ("booked", "confirmed", "arrived"))),
                        fields=["client", "starts_at"],
                        name="session_busy_client",
                    ),
                    models.Index(
                        condition=models.Q(("status__in", ("booked", "confirmed", "arrived"))),
                        fields=["clinic", "on"],
                        name="session_unrecorded",
                    ),
                    models.Index(
                        condition=models.Q(("status", "planned")),
                        fields=["on"],
                        name="session_planned_by_day",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status__in", ("booked", "confirmed", "arrived")), _negated=True),
                            ("starts_at__isnull", False),
                            _connector="OR",
                        ),
                        name="session_booking_has_slot",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("outcome_at__isnull", False),
                                (
                                    "status__in",
                                    (
                                        "attended",
                                        "no_show",
                                        "cancelled_late",
                                        "cancelled_by_client",
                                        "cancelled_by_clinic",
                                    ),
                                ),
                            ),
                            models.Q(
                                models.Q(
                                    (
                                        "status__in",
                                        (
                                            "attended",
                                            "no_show",
                                            "cancelled_late",
                                            "cancelled_by_client",
                                            "cancelled_by_clinic",
                                        ),
                                    ),
                                    _negated=True,
                                ),
                                ("outcome_at__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="session_outcome_with_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("pain_before__isnull", True), ("pain_before__lte", 10), _connector="OR"
                        ),
                        name="session_pain_before_0_to_10",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("pain_after__isnull", True), ("pain_after__lte", 10), _connector="OR"
                        ),
                        name="session_pain_after_0_to_10",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("status__in", ("booked", "confirmed", "arrived", "attended"))),
                        fields=("course", "on"),
                        name="session_one_a_day",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ends_at__isnull", True), ("starts_at__isnull", True)),
                            models.Q(
                                ("ends_at__isnull", False),
                                ("starts_at__isnull", False),
                                ("starts_at__lt", models.F("ends_at")),
                            ),
                            _connector="OR",
                        ),
                        name="session_slot_whole_and_in_order",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "status__in",
                                [
                                    "planned",
                                    "booked",
                                    "confirmed",
                                    "arrived",
                                    "attended",
                                    "no_show",
                                    "cancelled_late",
                                    "cancelled_by_client",
                                    "cancelled_by_clinic",
                                ],
                            )
                        ),
                        name="session_status_known",
                    ),
                ],
            },
        ),
        keep(
            constrain(
                "courses_treatmentsession",
                "session_practitioner_free",
                _FREE.format(column="practitioner_id"),
            ),
            constrain("courses_treatmentsession", "session_room_free", _FREE.format(column="room_id")),
            constrain("courses_treatmentsession", "session_client_free", _FREE.format(column="client_id")),
            constrain("courses_pause", "pause_no_overlap", _NO_OVERLAP),
            *(name_with_clinic(parent) for parent in _PARENTS),
            *(stay_in_clinic(*row) for row in _CHILDREN),
        ),
    ]
