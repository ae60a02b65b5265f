from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils import timezone

from reminders.services.backups import BackupError, make_backup


class Command(BaseCommand):
    help = (
        "Copy the database to a file, with a list of what is in it beside it. Encrypt both: docs/deploy.md."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, help="else a new one in var/backups")

    def handle(self, *, file: Path | None, **options: Any) -> None:
        now = timezone.now()
        ending = "sqlite3" if connection.vendor == "sqlite" else "dump"
        target = file or settings.VAR_DIR / "backups" / f"regimen-{now:%Y%m%dT%H%M%SZ}.{ending}"
        try:
            contents = make_backup(target, now=now)
        except (BackupError, OSError) as error:
            raise CommandError(str(error)) from error
        rows = sum(number for number, _ in contents.tables.values())
        self.stdout.write(f"{target}: {len(contents.tables)} tables, {rows} rows, as of {contents.made_at}.")
