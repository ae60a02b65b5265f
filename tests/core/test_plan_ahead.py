"""The bound on what sessions still to place cost: it may save work, never change a plan."""

from __future__ import annotations

import os
from random import Random
from typing import Any

import pytest

from courses.core.plan.ahead import Ahead
from courses.core.plan_wire import answer_plan
from courses.core.wire import WireError
from tests.core.reference.calendars import random_plan_request

IS_THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"


def dense_request(frequency: int, period: int, count: int) -> dict[str, Any]:
    """A course open Monday to Saturday from Monday 2 March 2026 on."""
    cadence = {"frequency": frequency, "period_min": period, "period_max": period}
    phase = {"kind": "intensive", "cadence": cadence, "sessions_min": count, "sessions_max": count}
    return {
        "as_of": "2026-03-02",
        "course": {"start_on": "2026-03-02", "phases": [phase]},
        "not_before": "2026-03-02T09:00",
        "timezone": "Europe/Riga",
        "count": count,
        "hours": {str(weekday): [["09:00", "12:00"]] for weekday in range(1, 7)},
        "minutes": 45,
    }


def random_dense_request(rng: Random) -> dict[str, Any]:
    """A random request of up to twenty sessions, several in one period more often than not."""
    request = random_plan_request(rng, horizon=rng.choice((30, 60, 120)), count=rng.choice((8, 12, 20)))
    for phase in request["course"]["phases"]:
        if rng.random() < 0.6:
            amount = rng.choice((5, 10, 30))
            phase |= {"sessions_min": amount, "sessions_max": amount, "target": None}
            phase.pop("duration_days", None)
        if rng.random() < 0.4:
            period = rng.choice((5, 7, 9, 14))
            phase["cadence"] = {
                "frequency": rng.randint(1, min(5, period)),
                "period_min": period,
                "period_max": period + rng.choice((0, 0, 1, 3)),
            }
    return request


def answer_or_refusal(request: dict[str, Any]) -> object:
    try:
        return answer_plan(request, most_steps=200_000)
    except WireError as error:
        return error.field


@pytest.mark.slow
@pytest.mark.parametrize("twenty", range(100 if IS_THOROUGH else 2))
def test_bound_changes_no_plan(twenty, monkeypatch):
    requests = [random_dense_request(Random(20 * twenty + seed)) for seed in range(20)]

    bounded = [answer_or_refusal(request) for request in requests]
    monkeypatch.setattr(Ahead, "least", lambda *where: 0)
    unbounded = [answer_or_refusal(request) for request in requests]

    # Without the bound a few are out of reach.
    pairs = [pair for pair in zip(bounded, unbounded, strict=True) if pair[1] != "count"]
    assert len(pairs) > 10
    assert [pair for pair in pairs if pair[0] != pair[1]] == []


def test_many_sessions_of_a_long_period_are_planned():
    cost = answer_plan(dense_request(frequency=7, period=30, count=30))["cost"]

    # Every fourth day from a Monday on is Monday, Friday, Tuesday, Saturday, Wednesday, then a Sunday, which is
    # closed: after each five sessions one comes a day later, five times among thirty.
    assert cost == {
        "unplaced": 0,
        "days_outside": 0,
        "preferences_missed": 0,
        "gap_distance": 5,
        "last_on": "2026-07-01",
    }
