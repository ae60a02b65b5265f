"""The work of a plan is bounded, whatever is asked: it is planned or refused, soon and always alike."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from courses.core.plan import PlanTooLargeError, Practitioner, Room, plan, replan
from courses.core.plan.effort import Effort
from courses.core.types import PauseSpan
from tests.core.plan_requests import RIGA, phase, request

ALWAYS = dict.fromkeys(range(1, 8), ((0, 1440),))
YEARS = (datetime(2000, 1, 1, tzinfo=RIGA), datetime(2090, 1, 1, tzinfo=RIGA))
LONG = {"horizon_days": 3660, "count": 100}
DENSE = request(phase(10, 30, 30, amount=20), count=20)


def minutely(**given):
    """A request with a slot in every minute of ten years."""
    return request(phase(), count=1, horizon_days=3660, hours=ALWAYS, minutes=1, slot_step_minutes=1, **given)


def test_steps_are_counted_alike_each_time():
    effort = Effort(50)
    effort.spend(20)
    effort.spend(30)

    with pytest.raises(PlanTooLargeError):
        effort.spend(1)


def test_steps_count_for_more_among_many_lost_days():
    effort = Effort(50)
    effort.weigh(1_000)

    with pytest.raises(PlanTooLargeError):
        effort.spend(20)


def test_same_request_takes_the_same_steps():
    course = request(phase(), count=10)
    least = next(steps for steps in range(500, 5_000, 50) if is_planned(course, steps))

    assert [is_planned(course, least + more) for more in (-50, 0, 50, 5_000)] == [False, True, True, True]


def is_planned(course, most_steps):
    try:
        return bool(plan(course, most_steps=most_steps).planned)
    except PlanTooLargeError:
        return False


@pytest.mark.slow
@pytest.mark.parametrize(
    "wanted",
    [
        DENSE,
        request(phase(3, 7, 7, amount=400), count=400, horizon_days=1500),
        request(phase(1, 1, 3660, amount=100), **LONG),
        request(*[phase(3, 30, 40, amount=10, duration_days=300)] * 20, **LONG),
        request(
            phase(12, 3000, 3000, amount=100),
            pauses=tuple(
                PauseSpan(date(2026, 1, 1) + timedelta(days=2 * n), date(2026, 1, 1) + timedelta(days=2 * n))
                for n in range(5_000)
            ),
            **LONG,
        ),
        request(
            phase(40, 300, 300, amount=100),
            closures=[date(2026, 9, 1) + timedelta(days=n) for n in range(5_000)],
            **LONG,
        ),
        minutely(practitioners=tuple(Practitioner(str(n), None, (), (YEARS,)) for n in range(100))),
        minutely(rooms=tuple(Room(str(n), (YEARS,)) for n in range(100))),
        minutely(
            practitioners=(
                Practitioner("away", None, ((date(2026, 3, 1), date(2035, 1, 1)),)),
                *(Practitioner(str(n), {}) for n in range(99)),
            )
        ),
    ],
    ids=["dense", "many", "wide", "phases", "pauses", "closures", "people", "rooms", "away"],
)
def test_work_is_refused_in_time(wanted):
    with pytest.raises(PlanTooLargeError):
        plan(wanted, most_steps=200_000)


def test_busy_times_and_absences_of_years_are_joined():
    people = (Practitioner("anna", None, ((date(1990, 1, 1), date(2090, 1, 1)),) * 5_000, (YEARS,) * 5_000),)

    found = plan(request(phase(), count=1, horizon_days=3660, practitioners=people), most_steps=200_000)

    assert (found.planned, found.cost.unplaced) == ((), 1)


def test_policies_share_the_work_of_all_their_plans():
    course = request(phase(), count=10)
    least = next(steps for steps in range(500, 5_000, 50) if is_planned(course, steps))

    assert replan(course, "shift", most_steps=least).plan == plan(course)
    with pytest.raises(PlanTooLargeError):
        replan(replace(course, not_before=datetime(2026, 3, 3, 9, tzinfo=RIGA)), "catch_up", most_steps=least)
