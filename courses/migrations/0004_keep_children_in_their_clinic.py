"""On PostgreSQL the database refuses every other row too that points to another clinic's parent."""

from typing import Any

from django.db import migrations

# (child table, column, parent table); those of 0002 are there already.
_TENANTS = (
    ("clients_client", "prefers_practitioner_id", "clinics_staffmember"),
    ("clients_contactpoint", "client_id", "clients_client"),
    ("clients_consent", "client_id", "clients_client"),
    ("clinics_practitionerhours", "practitioner_id", "clinics_staffmember"),
    ("clinics_absence", "practitioner_id", "clinics_staffmember"),
    ("courses_protocolphase", "protocol_id", "courses_protocol"),
    ("courses_protocolcontraindication", "protocol_id", "courses_protocol"),
    ("courses_recordedcontraindication", "client_id", "clients_client"),
    ("courses_course", "prescribed_by_id", "clinics_staffmember"),
    ("courses_course", "practitioner_id", "clinics_staffmember"),
    ("courses_prescriptionrevision", "course_id", "courses_course"),
    ("courses_phase", "revision_id", "courses_prescriptionrevision"),
    ("courses_phaseend", "course_id", "courses_course"),
    ("courses_restart", "course_id", "courses_course"),
    ("courses_contraindicationoverride", "course_id", "courses_course"),
    ("courses_planrevision", "course_id", "courses_course"),
    ("courses_treatmentsession", "outcome_by_id", "clinics_staffmember"),
    ("courses_flagcall", "flag_id", "courses_flag"),
)
_NEW_PARENTS = ("courses_flag", "courses_prescriptionrevision")


def _forward(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor != "postgresql":
        return
    for parent in _NEW_PARENTS:
        schema_editor.execute(
            f"ALTER TABLE {parent} ADD CONSTRAINT {parent}_in_clinic UNIQUE (id, clinic_id)"
        )
    for child, column, parent in _TENANTS:
        schema_editor.execute(
            f"ALTER TABLE {child} ADD CONSTRAINT {child}_{column}_same_clinic FOREIGN KEY ({column}, clinic_id)"
            f" REFERENCES {parent} (id, clinic_id) DEFERRABLE INITIALLY DEFERRED"
        )


def _backward(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor != "postgresql":
        return
    for child, column, _ in _TENANTS:
        schema_editor.execute(f"ALTER TABLE {child} DROP CONSTRAINT {child}_{column}_same_clinic")
    for parent in _NEW_PARENTS:
        schema_editor.execute(f"ALTER TABLE {parent} DROP CONSTRAINT {parent}_in_clinic")


class Migration(migrations.Migration):
    dependencies = [
        ("clients", "0003_require_whole_withdrawals"),
        ("clinics", "0001_initial"),
        ("courses", "0003_require_whole_pairs"),
    ]
    operations = [migrations.RunPython(_forward, _backward)]
