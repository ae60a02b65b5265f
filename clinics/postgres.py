"""Rules that only PostgreSQL can keep by itself, as the last step of a migration; on SQLite the services keep them.

Migrations that were applied long ago are made of these, so what they write never changes.
"""

from typing import NamedTuple

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import RunSQL
from django.db.migrations.state import ProjectState


class Rule(NamedTuple):
    """A constraint: the statements that add it and drop it."""

    add: str
    drop: str


class OnPostgres(RunSQL):
    """SQL for PostgreSQL alone."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)


def keep(*rules: Rule) -> OnPostgres:
    """Return the step that adds the rules in this order, and on the way back drops them in the other."""
    return OnPostgres([rule.add for rule in rules], [rule.drop for rule in reversed(rules)])


def constrain(table: str, name: str, text: str) -> Rule:
    return Rule(
        f"ALTER TABLE {table} ADD CONSTRAINT {name} {text}", f"ALTER TABLE {table} DROP CONSTRAINT {name}"
    )


def name_with_clinic(parent: str) -> Rule:
    """Let children name a row of this table together with its clinic, as `stay_in_clinic` has them do."""
    return constrain(parent, f"{parent}_in_clinic", "UNIQUE (id, clinic_id)")


def stay_in_clinic(child: str, column: str, parent: str, *, name: str = "") -> Rule:
    """Refuse a child whose parent belongs to another clinic."""
    return constrain(
        child,
        name or f"{child}_{column}_same_clinic",
        f"FOREIGN KEY ({column}, clinic_id) REFERENCES {parent} (id, clinic_id) DEFERRABLE INITIALLY DEFERRED",
    )
