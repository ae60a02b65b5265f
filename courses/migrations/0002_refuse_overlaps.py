"""On PostgreSQL the database itself refuses double bookings, overlapping pauses and foreign tenants' parents.

A one-value int8range stands in for equality, so that no btree_gist extension is needed.
"""

from typing import Any

from django.db import migrations

_BOOKED = "status IN ('booked', 'confirmed', 'arrived')"
_EXCLUSIONS = {
    name: f"""ALTER TABLE courses_treatmentsession ADD CONSTRAINT {name} EXCLUDE USING gist (
        int8range({column}, {column}, '[]') WITH &&, tstzrange(starts_at, ends_at) WITH &&
    ) WHERE ({_BOOKED} AND {column} IS NOT NULL)"""
    for name, column in (
        ("session_practitioner_free", "practitioner_id"),
        ("session_room_free", "room_id"),
        ("session_client_free", "client_id"),
    )
}
_PAUSES = """ALTER TABLE courses_pause ADD CONSTRAINT pause_no_overlap EXCLUDE USING gist (
    int8range(course_id, course_id, '[]') WITH &&, daterange(from_on, to_on, '[]') WITH &&
)"""
# (child table, column, parent table): a child belongs to its parent's clinic.
_TENANTS = (
    ("courses_course", "client_id", "clients_client"),
    ("courses_course", "protocol_id", "courses_protocol"),
    ("courses_treatmentsession", "course_id", "courses_course"),
    ("courses_treatmentsession", "client_id", "clients_client"),
    ("courses_treatmentsession", "practitioner_id", "clinics_staffmember"),
    ("courses_treatmentsession", "room_id", "clinics_room"),
    ("courses_pause", "course_id", "courses_course"),
    ("courses_flag", "course_id", "courses_course"),
)


def _forward(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor != "postgresql":
        return
    for sql in (*_EXCLUSIONS.values(), _PAUSES):
        schema_editor.execute(sql)
    for parent in sorted({parent for _, _, parent in _TENANTS}):
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
    for parent in sorted({parent for _, _, parent in _TENANTS}):
        schema_editor.execute(f"ALTER TABLE {parent} DROP CONSTRAINT {parent}_in_clinic")
    schema_editor.execute("ALTER TABLE courses_pause DROP CONSTRAINT pause_no_overlap")
    for name in _EXCLUSIONS:
        schema_editor.execute(f"ALTER TABLE courses_treatmentsession DROP CONSTRAINT {name}")


class Migration(migrations.Migration):
    dependencies = [("clients", "0001_initial"), ("clinics", "0001_initial"), ("courses", "0001_initial")]
    operations = [migrations.RunPython(_forward, _backward)]
