"""Make-up policies after a missed session, on dates worked out by hand."""

from dataclasses import replace
from datetime import date

import pytest

from courses.core.plan import plan, replan
from courses.core.types import PhaseSpec
from tests.core.plan_requests import attended, days_of, march, phase, request

EVERY_THIRD_DAY = phase(1, 2, 4)


def missed_on_thursday():
    """Attended on Monday, missed Thursday the 5th, seen on Friday; three sessions are left of a wide cadence."""
    wanted = request(EVERY_THIRD_DAY, as_of=date(2026, 3, 6), sessions=attended(2))
    return replace(wanted, not_before=wanted.not_before.replace(day=6))


@pytest.mark.parametrize(
    ("policy", "days"),
    [("shift", march(6, 9, 12)), ("catch_up", march(6, 9, 11)), ("drop", march(6, 9))],
)
def test_replan_makes_up_for_a_miss_as_chosen(policy, days):
    wanted = missed_on_thursday()
    relaxed = replace(EVERY_THIRD_DAY, sessions_min=3, sessions_max=4)
    prescription = replace(wanted.prescription, phases=(relaxed,))

    found = replan(replace(wanted, prescription=prescription), policy, missed=1, ends_on=date(2026, 3, 11))

    assert days_of(found.plan) == days
    assert found.dropped == (policy == "drop")


def test_replan_catches_up_no_more_than_it_must():
    wanted = missed_on_thursday()

    found = replan(wanted, "catch_up", ends_on=date(2026, 3, 12))

    assert found.plan == plan(wanted)


def test_replan_drops_nothing_below_the_least_amount():
    wanted = missed_on_thursday()

    found = replan(wanted, "drop", missed=2)

    assert (found.dropped, found.plan) == (0, plan(wanted))


def test_replan_drops_nothing_from_a_phase_without_an_amount():
    timed = PhaseSpec("intensive", EVERY_THIRD_DAY.cadence, duration_days=30)
    wanted = request(timed, sessions=attended(2))

    assert replan(wanted, "drop", missed=1).plan == plan(wanted)
