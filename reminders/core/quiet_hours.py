"""Quiet hours: when a client is left alone, and where a message goes that would come then."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from clinics.core import to_utc

# A message that moves out of quiet hours leaves the sender this much time before they begin.
QUIET_MARGIN: Final = timedelta(minutes=30)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Wall times between which nothing is sent, in the client's zone; over midnight when from is later.

    The first time is quiet, the last is not; equal times mean no quiet hours at all.
    """

    from_time: time
    to_time: time
    zone: ZoneInfo


def quiet_span(at: datetime, *, quiet: QuietHours) -> tuple[datetime, datetime] | None:
    """Return the quiet span (half-open, UTC) in which an instant lies, or None when it is not quiet."""
    at = at.astimezone(UTC)
    day = at.astimezone(quiet.zone).date()
    for first in (day - _DAY, day, day + _DAY):
        begins, ends = _span(first, quiet)
        if begins <= at < ends:
            return begins, ends
    return None


def move_later(at: datetime, *, quiet: QuietHours) -> datetime:
    """Return the instant itself, or the end of the quiet hours in which it lies."""
    # A change of clocks can make two spans touch, never more than a few.
    for _ in range(4):
        span = quiet_span(at, quiet=quiet)
        if span is None:
            break
        at = span[1]
    return at


def move_earlier(at: datetime, *, quiet: QuietHours) -> datetime:
    """Return the instant itself, or one shortly before the quiet hours in which it lies.

    Where fewer minutes than QUIET_MARGIN lie between two quiet spans, the first of them.
    """
    for _ in range(4):
        span = quiet_span(at, quiet=quiet)
        if span is None:
            break
        earlier = span[0] - QUIET_MARGIN
        before = quiet_span(earlier, quiet=quiet)
        if before is None:
            return earlier
        if before[1] < span[0]:
            return before[1]
        # The two spans touch: go on from the start of the earlier one.
        at = before[0]
    return at


def _span(first: date, quiet: QuietHours) -> tuple[datetime, datetime]:
    last = first + _DAY if quiet.to_time < quiet.from_time else first
    return to_utc(first, quiet.from_time, quiet.zone), to_utc(last, quiet.to_time, quiet.zone)
