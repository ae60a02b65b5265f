"""The time axis of a ribbon: days to positions, and where its ticks go.

Each phase has its own scale, so that sessions meant to be two weeks apart take about as much room as
sessions meant to be two days apart, and a long stretch in which nothing is marked is drawn shorter.
A long ribbon is folded into rows like a text.
"""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import accumulate, pairwise
from math import ceil
from typing import Final, Literal, NamedTuple

from courses.core.ribbon.facts import RibbonFacts

TickUnit = Literal["day", "week", "month", "quarter", "year"]
MARGIN_DAYS: Final = 1
# A stretch without marks longer than so many gaps is drawn at a part of its scale from there on.
IDLE_GAPS: Final = 3.0
IDLE_SCALE: Final = 0.25
WIDEST_GAP_DAYS: Final = 31
_TICK_UNITS: Final[tuple[tuple[TickUnit, float], ...]] = (
    ("day", 1),
    ("week", 7),
    ("month", 30.4),
    ("quarter", 91.3),
    ("year", 365.2),
)


class Tick(NamedTuple):
    """A day that the axis names; a month, quarter or year is named by its first day."""

    on: date
    unit: TickUnit


class Axis:
    """Positions of days on one line, cut into rows of equal width.

    `edges[i]` is where day `first + i` begins, in pixels from the line's start; the line is
    `rows * width` long.
    """

    __slots__ = ("edges", "first", "last", "rows", "width")

    def __init__(
        self,
        facts: RibbonFacts,
        *,
        width: float,
        least_step: float = 0,
        most_rows: int = 1,
        past_scale: float = 1,
    ) -> None:
        """Lay the days out; `past_scale` is what phases before the one of today are drawn at."""
        self.first, self.last = _bounds(facts)
        weights = _weights(facts, self.first, self.last, past_scale)
        total = sum(weights)
        self.width = width
        self.rows = max(1, min(most_rows, ceil(total * least_step / width)))
        scale = self.rows * width / total
        self.edges = [0.0, *(scale * at for at in accumulate(weights))]

    def begin(self, day: date) -> float:
        """Return where a day begins; days outside the axis are moved to its ends."""
        index = day.toordinal() - self.first
        return self.edges[max(0, min(index, len(self.edges) - 1))]

    def end(self, day: date) -> float:
        """Return where a day ends."""
        return self.begin(day + timedelta(1))

    def middle(self, day: date) -> float:
        """Return the middle of a day."""
        return (self.begin(day) + self.end(day)) / 2

    def row_of(self, at: float) -> int:
        """Return the row (0-based) of a position."""
        return min(self.rows - 1, int(at // self.width))

    def day_at(self, at: float) -> date:
        """Return the day that a position lies in."""
        index = min(bisect_right(self.edges, at) - 1, len(self.edges) - 2)
        return date.fromordinal(self.first + index)

    def cuts(self, start: float, stop: float) -> list[tuple[int, float, float]]:
        """Return a stretch of the line cut at the ends of rows: (row, from, to) with x within the row."""
        pieces = []
        for row in range(self.row_of(start), self.rows):
            left = row * self.width
            if start < left + self.width and stop > left:
                pieces.append((row, max(0.0, start - left), min(self.width, stop - left)))
            if stop <= left + self.width:
                break
        return pieces


def _bounds(facts: RibbonFacts) -> tuple[int, int]:
    dates = [facts.start_on, facts.today, *(mark.on for mark in facts.marks), *facts.restarts]
    for window in facts.windows:
        dates += [window.due_from, window.due_by]
    for pause in facts.pauses:
        dates += [pause.from_on, pause.to_on or facts.today]
    if facts.end is not None:
        dates.append(facts.end.on)
    return min(dates).toordinal() - MARGIN_DAYS, max(dates).toordinal() + MARGIN_DAYS


def _weights(facts: RibbonFacts, first: int, last: int, past_scale: float) -> list[float]:
    """Return the room of each day in meant gaps: 0.5 where sessions are meant to be two days apart."""
    weights: list[float] = []
    starts = [span.from_on.toordinal() for span in facts.phases]
    for index, span in enumerate(facts.phases):
        weight = 1 / max(1, min(span.gap_days, WIDEST_GAP_DAYS))
        begin = first if index == 0 else max(first, starts[index])
        stop = starts[index + 1] if index + 1 < len(starts) else last + 1
        if stop <= facts.today.toordinal():
            weight *= past_scale
        weights += [weight] * max(0, min(stop, last + 1) - begin)
    _shorten_idle(weights, _events(facts, first, last), first)
    return weights


def _events(facts: RibbonFacts, first: int, last: int) -> list[int]:
    days = {first, last, facts.today.toordinal(), *(mark.on.toordinal() for mark in facts.marks)}
    for window in facts.windows:
        days |= {window.due_from.toordinal(), window.due_by.toordinal()}
    for pause in facts.pauses:
        days |= {pause.from_on.toordinal(), (pause.to_on or facts.today).toordinal()}
    if facts.end is not None:
        days.add(facts.end.on.toordinal())
    return sorted(day for day in days if first <= day <= last)


def _shorten_idle(weights: list[float], events: Sequence[int], first: int) -> None:
    for before, after in pairwise(events):
        if after - before < IDLE_GAPS:
            continue
        room = sum(weights[before - first : after - first])
        if room > IDLE_GAPS:
            scale = (IDLE_GAPS + (room - IDLE_GAPS) * IDLE_SCALE) / room
            for index in range(before - first, after - first):
                weights[index] *= scale


def ticks(axis: Axis, facts: RibbonFacts, *, label_room: float) -> list[Tick]:
    """Return the days to name, in the order of time: the finest unit of each phase whose names have room.

    `label_room` is the width of one name with its margin, in pixels.
    """
    found: list[Tick] = []
    starts = [max(axis.first, span.from_on.toordinal()) for span in facts.phases]
    starts[0] = axis.first
    for start, stop in pairwise([*starts, axis.last + 1]):
        if stop <= start:
            continue
        index = start - axis.first
        per_day = (axis.edges[stop - axis.first] - axis.edges[index]) / (stop - start)
        unit = _finest_unit(per_day, label_room)
        found += [
            Tick(date.fromordinal(day), unit)
            for day in range(start, stop)
            if _begins(date.fromordinal(day), unit)
        ]
    return found


def _finest_unit(per_day: float, label_room: float) -> TickUnit:
    for unit, days in _TICK_UNITS:
        if days * per_day >= label_room:
            return unit
    return "year"


def _begins(day: date, unit: TickUnit) -> bool:
    if unit == "day":
        return True
    if unit == "week":
        return day.isoweekday() == 1
    if unit == "month":
        return day.day == 1
    return day.day == 1 and (day.month == 1 or (unit == "quarter" and day.month in (4, 7, 10)))
