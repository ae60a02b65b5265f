"""The way out of a hold: what may have gone out already is withheld, the rest goes."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.services import SYSTEM
from clinics.clock import database_clock
from reminders.management.instants import instant
from reminders.models import Installation
from reminders.services.fence import held_reason
from reminders.services.releasing import Choice, Survey, release_outbox, survey_outbox

_REASONS = {
    "other_epoch": "this database is not the one that the installation file was made with",
    "no_file": "the installation file is missing or cannot be read",
    "behind": "this database is older than its installation file: it was restored",
    "restored": "a backup was restored",
    "by_hand": "somebody held it with hold_outbox",
}


class Command(BaseCommand):
    help = (
        "After a restore: withhold what may have gone out since the backup, and let the rest go. "
        "Shows the numbers and asks before it does anything."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        choice = parser.add_mutually_exclusive_group(required=True)
        choice.add_argument(
            "--since", type=instant, help="when the backup was made: withhold all that has come due by now"
        )
        choice.add_argument(
            "--expire-before",
            type=instant,
            help="for a false alarm: withhold only what came due before this time",
        )
        parser.add_argument("--dry-run", action="store_true", help="show the numbers only")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(
        self, *, since: datetime | None, expire_before: datetime | None, dry_run: bool, yes: bool, **_: Any
    ) -> None:
        reason = held_reason()
        if not reason:
            raise CommandError("Nothing is held; there is nothing to release.")
        now = database_clock()()
        if since is not None and since > now:
            raise CommandError("--since lies in the future; name the time at which the backup was made.")
        choice = Choice(since=since, expire_before=expire_before)
        self._show(reason, survey_outbox(choice, now=now))
        if dry_run:
            return
        if not yes and not self._is_confirmed():
            raise CommandError("Nothing was released.")
        survey = release_outbox(choice, by=SYSTEM, now=now)
        self.stdout.write(f"Released; {survey.withheld} messages are withheld.")

    def _is_confirmed(self) -> bool:
        try:
            return input("Type release to go on: ").strip().lower() == "release"
        except EOFError:
            return False

    def _show(self, reason: str, survey: Survey) -> None:
        seen_at = Installation.objects.values_list("seen_at", flat=True).first()
        self.stdout.write(f"Held: {_REASONS.get(reason, reason)}.")
        if seen_at is not None:
            self.stdout.write(f"The database was last at work at {seen_at.isoformat(timespec='seconds')}.")
        lines = [
            ("withheld: waiting before the time named", survey.waiting),
            ("withheld: come due since", survey.come_due),
            ("withheld: may have gone along with these", survey.taken_along),
            ("expire: no longer of use", survey.stale),
            ("go at once", survey.go_at_once),
            ("go when their time comes", survey.go_later),
            ("reported delivered by providers since the hold", survey.reported_delivered),
            ("reported bounced or unwanted since the hold", survey.reported_failed),
        ]
        width = max(len(label) for label, _ in lines)
        for label, number in lines:
            self.stdout.write(f"  {label:<{width}}  {number}")
