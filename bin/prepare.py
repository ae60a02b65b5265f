"""The database of a local run: migrated, and filled with the demo clinic when it is empty."""

import io
import os
import sys

import django
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import OperationalError

from bin.steps import say


def prepare() -> None:
    """Migrate; in demo mode load the demo clinic into an empty database and print its logins."""
    from clinics.models import Clinic  # noqa: PLC0415  # app ready

    # With the checks, which a command called from a program leaves out: an older database may lie here.
    call_command("migrate", interactive=False, verbosity=0, skip_checks=False)
    call_command("fill_reports", stdout=io.StringIO())
    if not settings.DEMO:
        return
    if not Clinic.objects.exists():
        say("Loading the demo clinic, half a year of history ...")
        call_command("demo")
    for line in list_logins():
        say(line)


def list_logins() -> list[str]:
    """Return the demo logins as lines, in the clinic's own order; none when there is no demo clinic."""
    from clinics.models import StaffMember  # noqa: PLC0415  # app ready
    from simulation.clinic import DEMO_PASSWORD  # noqa: PLC0415  # app ready

    members = StaffMember.objects.filter(clinic__is_demo=True, is_active=True).select_related("user")
    lines = [f"  {member.user.email:<32}{member.role}" for member in members]
    return [f"Demo logins, all with the password {DEMO_PASSWORD}:", *lines] if lines else []


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    try:
        prepare()
    except (CommandError, OperationalError) as error:
        sys.exit(f"Error: the database could not be made ready: {error}")
