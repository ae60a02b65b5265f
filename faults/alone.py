"""One sender in this very process, whose clock leaps to the next moment at which anything is due.

For what needs no second process: hours of refusals pass in a second, and the mail sink is as independent as ever.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Min

from faults.cohort import PEAK
from reminders.models import LIVE_STATES, Reminder
from reminders.services import drain, run_tick

_LEAP: Final = timedelta(seconds=5)


@dataclass(slots=True)
class LeapClock:
    """A clock that stands still until it leaps; it remembers when, so that the sink's times can be read by it."""

    now: datetime = PEAK
    speed: float = 1.0
    leaps: list[tuple[float, datetime]] = field(default_factory=list)

    def leap(self, at: datetime) -> None:
        """Show another moment from here on."""
        self.now = at
        self.leaps.append((time.time(), at))

    def __call__(self) -> datetime:
        return self.now

    def of(self, host_seconds: float) -> datetime:
        """Return what this clock showed at a moment of this host's time."""
        return next((at for since, at in reversed(self.leaps) if since <= host_seconds), self.now)


def send_alone(*, begins_at: datetime = PEAK, leaps_most: int = 200) -> LeapClock:
    """Tick and send until no message waits for its end, leaping over the time between; return the clock."""
    clock = LeapClock()
    clock.leap(begins_at)
    for _ in range(leaps_most):
        run_tick(now=clock.now)
        drain(clock=clock)
        at = _next_moment()
        if at is None:
            break
        # A tick's period at the least: what cannot be done now is not asked for again at once.
        clock.leap(max(at, clock.now + _LEAP))
    return clock


def _next_moment() -> datetime | None:
    """Return when the next waiting message may be tried, None when none waits."""
    live = Reminder.objects.filter(state__in=LIVE_STATES)
    if not live.exists():
        return None
    found = live.aggregate(retry=Min("retry_at"), lease=Min("lease_until"), send=Min("send_at"))
    waits: list[datetime] = [at for at in (found["retry"], found["lease"]) if at is not None]
    first: datetime | None = found["send"]
    return min(waits, default=first)
