"""The time by which leases are counted: the database's, so that hosts whose clocks differ agree."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from django.db import connection
from django.utils import timezone

Clock = Callable[[], datetime]


def database_clock() -> Clock:
    """Return a clock set by the database's now and driven by this host's monotonic one.

    A jump of this host's wall clock does not move it, and a machine that slept finds it as late as it is.
    Cost: one query, here and never again.
    """
    started_at, started = database_now(), since_boot()
    return lambda: started_at + timedelta(seconds=since_boot() - started)


def since_boot() -> float:
    """Return seconds that count on while the machine sleeps, where the system can say so."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


# When this process began to count.
_BEGAN: Final = since_boot()


def uptime() -> timedelta:
    """Return how long this process has been up."""
    return timedelta(seconds=since_boot() - _BEGAN)


def database_now() -> datetime:
    """Return the database's time, by which periods and leases are counted. Cost: one query on PostgreSQL."""
    if connection.vendor != "postgresql":
        # The file lies on this host, so this host's clock is everybody's.
        return timezone.now()
    with connection.cursor() as cursor:
        # Not now(): inside a transaction that stands still.
        cursor.execute("SELECT clock_timestamp()")
        return datetime.fromisoformat(str(cursor.fetchone()[0]))
