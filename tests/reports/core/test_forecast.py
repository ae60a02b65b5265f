"""Visits that are expected, and the minutes that somebody works."""

import itertools
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.core import Outlook, Period, expected_days, overlap_minutes, span_minutes, working_minutes

MONDAY = date(2026, 3, 2)


def days(*outlook, until=date(2026, 3, 31), **options):
    return [on.day for on in expected_days(Outlook(*outlook, **options), until=until)]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [2, 16, 30]),
        ({"until": date(2026, 3, 30)}, [2, 16, 30]),
        ({"until": date(2026, 3, 29)}, [2, 16]),
        ({"last_on": date(2026, 3, 16)}, [2, 16]),
        ({"last_on": date(2026, 3, 15)}, [2]),
        ({"most": 2}, [2, 16]),
        ({"most": 0}, []),
        ({"last_on": date(2026, 3, 1)}, []),
    ],
)
def test_visits_come_every_step_until_a_limit(options, expected):
    assert days(MONDAY, 14, **options) == expected


@given(st.integers(1, 60), st.integers(0, 300), st.none() | st.integers(0, 40))
def test_visits_are_a_step_apart_and_inside(step, length, most):
    found = list(expected_days(Outlook(MONDAY, step, most=most), until=MONDAY + timedelta(days=length)))

    assert len(found) == min(length // step + 1, length + 1 if most is None else most)
    assert {(after - before).days for before, after in itertools.pairwise(found)} <= {step}


WEEK = dict.fromkeys(range(1, 6), ((540, 780), (840, 1140)))


@pytest.mark.parametrize(
    ("own", "off", "expected"),
    [
        # Nine to one and two to seven, five days a week.
        (None, (), 5 * 540),
        (None, (MONDAY,), 4 * 540),
        # Own hours never reach beyond the clinic's.
        ({1: ((480, 900),)}, (), 240 + 60),
        ({7: ((540, 780),)}, (), 0),
        ({1: ((540, 780),)}, (MONDAY,), 0),
    ],
)
def test_minutes_worked_in_a_week(own, off, expected):
    week = Period(MONDAY, MONDAY + timedelta(days=6))

    assert working_minutes(week, clinic_week=WEEK, own_week=own, off=off) == expected


SPANS = st.lists(st.integers(0, 1440), max_size=8, unique=True).map(
    lambda cuts: tuple(zip(sorted(cuts)[::2], sorted(cuts)[1::2], strict=False))
)


@given(SPANS, SPANS)
def test_overlap_counts_the_minutes_that_lie_in_both(one, other):
    inside = [{n for begin, end in spans for n in range(begin, end)} for spans in (one, other)]

    assert overlap_minutes(one, other) == overlap_minutes(other, one) == len(inside[0] & inside[1])
    assert span_minutes(one) == len(inside[0])
