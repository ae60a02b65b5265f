"""One tick by hand of all that the clock does: for cron, for tests, and for a look at what would be due at another time.

It stands above the apps whose work it does: whoever has no beat must miss nothing of config/celery.py's table.
"""

import logging
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from clinics.clock import Clock, database_now
from clinics.jobs import work_jobs
from clinics.tasks import housekeep
from courses.services import tally_days
from exports.services import run_due_schedules, tidy_exports
from hooks.services.sending import send_calls
from hooks.services.tidying import tidy_deliveries
from imports.services import tidy_imports
from reminders.management.instants import instant
from reminders.services import drain, run_tick
from reminders.services.heartbeat import send_heartbeat

logger = logging.getLogger(__name__)
# Programs that answer slowly must not keep the next tick waiting.
_CALLS_SECONDS: Final = 25.0
Part = tuple[str, Callable[[], int | None]]


class Command(BaseCommand):
    help = (
        "Do what time alone has made due: reassess courses, expire stale messages, send the due ones, start regular files, "
        "work the jobs that wait, call web hooks, count days for reports, and tidy away what has expired."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--at",
            type=instant,
            help="the time to act at, with its offset; else now. Nothing is tidied away then",
        )

    def handle(self, *args: Any, at: datetime | None = None, **options: Any) -> None:
        counts = run_tick(now=at or database_now())
        if counts is None:
            self.stdout.write("This period's tick has been done already.")
            return
        clock = None if at is None else lambda: at
        sent = drain(clock=clock)
        totals = {**counts, **{state: number for state, number in sorted(sent.items()) if number}}
        failed = []
        for name, do in _others(at, clock):
            try:
                if number := do():
                    totals[name] = number
            except Exception:
                # None of them may hold up the others.
                logger.exception("The tick's %s could not be done.", name)
                failed.append(name)
        self.stdout.write(", ".join(f"{name} {number}" for name, number in totals.items()))
        if failed:
            raise CommandError(f"Could not be done, see the log: {', '.join(failed)}.")


def _others(at: datetime | None, clock: Clock | None) -> Iterator[Part]:
    """Yield what else the clock does, in the order in which one part makes work for the next."""
    now = at or database_now()
    yield "regular_files", lambda: run_due_schedules(now=now)
    yield "jobs", lambda: work_jobs(clock=clock)
    yield "calls", lambda: send_calls(seconds=_CALLS_SECONDS, clock=clock)
    yield "days_counted", tally_days
    if at is not None:
        # What is tidied away is gone: only the real time says that it may go.
        return
    yield "heartbeat", lambda: int(send_heartbeat(now=now))
    yield "housekeeping", housekeep
    yield "files_removed", lambda: tidy_exports(now=now)
    yield "imports_forgotten", lambda: tidy_imports(now=now)
    yield "calls_forgotten", lambda: tidy_deliveries(now=now)
