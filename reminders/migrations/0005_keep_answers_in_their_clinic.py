"""On PostgreSQL the database refuses answers, reports, links and versions that point into another clinic."""

from typing import Any

from django.db import migrations

# (child table, column, parent table)
_TENANTS = (
    ("clients_accesslink", "client_id", "clients_client"),
    ("reminders_answer", "client_id", "clients_client"),
    ("reminders_answer", "reminder_id", "reminders_reminder"),
    ("reminders_answer", "session_id", "courses_treatmentsession"),
    ("reminders_deliveryreport", "reminder_id", "reminders_reminder"),
    ("reminders_reminder", "fallback_for_id", "reminders_reminder"),
    ("reminders_reminder", "sent_with_id", "reminders_reminder"),
    ("reminders_reminder", "staff_member_id", "clinics_staffmember"),
    ("reminders_ruleversion", "changed_by_id", "clinics_staffmember"),
    ("reminders_ruleversion", "rule_id", "reminders_reminderrule"),
)


def _forward(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor != "postgresql":
        return
    schema_editor.execute(
        "ALTER TABLE reminders_reminder ADD CONSTRAINT reminders_reminder_in_clinic UNIQUE (id, clinic_id)"
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
    schema_editor.execute("ALTER TABLE reminders_reminder DROP CONSTRAINT reminders_reminder_in_clinic")


class Migration(migrations.Migration):
    dependencies = [("reminders", "0004_add_channels_answers_and_reports")]
    operations = [migrations.RunPython(_forward, _backward)]
