"""How long a provider may ask to be left alone: whatever it says, a row can hold the result."""

import pytest

from reminders.channels.answers import held_up


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        (None, None),
        ("9", None),
        (9, 9),
        (9.7, 9),
        (-1, 0),
        (10**12, 3600),
        (1e300, 3600),
        (float("inf"), None),
        (float("nan"), None),
    ],
)
def test_wait_is_a_number_of_seconds_within_the_hour(asked, seconds):
    assert held_up("http-429", asked).retry_after == seconds
