from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinics.core import ClinicCalendar, to_utc

RIGA = ZoneInfo("Europe/Riga")
ORDINALS = st.integers(739_000, 739_040)
CALENDARS = st.builds(
    ClinicCalendar,
    st.sets(st.integers(1, 7), max_size=6),
    st.sets(ORDINALS.map(date.fromordinal), max_size=25),
)


@pytest.mark.parametrize(
    ("on", "is_open"),
    [
        ("2026-03-07", True),
        ("2026-03-08", False),  # a Sunday
        ("2026-03-09", False),  # a closure
        ("2026-03-10", True),
        ("2028-02-29", True),
    ],
)
def test_is_open(on, is_open):
    calendar = ClinicCalendar([7], [date(2026, 3, 9)])

    assert calendar.is_open(date.fromisoformat(on)) is is_open


@pytest.mark.parametrize(
    ("on", "opens_on"),
    [
        ("2026-03-06", "2026-03-06"),
        ("2026-03-07", "2026-03-10"),
        ("2026-12-31", "2026-12-31"),
        ("2027-01-01", "2027-01-04"),
    ],
)
def test_next_open_day(on, opens_on):
    calendar = ClinicCalendar([6, 7], [date(2026, 3, 9), date(2027, 1, 1)])

    assert calendar.next_open_day(date.fromisoformat(on)) == date.fromisoformat(opens_on)


@pytest.mark.parametrize("weekdays", [[0], [8], [-1, 1]])
def test_calendar_weekday_unknown(weekdays):
    with pytest.raises(ValueError, match="numbered from 1"):
        ClinicCalendar(weekdays)


def test_calendar_never_open():
    with pytest.raises(ValueError, match="At least one weekday"):
        ClinicCalendar(range(1, 8))


def test_calendar_equal_by_what_it_closes():
    calendar = ClinicCalendar([7], [date(2026, 3, 9)])

    assert calendar == ClinicCalendar({7}, {date(2026, 3, 9)})
    assert hash(calendar) == hash(ClinicCalendar({7}, {date(2026, 3, 9)}))
    assert calendar != ClinicCalendar([7])
    assert calendar != "calendar"
    assert repr(calendar) == "ClinicCalendar([7], [datetime.date(2026, 3, 9)])"


@given(CALENDARS, ORDINALS, st.integers(1, 30))
def test_calendar_counts_as_a_walk_does(calendar, start, n):
    is_open = [calendar.is_open(date.fromordinal(start + i)) for i in range(320)]
    open_days = [start + i for i in range(1, 320) if is_open[i]]

    assert calendar.nth_open(start, n) == open_days[n - 1]
    assert calendar.open_through(start + n) - calendar.open_through(start) == sum(is_open[1 : n + 1])
    assert calendar.first_open(start + 1) == open_days[0]


def test_after_strides_lands_on_open_days():
    friday = date(2026, 3, 6).toordinal()
    calendar = ClinicCalendar([7], [date(2026, 3, 9)])

    # Sunday 8 rolls over the closed Monday to Tuesday 10, then Thursday 12.
    assert calendar.after_strides(friday, 2, 2) == date(2026, 3, 12).toordinal()
    assert calendar.after_strides(friday, 2, 0) == friday


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        ("2026-03-28T03:30", "2026-03-28T01:30"),
        ("2026-03-29T02:59", "2026-03-29T00:59"),
        ("2026-03-29T03:30", "2026-03-29T01:30"),  # skipped: read as 04:30 summer time
        ("2026-03-29T04:00", "2026-03-29T01:00"),
        ("2026-10-25T02:59", "2026-10-24T23:59"),
        ("2026-10-25T03:30", "2026-10-25T00:30"),  # happens twice: the first
        ("2026-10-25T04:00", "2026-10-25T02:00"),
        ("2027-01-01T00:30", "2026-12-31T22:30"),
    ],
)
def test_to_utc_riga(local, utc):
    at = datetime.fromisoformat(local)

    assert to_utc(at.date(), at.time(), RIGA) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


def test_to_utc_second_occurrence_asked_for_is_still_the_first():
    assert to_utc(date(2026, 10, 25), time(3, 30, fold=1), RIGA) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
