"""On PostgreSQL the database itself refuses a message that points into another clinic."""

from typing import Any

from django.db import migrations

_PARENTS = ("courses_treatmentsession", "reminders_reminderrule")
# (column, parent table): what a message refers to belongs to its own clinic.
_TENANTS = (
    ("client_id", "clients_client"),
    ("course_id", "courses_course"),
    ("session_id", "courses_treatmentsession"),
    ("rule_id", "reminders_reminderrule"),
)


def _forward(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor != "postgresql":
        return
    for parent in _PARENTS:
        schema_editor.execute(
            f"ALTER TABLE {parent} ADD CONSTRAINT {parent}_in_clinic UNIQUE (id, clinic_id)"
        )
    for column, parent in _TENANTS:
        schema_editor.execute(
            f"ALTER TABLE reminders_reminder ADD CONSTRAINT reminder_{column}_same_clinic"
            f" FOREIGN KEY ({column}, clinic_id) REFERENCES {parent} (id, clinic_id)"
            " DEFERRABLE INITIALLY DEFERRED"
        )


def _backward(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor != "postgresql":
        return
    for column, _ in _TENANTS:
        schema_editor.execute(f"ALTER TABLE reminders_reminder DROP CONSTRAINT reminder_{column}_same_clinic")
    for parent in _PARENTS:
        schema_editor.execute(f"ALTER TABLE {parent} DROP CONSTRAINT {parent}_in_clinic")


class Migration(migrations.Migration):
    dependencies = [("courses", "0002_refuse_overlaps"), ("reminders", "0001_add_rules_and_messages")]
    operations = [migrations.RunPython(_forward, _backward)]
