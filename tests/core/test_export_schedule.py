from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from exports.core.schedule import covered_days, next_run

RIGA = ZoneInfo("Europe/Riga")


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("frequency", "after", "expected"),
    [
        # Seven o'clock in Riga is five in UTC in winter and four in summer.
        ("daily", utc(2026, 3, 9, 4, 59), utc(2026, 3, 9, 5)),
        ("daily", utc(2026, 3, 9, 5), utc(2026, 3, 10, 5)),
        ("daily", utc(2026, 3, 28, 5), utc(2026, 3, 29, 4)),
        ("daily", utc(2026, 10, 24, 4), utc(2026, 10, 25, 5)),
        ("daily", utc(2026, 3, 9, 22, 30), utc(2026, 3, 10, 5)),
        ("weekly", utc(2026, 3, 9, 5), utc(2026, 3, 11, 5)),
        ("weekly", utc(2026, 3, 11, 5), utc(2026, 3, 18, 5)),
        ("monthly", utc(2026, 3, 1, 5), utc(2026, 4, 1, 4)),
        ("monthly", utc(2026, 12, 2), utc(2027, 1, 1, 5)),
        # After a year without a clock there is still one next run.
        ("daily", utc(2027, 3, 9, 5), utc(2027, 3, 10, 5)),
    ],
)
def test_next_run_keeps_the_wall_time(frequency, after, expected):
    assert next_run(frequency, time(7), weekday=3, after=after, zone=RIGA) == expected


def test_wall_time_that_the_clocks_skip_comes_later():
    run = next_run("daily", time(3, 30), weekday=1, after=utc(2026, 3, 28, 12), zone=RIGA)

    assert run == utc(2026, 3, 29, 1, 30)


def test_wall_time_that_happens_twice_is_taken_once():
    first = next_run("daily", time(3, 30), weekday=1, after=utc(2026, 10, 24, 12), zone=RIGA)

    assert first == utc(2026, 10, 25, 0, 30)
    assert next_run("daily", time(3, 30), weekday=1, after=first, zone=RIGA) == utc(2026, 10, 26, 1, 30)


@pytest.mark.parametrize(
    ("frequency", "run_on", "covered_to", "expected"),
    [
        ("daily", date(2026, 3, 9), None, (date(2026, 3, 8), date(2026, 3, 8))),
        ("weekly", date(2026, 3, 9), None, (date(2026, 3, 2), date(2026, 3, 8))),
        ("monthly", date(2026, 3, 1), None, (date(2026, 2, 1), date(2026, 2, 28))),
        ("monthly", date(2024, 3, 1), None, (date(2024, 2, 1), date(2024, 2, 29))),
        ("daily", date(2026, 3, 9), date(2026, 3, 7), (date(2026, 3, 8), date(2026, 3, 8))),
        # What was missed is in the next one, and nothing twice.
        ("daily", date(2026, 3, 9), date(2026, 3, 4), (date(2026, 3, 5), date(2026, 3, 8))),
        ("weekly", date(2026, 3, 9), date(2026, 2, 22), (date(2026, 2, 23), date(2026, 3, 8))),
        ("daily", date(2026, 3, 9), date(2026, 3, 8), (date(2026, 3, 8), date(2026, 3, 8))),
        ("daily", date(2026, 3, 9), date(2020, 1, 1), (date(2025, 3, 8), date(2026, 3, 8))),
    ],
)
def test_run_covers_what_the_one_before_left(frequency, run_on, covered_to, expected):
    assert covered_days(frequency, run_on=run_on, covered_to=covered_to) == expected
