"""Copies of the one clinic of a database, made by SQL: thousands of clinics in minutes, every constraint checked.

A copy's rows have the ids of their originals plus the copy's number times STRIDE, so all references follow; codes are
derived from the original's and the number, also where a reminder names a session by its code. Constraints and indexes
are taken down for the load and put up again afterwards, which checks every row at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.apps import apps
from django.db import connection, models, transaction

from bin.steps import say

# Above every id of the original; the ids that the application gives out itself start above the last copy's.
STRIDE: Final = 1_000_000
_APPS: Final = ("clinics", "clients", "courses", "reminders")
# What belongs to the installation and not to a clinic, and what nothing that is measured reads.
_LEFT_OUT: Final = (
    "TickRun",
    "JobState",
    "KeptMessage",
    "Installation",
    "AccessLink",
    "RateBucket",
    "ChannelHealth",
    "DayTally",
    "HourTally",
    "StaleDay",
)

_TABLES: Final = "SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
# Constraints that are checked through an index or another table; foreign keys come last, as they need the others.
_CONSTRAINTS: Final = f"""
    SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint
    WHERE contype IN ('u', 'x', 'f') AND conrelid IN ({_TABLES}) ORDER BY contype = 'f', conname"""
_INDEXES: Final = f"""
    SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
    WHERE indrelid IN ({_TABLES})
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u', 'x'))"""


def multiply_clinic(copies: int) -> None:
    """Add copies of the only clinic to the current database, then bring its statistics up to date.

    Raises: django.db.IntegrityError when a copied row breaks a constraint.
    Cost: one transaction; some minutes for a million courses.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
        cursor.execute("SET LOCAL maintenance_work_mem = '512MB'")
        restore = take_down(cursor)
        for model in _copied_models():
            table = f'"{model._meta.db_table}"'
            # Read from a table that does not grow under the reader.
            cursor.execute(f"CREATE TEMP TABLE original ON COMMIT DROP AS SELECT * FROM {table}")
            cursor.execute(_copy_statement(model), [STRIDE, copies])
            cursor.execute("DROP TABLE original")
            cursor.execute(
                "SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [table, (copies + 1) * STRIDE]
            )
        for statement in restore:
            cursor.execute(statement)
    with connection.cursor() as cursor:
        # Also sets the visibility map, as autovacuum does in the long run.
        cursor.execute("VACUUM (ANALYZE)")
    say(f"  {copies:,} copies of the model clinic")


def _copied_models() -> list[type[models.Model]]:
    found = [model for name in _APPS for model in apps.get_app_config(name).get_models()]
    return [model for model in found if model.__name__ not in _LEFT_OUT]


def take_down(cursor: Any) -> list[str]:
    """Drop constraints and indexes and return the statements that put them up again, in order."""
    cursor.execute(_CONSTRAINTS)
    constraints = cursor.fetchall()
    cursor.execute(_INDEXES)
    indexes = cursor.fetchall()
    for table, name, _ in reversed(constraints):
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    for name, _ in indexes:
        cursor.execute(f"DROP INDEX {name}")
    return [
        *(definition for _, definition in indexes),
        *(
            f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}"
            for table, name, definition in constraints
        ),
    ]


def _copy_statement(model: type[models.Model]) -> str:
    """Return the statement that inserts all copies of a table's original rows, one copy after the other."""
    columns = copied_columns(model, _copied_models())
    names, values = ", ".join(f'"{name}"' for name in columns), ", ".join(columns.values())
    table = f'"{model._meta.db_table}"'
    return f"""
        INSERT INTO {table} ({names})
        WITH copy AS (SELECT n::bigint, %s::bigint AS stride FROM generate_series(1, %s) AS n)
        SELECT {values} FROM copy CROSS JOIN LATERAL (
            SELECT * FROM original ORDER BY id OFFSET 0 * copy.n
        ) AS original"""


def copied_columns(model: type[models.Model], copied: Sequence[type[models.Model]]) -> dict[str, str]:
    """Return the SQL of each column in copy number n; references to what is `copied` too go to the same copy."""
    fields = model._meta.concrete_fields
    return {field.column: _copied_value(model, field, copied) for field in fields if field.column}


def _copied_value(
    model: type[models.Model], field: models.Field[Any, Any], copied: Sequence[type[models.Model]]
) -> str:
    column = f'original."{field.column}"'
    if field.primary_key or (isinstance(field, models.ForeignKey) and field.related_model in copied):
        return f"{column} + n * stride"
    if field.name == "code":
        return f"md5({column}::text || n)::uuid"
    if (model.__name__, field.name) == ("User", "email"):
        return f"n || '.' || {column}"
    if (model.__name__, field.name) == ("Reminder", "subject_key"):
        return f"split_part({column}, ':', 1) || ':' || md5(split_part({column}, ':', 2) || n)::uuid"
    if (model.__name__, field.name) == ("Reminder", "told"):
        slot = "jsonb_build_array(md5((slot ->> 0) || n)::uuid, slot -> 1)"
        return (
            f"(SELECT coalesce(jsonb_agg({slot} ORDER BY place), '[]') "
            f"FROM jsonb_array_elements({column}) WITH ORDINALITY AS told (slot, place))"
        )
    return column
