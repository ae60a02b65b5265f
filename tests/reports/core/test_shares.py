"""Shares, how far two of them differ, medians and how warm a field is."""

from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.core import Difference, Share, difference_between, heat_level, median_of

SHARES = st.integers(1, 500).flatmap(lambda whole: st.builds(Share, st.integers(0, whole), st.just(whole)))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        # Newcombe 1998, table II, method 10: 56 of 70 against 48 of 80, and 9 of 10 against 3 of 10.
        (Share(56, 70), Share(48, 80), Difference(0.2, 0.0524, 0.3339)),
        (Share(9, 10), Share(3, 10), Difference(0.6, 0.1705, 0.809)),
        (Share(10, 10), Share(0, 10), Difference(1.0, 0.6075, 1.0)),
        (Share(0, 0), Share(3, 10), None),
        (Share(3, 10), Share(0, 0), None),
    ],
)
def test_difference_has_the_bounds_of_the_source(one, other, expected):
    assert difference_between(one, other) == expected


@given(SHARES, SHARES)
def test_difference_lies_within_its_bounds_and_turns_round(one, other):
    there, back = difference_between(one, other), difference_between(other, one)

    assert -1 <= there.least <= there.by <= there.most <= 1
    assert (back.by, back.least, back.most) == (-there.by, -there.most, -there.least)


@pytest.mark.parametrize(
    ("least", "most", "is_certain"),
    [(0.01, 0.2, True), (-0.2, -0.01, True), (0.0, 0.2, False), (-0.1, 0.1, False)],
)
def test_difference_is_certain_when_its_bounds_leave_nought_out(least, most, is_certain):
    assert Difference(0.0, least, most).is_certain is is_certain


@given(st.lists(st.integers(0, 50), min_size=1, max_size=40))
def test_median_of_counts_is_that_of_the_values(values):
    assert median_of({value: values.count(value) for value in values}) == median(values)


def test_median_of_nothing_is_none():
    assert median_of({}) is None


@pytest.mark.parametrize(
    ("share", "level"),
    [
        (Share(0, 4), None),
        (Share(0, 5), 0),
        (Share(4, 100), 0),
        (Share(5, 100), 1),
        (Share(10, 100), 2),
        (Share(15, 100), 3),
        (Share(20, 100), 4),
        (Share(29, 100), 4),
        (Share(30, 100), 5),
        (Share(5, 5), 5),
    ],
)
def test_field_is_as_warm_as_its_share(share, level):
    assert heat_level(share, least=5) == level
