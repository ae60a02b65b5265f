"""Where things lie on a calendar: its axis of hours, lanes side by side, what is shut and what is free.

Times are whole minutes since midnight on the clinic's wall, spans half-open; a span that passes midnight ends at
DAY_MINUTES. A page may give no element a style of its own, so places are counted in steps of STEP_MINUTES, for
which the style sheet has a class each.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

DAY_MINUTES: Final = 24 * 60
STEP_MINUTES: Final = 5
MOST_LANES: Final = 6


class Span(NamedTuple):
    """Minutes of a day from `start` up to `end`."""

    start: int
    end: int

    @property
    def minutes(self) -> int:
        return self.end - self.start


_USUAL_DAY: Final = Span(9 * 60, 18 * 60)


class Place(NamedTuple):
    """A span in whole steps: the hour and minutes it begins at, and the hours and minutes it lasts."""

    at_hour: int
    at_minute: int
    for_hours: int
    for_minutes: int


class Lane(NamedTuple):
    """Which lane, 0-based, of how many side by side a span stands in."""

    number: int
    of: int


def fit_axis(spans: Iterable[Span]) -> Span:
    """Return whole hours that hold every span, a usual day's when there is none."""
    found = list(spans) or [_USUAL_DAY]
    start = min(span.start for span in found) // 60 * 60
    return Span(start, max(-(-max(span.end for span in found) // 60) * 60, start + 60))


def place_of(span: Span) -> Place:
    """Return a span as classes can say it, begun on the step before and at least one step long."""
    start = span.start // STEP_MINUTES
    steps = max(1, -(-span.end // STEP_MINUTES) - start)
    per_hour = 60 // STEP_MINUTES
    return Place(
        start // per_hour,
        start % per_hour * STEP_MINUTES,
        steps // per_hour,
        steps % per_hour * STEP_MINUTES,
    )


def share_lanes(spans: Sequence[Span]) -> list[Lane]:
    """Return the lane of each span, in the order given, so that none covers another one.

    Spans that meet, directly or through others, share the width evenly; from MOST_LANES on they overlap.
    Cost: sorting, then each span looks at the lanes of its group.
    """
    order = sorted(range(len(spans)), key=lambda n: spans[n])
    lanes: dict[int, Lane] = {}
    group: list[tuple[int, int]] = []
    ends: list[int] = []
    for n in order:
        span = spans[n]
        if ends and span.start >= max(ends):
            lanes |= _shared(group, len(ends))
            group, ends = [], []
        free = next((lane for lane, end in enumerate(ends) if end <= span.start), len(ends))
        ends[free : free + 1] = [span.end]
        group.append((n, free))
    lanes |= _shared(group, len(ends))
    return [lanes[n] for n in range(len(spans))]


def _shared(group: Sequence[tuple[int, int]], count: int) -> dict[int, Lane]:
    most = min(count, MOST_LANES)
    return {n: Lane(index % MOST_LANES, most) for n, index in group}


def join_spans(spans: Iterable[Span]) -> list[Span]:
    """Return the same minutes in spans that neither touch nor overlap, in order."""
    joined: list[Span] = []
    for span in sorted(spans):
        if joined and span.start <= joined[-1].end:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return joined


def cut_spans(spans: Iterable[Span], holes: Iterable[Span]) -> list[Span]:
    """Return what is left of spans outside the holes, in order."""
    shut = join_spans(holes)
    left: list[Span] = []
    for start, end in join_spans(spans):
        for hole in shut:
            if hole.end <= start or hole.start >= end:
                continue
            if hole.start > start:
                left.append(Span(start, hole.start))
            start = hole.end
        if start < end:
            left.append(Span(start, end))
    return left


def common_spans(one: Iterable[Span], other: Iterable[Span]) -> list[Span]:
    """Return the minutes that lie in both, in order."""
    first = join_spans(one)
    return cut_spans(first, cut_spans(first, other))


def sum_minutes(spans: Iterable[Span]) -> int:
    """Return how many minutes the spans cover, each minute once."""
    return sum(span.minutes for span in join_spans(spans))
