"""When somebody is taken: asked by days, added to and taken away from between plans."""

from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from courses.core.plan.busy import BusyTimes

RIGA = ZoneInfo("Europe/Riga")
# The clocks turn on 29 March.
FIRST = datetime(2026, 3, 27, 6, tzinfo=UTC)
DAYS = range(FIRST.toordinal() - 3, FIRST.toordinal() + 9)


def random_spans(rng: Random, count: int) -> list[tuple[datetime, datetime]]:
    """Spans of five days, some past midnight or equal, in UTC and in the clinic's zone."""
    spans = []
    for _ in range(count):
        start = FIRST + timedelta(minutes=30 * rng.randrange(240))
        end = start + timedelta(minutes=rng.choice([30, 60, 60 * 30]))
        zone = rng.choice([UTC, RIGA])
        spans.append((start.astimezone(zone), end.astimezone(zone)))
    return spans + rng.sample(spans, min(2, count))


@pytest.mark.parametrize("seed", range(30))
def test_times_without_spans_are_those_of_the_others(seed):
    rng = Random(seed)
    spans = random_spans(rng, rng.randrange(1, 30))
    times = BusyTimes(spans, RIGA)
    asked = [times.near(day) for day in DAYS if rng.random() < 0.5]
    gone = rng.sample(range(len(spans)), rng.randrange(len(spans) + 1))
    kept = [span for number, span in enumerate(spans) if number not in gone]

    left = times.without(spans[number] for number in gone)

    assert len(asked) <= len(DAYS)
    assert [left.near(day) for day in DAYS] == [BusyTimes(kept, RIGA).near(day) for day in DAYS]
    assert [times.near(day) for day in DAYS] == [BusyTimes(spans, RIGA).near(day) for day in DAYS]


def test_what_is_taken_later_is_found_beside_what_was_left_out():
    morning, noon = ((FIRST + timedelta(hours=n), FIRST + timedelta(hours=n + 1)) for n in (1, 4))
    times = BusyTimes([morning], RIGA)
    times.without([morning])

    times.add(*noon)

    assert times.near(FIRST.toordinal()) == BusyTimes([morning, noon], RIGA).near(FIRST.toordinal())


def test_span_that_is_not_among_them_is_refused():
    with pytest.raises(ValueError, match="not in list"):
        BusyTimes([], RIGA).without([(FIRST, FIRST + timedelta(hours=1))])
