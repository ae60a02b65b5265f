"""Periods, the one before, and the weeks ahead."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.core import Period, usual_periods, week_of, weeks_ahead

DAYS = st.dates(date(2000, 1, 1), date(2100, 12, 31))
PERIODS = st.builds(lambda day, n: Period(day, day + timedelta(days=n)), DAYS, st.integers(0, 400))


@pytest.mark.parametrize(
    ("period", "before"),
    [
        (Period(date(2026, 3, 1), date(2026, 3, 31)), Period(date(2026, 1, 29), date(2026, 2, 28))),
        (Period(date(2024, 2, 29), date(2024, 2, 29)), Period(date(2024, 2, 28), date(2024, 2, 28))),
        (Period(date(2026, 1, 1), date(2026, 12, 31)), Period(date(2025, 1, 1), date(2025, 12, 31))),
    ],
)
def test_period_before_ends_the_day_before(period, before):
    assert period.before == before


@given(PERIODS)
def test_period_before_is_as_long_and_touches(period):
    assert period.before.day_count == period.day_count
    assert period.before.to_on + timedelta(days=1) == period.from_on


@given(PERIODS, DAYS)
def test_part_up_to_a_day_holds_the_days_of_both(period, day):
    part = period.until(day)

    assert (part is None) == (day < period.from_on)
    assert part is None or (part.from_on, part.to_on) == (period.from_on, min(period.to_on, day))


@given(DAYS)
def test_usual_periods_hold_no_day_after_today(today):
    assert max(period.to_on for period in usual_periods(today).values()) == today
    assert all(period.from_on <= period.to_on for period in usual_periods(today).values())


@given(DAYS, st.integers(1, 60))
def test_weeks_ahead_begin_today_and_end_on_a_sunday(today, count):
    period = weeks_ahead(today, count)

    assert (period.from_on, period.to_on.isoweekday()) == (today, 7)
    assert (week_of(period.to_on) - week_of(today)).days == 7 * (count - 1)
