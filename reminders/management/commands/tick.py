"""One scheduler tick by hand: for cron, for tests, and for a look at what would be due at another time."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from clinics.jobs import work_jobs
from reminders.services import drain, run_tick


class Command(BaseCommand):
    help = "Do what time alone has made due: reassess courses, expire stale messages, send the due ones, work the jobs that wait."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--at", type=_instant, help="the time to act at, with its offset; else now")

    def handle(self, *args: Any, at: datetime | None = None, **options: Any) -> None:
        counts = run_tick(now=at or timezone.now())
        if counts is None:
            self.stdout.write("This period's tick has been done already.")
            return
        clock = None if at is None else lambda: at
        sent = drain(clock=clock)
        if jobs := work_jobs(clock=clock):
            counts["jobs"] = jobs
        totals = {**counts, **{state: number for state, number in sorted(sent.items()) if number}}
        self.stdout.write(", ".join(f"{name} {number}" for name, number in totals.items()))


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"--at must be a time such as 2026-03-10T09:00+02:00; it is {text!r}.") from None
    if at.tzinfo is None:
        raise CommandError("--at must have an offset, such as 2026-03-10T09:00+02:00.")
    return at
