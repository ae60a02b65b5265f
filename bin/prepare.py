"""The database of a local run: migrated, and filled with the demo clinic when it is empty."""

import os
import sys

import django
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import OperationalError


def prepare() -> None:
    """Migrate; in demo mode load the demo clinic into an empty database and print its logins."""
    call_command("migrate", interactive=False, verbosity=0)
    if settings.DEMO:
        call_command("demo", "--if-empty")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    try:
        prepare()
    except (CommandError, OperationalError) as error:
        sys.exit(f"Error: the database could not be made ready: {error}")
