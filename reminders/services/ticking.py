"""One tick: what time alone makes due, found by many schedulers and done by one."""

import logging
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction

from courses.services import reassess_due, roll_forward_due
from reminders.models import JobState, Reminder, ReminderState, TickRun
from reminders.services.claiming import recover_leases
from reminders.services.delivering import drain
from reminders.services.expiring import expire_stale

logger = logging.getLogger(__name__)

TICK: Final = "tick"
ROLL_FORWARD: Final = "roll_forward"
_ROLL_FORWARD_EVERY: Final = timedelta(hours=1)
_TICK_SECONDS: Final = 60
_RUNS_KEPT: Final = timedelta(days=1)
# One more sender for each this many due rows, as far as workers are likely to be there.
_ROWS_PER_SENDER: Final = 500
_SENDERS_MOST: Final = 8


def tick_period(now: datetime) -> timedelta:
    """Return the time from one tick to the next: a minute, or a few seconds where one process does it all."""
    return timedelta(seconds=_TICK_SECONDS if settings.IS_QUEUE_REMOTE else settings.TICK_SECONDS_EMBEDDED)


def run_tick(*, now: datetime) -> dict[str, int] | None:
    """Do one period's work and return its counts, or None when somebody else has this period.

    Takes silent claims back, expires what has outlived its use, reassesses the courses whose time has come,
    which brings their rows up to date. Once an hour it books what the booking horizon has reached.
    Sending is the senders' work: see wake_senders().
    """
    if not _take_period(TICK, now, tick_period(now)):
        return None
    JobState.objects.update_or_create(
        job=TICK, defaults={"last_started_at": now}, create_defaults={"last_started_at": now}
    )
    counts = {
        "recovered": recover_leases(now=now),
        # Before the courses, whose own sync would expire their rows uncounted.
        "expired": expire_stale(now=now),
        "reassessed": reassess_due(now=now),
    }
    if _take_period(ROLL_FORWARD, now, _ROLL_FORWARD_EVERY):
        counts["rolled_forward"] = roll_forward_due(now=now)
    JobState.objects.filter(job=TICK).update(last_succeeded_at=now, last_counts=counts)
    TickRun.objects.filter(period_start__lt=now - _RUNS_KEPT).delete()
    return counts


def _take_period(job: str, now: datetime, every: timedelta) -> bool:
    """Tell whether a job's period at a moment is this caller's to work; one row says so, for everybody."""
    with transaction.atomic():
        _, is_mine = TickRun.objects.get_or_create(job=job, period_start=_period_start(now, every))
    return is_mine


def wake_senders(*, now: datetime) -> Counter[str]:
    """Wake as many senders as the due rows are worth, or send here and now where there is nobody to wake.

    A wake-up that is lost is harmless: the next tick finds the same rows.
    """
    if not settings.IS_QUEUE_REMOTE:
        return drain()
    from reminders.tasks import send_due  # noqa: PLC0415  # leaf: the task imports its service

    due = Reminder.objects.filter(state=ReminderState.DUE, send_at__lte=now, expires_at__gt=now)
    number = due[: _ROWS_PER_SENDER * _SENDERS_MOST].count()
    for _ in range(-(-number // _ROWS_PER_SENDER)):
        transaction.on_commit(send_due.delay, robust=True)
    return Counter()


def last_success() -> datetime | None:
    """Return when a tick last succeeded."""
    return JobState.objects.filter(job=TICK).values_list("last_succeeded_at", flat=True).first()


def _period_start(now: datetime, every: timedelta) -> datetime:
    seconds = int(every.total_seconds())
    return datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, tz=UTC)
