"""The audit trail; on PostgreSQL a trigger keeps it append-only, whatever code asks for it."""

from typing import Any

from django.db import migrations, models

_REFUSE = """
CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit events are never changed or deleted' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER audit_refuse_change BEFORE UPDATE OR DELETE ON audit_auditevent
    FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
"""
_ALLOW = """
DROP TRIGGER audit_refuse_change ON audit_auditevent;
DROP FUNCTION audit_refuse_change();
"""


def _run(sql: str) -> Any:
    def run(apps: Any, schema_editor: Any) -> None:
        # SQLite has no TRUNCATE: the same trigger there would make it impossible to empty a test database.
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(sql)

    return run


class Migration(migrations.Migration):
    replaces = [("audit", "0001_initial"), ("audit", "0002_refuse_changes")]

    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="AuditEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField()),
                ("clinic_code", models.UUIDField(null=True)),
                (
                    "actor_kind",
                    models.CharField(
                        choices=[("staff", "staff member"), ("client", "client"), ("system", "system")],
                        max_length=10,
                    ),
                ),
                ("actor_code", models.UUIDField(null=True)),
                ("action", models.CharField(max_length=60)),
                ("subject_kind", models.CharField(max_length=40)),
                ("subject_code", models.UUIDField(null=True)),
                ("old", models.JSONField(default=dict)),
                ("new", models.JSONField(default=dict)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["clinic_code", "-at"], name="audit_by_clinic"),
                    models.Index(fields=["subject_code", "-at"], name="audit_by_subject"),
                ],
            },
        ),
        migrations.RunPython(_run(_REFUSE), _run(_ALLOW)),
    ]
