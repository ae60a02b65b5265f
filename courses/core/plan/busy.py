"""When somebody or something is taken, in POSIX seconds and by days, for any number of plans."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable
from copy import copy
from datetime import UTC, date, datetime
from math import ceil
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

DAY_SECONDS: Final = 24 * 60 * 60
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()

# Aware instants, half-open.
BusySpan = tuple[datetime, datetime]


class Times(NamedTuple):
    """Spans that neither touch nor overlap, in order: where each one starts, and where it ends."""

    starts: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()

    def meet(self, start: int, end: int) -> bool:
        """Return whether any of the spans meets another one."""
        after = bisect_right(self.ends, start)
        return after < len(self.starts) and self.starts[after] < end

    def hold(self, start: int, end: int) -> bool:
        """Return whether one of the spans holds another one whole."""
        before = bisect_right(self.starts, start)
        return before > 0 and end <= self.ends[before - 1]


FREE: Final = Times()


class BusyTimes:
    """The busy spans of one person or room, converted when a day near them is first asked for, then remembered.

    Plans that are made one after the other may share it, with add() for what each of them takes.
    """

    def __init__(self, spans: Iterable[BusySpan], zone: ZoneInfo) -> None:
        self._zone = zone
        # By their own dates, in UTC or in the clinic's zone, which are at most one day off the clinic's dates.
        self._spans: dict[int, list[BusySpan]] = defaultdict(list)
        # Not noted at each of their days: there may be many of them, and each may last for years.
        self._long: list[tuple[int, int]] = []
        self._long_times: Times | None = None
        self._known: dict[int, list[tuple[int, int]]] = {}
        self._near: dict[int, Times] = {}
        for from_at, to_at in spans:
            self._note(from_at, to_at)

    def add(self, from_at: datetime, to_at: datetime) -> None:
        """Take one more span."""
        day = self._note(from_at, to_at)
        if day is None:
            self._near.clear()
            return
        self._forget(day)

    def without(self, spans: Iterable[BusySpan]) -> "BusyTimes":
        """Return the same times but for some of the spans, each taken out once; this one stays as it is.

        Only for the next plan: what is taken later is added to one of the two alone.
        Raises: ValueError for a span that is not among them.
        """
        other = copy(self)
        other._spans = self._spans.copy()
        other._known, other._near = self._known.copy(), self._near.copy()
        other._long = self._long.copy()
        for from_at, to_at in spans:
            span = self._in_one_zone(from_at, to_at)
            day = span[0].toordinal()
            if day != span[1].toordinal():
                other._long.remove((seconds_of(span[0]), whole_seconds(span[1])))
                other._long_times = None
                other._near.clear()
                continue
            left = other._spans[day] = other._spans[day].copy()
            left.remove(span)
            other._forget(day)
        return other

    def _forget(self, day: int) -> None:
        """Forget what was worked out about a day."""
        self._known.pop(day, None)
        for near in (day - 1, day, day + 1):
            self._near.pop(near, None)

    def _in_one_zone(self, from_at: datetime, to_at: datetime) -> BusySpan:
        zone = self._zone
        if from_at.tzinfo is not to_at.tzinfo or (from_at.tzinfo is not zone and from_at.tzinfo is not UTC):
            return from_at.astimezone(zone), to_at.astimezone(zone)
        return from_at, to_at

    def _note(self, from_at: datetime, to_at: datetime) -> int | None:
        """Keep a span and return its day, None for one that is longer than that."""
        from_at, to_at = self._in_one_zone(from_at, to_at)
        day = from_at.toordinal()
        if day == to_at.toordinal():
            self._spans[day].append((from_at, to_at))
            return day
        self._long.append((seconds_of(from_at), whole_seconds(to_at)))
        self._long_times = None
        return None

    def near(self, day: int) -> Times:
        """Return the spans that may touch a day."""
        times = self._near.get(day)
        if times is None:
            found = [*self._dated(day - 1), *self._dated(day), *self._dated(day + 1)]
            if self._long:
                found += self._long_near(day)
            times = self._near[day] = joined(found) if found else FREE
        return times

    def _long_near(self, day: int) -> Iterable[tuple[int, int]]:
        if self._long_times is None:
            self._long_times = joined(self._long)
        times = self._long_times
        noon = (day - _EPOCH_DAY) * DAY_SECONDS + DAY_SECONDS // 2
        first = bisect_left(times.ends, noon - 2 * DAY_SECONDS)
        last = bisect_right(times.starts, noon + 2 * DAY_SECONDS)
        return zip(times.starts[first:last], times.ends[first:last], strict=True)

    def _dated(self, day: int) -> list[tuple[int, int]]:
        known = self._known.get(day)
        if known is None:
            spans = self._spans.get(day, ())
            known = self._known[day] = [
                (seconds_of(from_at), whole_seconds(to_at)) for from_at, to_at in spans
            ]
        return known


def busy_times(spans: "Iterable[BusySpan] | BusyTimes", zone: ZoneInfo) -> BusyTimes:
    """Return spans ready to be asked, those that are ready already as they are."""
    return spans if isinstance(spans, BusyTimes) else BusyTimes(spans, zone)


def seconds_of(instant: datetime) -> int:
    """Return the POSIX seconds of an instant."""
    return int(instant.timestamp())


def whole_seconds(instant: datetime) -> int:
    """Return the POSIX seconds by which an instant has passed."""
    # What is over within a second takes all of it: a slot at the full second would begin too early.
    return ceil(instant.timestamp())


def joined(spans: Iterable[tuple[int, int]]) -> Times:
    """Return spans in order, with those that touch or overlap made one."""
    starts: list[int] = []
    ends: list[int] = []
    for opens, closes in sorted(spans):
        if ends and opens <= ends[-1]:
            ends[-1] = max(ends[-1], closes)
        else:
            starts.append(opens)
            ends.append(closes)
    return Times(tuple(starts), tuple(ends))
