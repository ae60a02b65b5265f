from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from reminders.services.backups import BackupError, restore_backup


class Command(BaseCommand):
    help = (
        "Put a backup in the place of the database and hold all messages. Stop web, workers and clock first."
    )
    # The database may be empty, or of any age.
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--force", action="store_true", help="also when the database has rows: they are lost"
        )

    def handle(self, *, file: Path, force: bool, **options: Any) -> None:
        try:
            contents = restore_backup(file, is_forced=force, now=timezone.now())
        except (BackupError, OSError) as error:
            raise CommandError(str(error)) from error
        rows = sum(number for number, _ in contents.tables.values())
        self.stdout.write(
            f"Restored and compared: {len(contents.tables)} tables, {rows} rows, as of {contents.made_at}.\n"
            "Nothing is sent until this has been looked at and confirmed:\n"
            f"  manage.py release_outbox --since {contents.made_at}"
        )
