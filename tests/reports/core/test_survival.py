"""Retention: the table of Kaplan and Meier by hand, and what holds for any courses."""

from hypothesis import given
from hypothesis import strategies as st

from reports.core import Fate, Step, retention_steps

FATES = st.lists(st.builds(Fate, st.integers(0, 12), st.booleans(), st.integers(1, 5)), max_size=25)


def test_steps_are_those_of_the_hand_table():
    # Ten courses: one not begun, one gone before the first session, two under way with 1, one gone with 1,
    # one completed with 2, one gone with 2, three under way with 3.
    fates = [
        Fate(0, False),
        Fate(0, True),
        Fate(1, False, 2),
        Fate(1, True),
        Fate(2, False),
        Fate(2, True),
        Fate(3, False, 3),
    ]

    assert retention_steps(fates) == (
        Step(1, 1, 9, 1, round(8 / 9, 4)),
        Step(2, 2, 6, 1, round(8 / 9 * 5 / 6, 4)),
        Step(3, 1, 4, 1, round(8 / 9 * 5 / 6 * 3 / 4, 4)),
    )


def test_nobody_has_no_steps():
    assert retention_steps([]) == ()
    assert retention_steps([Fate(0, False, 7)]) == ()


@given(FATES)
def test_every_course_is_accounted_for_at_every_step(fates):
    left = sum(fate.count for fate in fates)
    for step in retention_steps(fates):
        assert step.at_risk + step.censored == left
        assert 0 <= step.dropped <= step.at_risk
        left = step.at_risk - step.dropped


@given(FATES)
def test_share_only_falls(fates):
    shares = [1.0, *(step.retained for step in retention_steps(fates))]

    assert shares == sorted(shares, reverse=True)
    assert shares[-1] >= 0


@given(st.lists(st.integers(0, 9), min_size=1, max_size=40))
def test_without_censoring_it_is_the_plain_share_that_came(sessions):
    # All are gone in the end, so all is known.
    steps = retention_steps(Fate(n, True) for n in sessions)

    for step in steps:
        assert abs(step.retained - sum(n >= step.session for n in sessions) / len(sessions)) < 1e-4
    assert len(steps) == max(sessions) + 1
