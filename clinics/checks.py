"""What a database must be like before anything is done with it."""

from collections.abc import Sequence
from typing import Any, Final

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

HALFWAY: Final = "clinics.E001"


@register(Tags.database)
def check_no_migration_is_half_applied(
    *, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Find migrations of which the database has only some of those that they took the place of.

    Django takes them for applied and says that there is nothing to do; queries then fail on what is missing.
    `manage.py migrate` asks this; a start of the server does not.
    """
    disk = MigrationLoader(None).disk_migrations
    found: list[CheckMessage] = []
    for alias in databases or ():
        applied = MigrationRecorder(connections[alias]).applied_migrations().keys()
        for key, migration in sorted(disk.items()):
            replaced = set(migration.replaces)
            missing = replaced - applied
            if key not in applied and missing and missing != replaced:
                names = ", ".join(sorted(name for _, name in missing))
                found.append(
                    Error(
                        f"The tables of {key[0]} are from the middle of an earlier version: {names} never ran.",
                        hint="Bring the database up to date with that version, or begin with an empty one.",
                        id=HALFWAY,
                    )
                )
    return found
