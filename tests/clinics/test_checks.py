"""A database from the middle of an earlier version is not taken for a complete one."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from clinics.checks import HALFWAY, check_no_migration_is_half_applied

pytestmark = pytest.mark.django_db
KEY = ("clinics", "0001_create_clinics")


@pytest.fixture
def replaced():
    """The migrations that the first one of clinics took the place of, as if it had never run itself."""
    migration = MigrationLoader(None).disk_migrations[KEY]
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied(*KEY)
    for app, name in migration.replaces:
        recorder.record_applied(app, name)
    return migration.replaces


def check():
    return check_no_migration_is_half_applied(databases=["default"])


def test_database_with_all_of_the_earlier_ones_is_complete(replaced):
    assert check() == []


def test_database_with_some_of_the_earlier_ones_is_refused(replaced):
    MigrationRecorder(connection).record_unapplied(*replaced[-1])

    (found,) = check()

    assert (found.id, found.msg) == (
        HALFWAY,
        f"The tables of clinics are from the middle of an earlier version: {replaced[-1][1]} never ran.",
    )
    with pytest.raises(CommandError, match="from the middle of an earlier version"):
        call_command("migrate", verbosity=0, skip_checks=False)


def test_empty_and_new_databases_are_fine():
    assert check() == []
    assert check_no_migration_is_half_applied(databases=None) == []
