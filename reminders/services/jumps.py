"""Jumps of the clock: a tick that cannot trust the time does nothing but say so.

The database's clock is compared with one that only ever counts seconds. A jump is not believed at first: most
are mended within minutes, and what is sent early or twice cannot be called back. One that stays is the truth.
"""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from reminders.models import JobState, Reminder, ReminderState, TickRun
from reminders.services.ticking import TICK, tick_period
from reminders.services.wire import LEASE

logger = logging.getLogger(__name__)

CLOCK: Final = "clock"
TOLERANCE: Final = timedelta(minutes=2)
# For so long a jump is not believed, counted in ticks.
_DOUBTED_FOR: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class _Look:
    """The database's clock and the counter at one moment, and how many jumps had been believed by then."""

    at: datetime
    counter: float
    believed: int


# The last look at a clock that could be trusted; each process has its own counter.
_last: _Look | None = None


def is_clock_steady(*, now: datetime) -> bool:
    """Tell whether the time can be trusted; every tick asks first, with the database's time.

    A jump is recorded for the health page. One that has lasted ten minutes is taken for the truth: periods
    and leases that lie ahead of it are then given up.
    Cost: four statements.
    """
    with transaction.atomic():
        job, _ = JobState.objects.select_for_update().get_or_create(
            job=CLOCK, defaults={"last_started_at": now}
        )
        counts: dict[str, int] = {"doubted": 0, "believed": 0, "jump_seconds": 0, **job.last_counts}
        jump = _measure(now, counts)
        if abs(jump) > TOLERANCE:
            counts["doubted"] += 1
            counts["jump_seconds"] = round(jump.total_seconds())
            if counts["doubted"] * tick_period(now) > _DOUBTED_FOR:
                counts.update(doubted=0, believed=counts["believed"] + 1)
                _give_up_what_lies_ahead(now)
        else:
            counts["doubted"] = 0
        is_steady = counts["doubted"] == 0
        job.last_started_at, job.last_counts = now, counts
        if is_steady:
            job.last_succeeded_at = now
        job.save()
    if is_steady:
        _remember(now, counts["believed"])
    else:
        logger.error(
            "The clock has jumped by %s seconds; nothing is planned or sent.", counts["jump_seconds"]
        )
    return is_steady


def is_jumping(jobs: Mapping[str, JobState], *, now: datetime) -> bool:
    """Tell by the states of tick and clock whether the time is not trusted at present."""
    succeeded_at = jobs[TICK].last_succeeded_at if TICK in jobs else None
    is_ahead = succeeded_at is not None and succeeded_at > now + TOLERANCE
    return is_ahead or (CLOCK in jobs and jobs[CLOCK].last_counts.get("doubted", 0) > 0)


def forget() -> None:
    """Let this process compare with nothing, as one that has just started."""
    global _last
    _last = None


def _remember(now: datetime, believed: int) -> None:
    global _last
    _last = _Look(now, _count_seconds(), believed)


def _measure(now: datetime, counts: dict[str, int]) -> timedelta:
    """Return by how much the clock is ahead of where it should be; negative when it went back."""
    if _last is not None and _last.believed == counts["believed"]:
        return now - _last.at - timedelta(seconds=_count_seconds() - _last.counter)
    if counts["doubted"]:
        # A process with nothing of its own to compare with takes the word of the one that had.
        return timedelta(seconds=counts["jump_seconds"])
    # Time that passed without a tick cannot be told from a jump ahead; only the way back shows.
    started_at = JobState.objects.filter(job=TICK).values_list("last_started_at", flat=True).first()
    return min(timedelta(0), now - started_at) if started_at is not None else timedelta(0)


def _give_up_what_lies_ahead(now: datetime) -> None:
    """After a way back: periods worked in a time that is yet to come would keep every tick away until then."""
    TickRun.objects.filter(period_start__gt=now).delete()
    Reminder.objects.filter(state=ReminderState.CLAIMED, lease_until__gt=now + LEASE).update(
        lease_until=now + LEASE
    )
    JobState.objects.filter(last_succeeded_at__gt=now).update(last_succeeded_at=now)
    JobState.objects.filter(last_started_at__gt=now).update(last_started_at=now)
    logger.error("The clock's new time is taken for the truth.")


def _count_seconds() -> float:
    # Where there is one, the counter that goes on while the machine sleeps: to wake up is no jump.
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)
