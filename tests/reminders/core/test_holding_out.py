"""Who gets no reminder, to tell what reminders do: chance, but always the same."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from reminders.core import is_held_out

CODES = st.uuids().map(str)
PERCENTS = st.integers(0, 100)


@given(CODES)
def test_nobody_of_none_and_everybody_of_all(code):
    assert (is_held_out(code, percent=0), is_held_out(code, percent=100)) == (False, True)


@given(CODES, PERCENTS, PERCENTS)
def test_greater_share_only_adds_to_the_group(code, one, other):
    assert is_held_out(code, percent=min(one, other)) <= is_held_out(code, percent=max(one, other))


def test_group_is_about_as_large_as_said_and_known_for_ever():
    held = [n for n in range(10_000) if is_held_out(str(UUID(int=n)), percent=10)]

    assert 900 < len(held) < 1100
    assert held[:5] == HELD_FOR_EVER


HELD_FOR_EVER = [12, 17, 24, 26, 30]
