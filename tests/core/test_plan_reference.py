"""The planner against the exhaustive reference, and the reference against answers worked by hand."""

from __future__ import annotations

import os
from collections import Counter
from datetime import date
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from courses.core.plan_wire import answer_plan
from tests.core.reference.calendars import random_plan_request
from tests.core.reference.plan import Course, State, reference_plan

WORKDAYS = {str(weekday): [["09:00", "12:00"]] for weekday in range(1, 7)}
EVERY_1_TO_2_DAYS = {"frequency": 1, "period_min": 1, "period_max": 2}
FREE_DAYS = {"frequency": 1, "period_min": 2, "period_max": 3}
TWICE_A_WEEK = {"frequency": 2, "period_min": 7, "period_max": 7}
ONCE_IN_14 = {"frequency": 1, "period_min": 14, "period_max": 14}

# All of it with HYPOTHESIS_PROFILE=thorough, a good sample otherwise.
IS_THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"


def plan_request(
    *cadences: dict[str, int], course: dict[str, Any] | None = None, **given: Any
) -> dict[str, Any]:
    """A request from Monday 2 March 2026 on, open Monday to Saturday from 9 to 12, ten sessions a phase."""
    phases = [{"kind": "intensive", "cadence": cadence, "sessions_max": 10} for cadence in cadences]
    return {
        "as_of": "2026-03-02",
        "course": {"start_on": "2026-03-02", "phases": phases} | (course or {}),
        "not_before": "2026-03-02T09:00",
        "timezone": "Europe/Riga",
        "count": 3,
        "hours": WORKDAYS,
        "minutes": 45,
        "slot_step_minutes": 60,
        "horizon_days": 14,
    } | given


def days_of(answer: dict[str, Any]) -> list[str]:
    """The dates of the planned sessions."""
    return [row["start"][:10] for row in answer["sessions"] if not row["pinned"]]


def planned_by_both(seed: int, **sizes: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """The planner's answer to one random request without its texts, and the reference's."""
    request = random_plan_request(Random(seed), **sizes)
    answer = answer_plan(request)
    rows = [{name: value for name, value in row.items() if name != "why"} for row in answer["sessions"]]
    return {"sessions": rows, "cost": answer["cost"]}, reference_plan(request)


@pytest.mark.parametrize("seed", range(40))
def test_plan_is_the_optimum_of_the_reference(seed):
    planned, expected = planned_by_both(seed, horizon=14, count=3)

    assert planned == expected


@pytest.mark.slow
@pytest.mark.parametrize("hundred", range(20 if IS_THOROUGH else 4))
def test_plans_are_the_optima_of_the_reference(hundred):
    different = []

    for seed in range(1_000 + 100 * hundred, 1_100 + 100 * hundred):
        planned, expected = planned_by_both(seed)
        if planned != expected:
            different.append(seed)

    assert different == []


@pytest.mark.parametrize(
    ("cadence", "attended", "pause", "due_from", "due_by"),
    [
        (EVERY_1_TO_2_DAYS, ["2026-03-02", "2026-03-04"], None, "2026-03-05", "2026-03-06"),
        (EVERY_1_TO_2_DAYS, ["2026-03-06"], None, "2026-03-07", "2026-03-09"),
        (EVERY_1_TO_2_DAYS, ["2026-03-07"], None, "2026-03-08", "2026-03-09"),
        (EVERY_1_TO_2_DAYS, ["2026-03-04"], ("2026-03-05", "2026-03-07"), "2026-03-05", "2026-03-09"),
        (TWICE_A_WEEK, ["2026-03-02", "2026-03-05"], None, "2026-03-08", "2026-03-10"),
        (TWICE_A_WEEK, ["2026-03-02"], None, "2026-03-04", "2026-03-10"),
    ],
)
def test_reference_window_is_the_worked_one(cadence, attended, pause, due_from, due_by):
    pauses = [{"from": pause[0], "to": pause[1], "reason": "illness"}] if pause else []
    course = Course(plan_request(cadence, course={"pauses": pauses}, as_of="2026-03-31"))
    state = State()

    for on in attended:
        state, _ = course.session(state, date.fromisoformat(on))

    assert course.due_from(state) == date.fromisoformat(due_from)
    assert course.due_by(state) == date.fromisoformat(due_by)


def test_reference_window_of_a_later_phase_counts_from_the_last_session():
    request = plan_request(EVERY_1_TO_2_DAYS, ONCE_IN_14, as_of="2026-03-31")
    request["course"]["phases"][0]["target"] = 1
    course = Course(request)

    state, _ = course.session(State(), date(2026, 3, 20))
    state = course.ready(state, date(2026, 3, 21))

    assert (state.phase, course.due_from(state), course.due_by(state)) == (
        1,
        date(2026, 4, 3),
        date(2026, 4, 3),
    )


def test_reference_lateness_counts_open_days_only():
    course = Course(plan_request(EVERY_1_TO_2_DAYS, as_of="2026-03-31"))
    state, _ = course.session(State(), date(2026, 3, 7))

    found = [course.session(state, date(2026, 3, day))[1].late for day in (8, 9, 10, 11)]

    assert found == [0, 0, 1, 2]


def test_reference_plans_the_whole_answer():
    answer = reference_plan(plan_request(EVERY_1_TO_2_DAYS, count=2))

    assert answer == {
        "sessions": [
            {
                "phase": 0,
                "session": 1,
                "start": "2026-03-02T09:00:00+02:00",
                "end": "2026-03-02T09:45:00+02:00",
                "practitioner": None,
                "room": None,
                "pinned": False,
                "days_outside": 0,
                "preferences_missed": 0,
            },
            {
                "phase": 0,
                "session": 2,
                "start": "2026-03-03T09:00:00+02:00",
                "end": "2026-03-03T09:45:00+02:00",
                "practitioner": None,
                "room": None,
                "pinned": False,
                "days_outside": 0,
                "preferences_missed": 0,
            },
        ],
        "cost": {
            "unplaced": 0,
            "days_outside": 0,
            "preferences_missed": 0,
            "gap_distance": 0,
            "last_on": "2026-03-03",
        },
    }


@pytest.mark.parametrize(
    ("changes", "planned", "cost"),
    [
        # The 4th would make the pinned 5th early; the 3rd leaves both gaps as preferred.
        (
            {"count": 2, "sessions": [{"on": "2026-03-05", "status": "booked", "pinned": True}]},
            ["2026-03-03", "2026-03-07"],
            (0, 0, 0, 0),
        ),
        # An unpinned booking is planned anew.
        ({"count": 1, "sessions": [{"on": "2026-03-05", "status": "booked"}]}, ["2026-03-02"], (0, 0, 0, 0)),
        # From the 2nd to the 9th without a session would cost a day outside: a preference missed costs less.
        (
            {"count": 3, "prefer": {"weekdays": [1]}},
            ["2026-03-02", "2026-03-05", "2026-03-09"],
            (0, 0, 1, 3),
        ),
        # Two sessions are all that the phase still asks for.
        ({"count": 4, "target": 2}, ["2026-03-02", "2026-03-04"], (2, 0, 0, 0)),
        # The horizon ends on the 6th.
        ({"count": 4, "horizon_days": 4}, ["2026-03-02", "2026-03-04", "2026-03-06"], (1, 0, 0, 0)),
        # An open-ended pause never ends for the plan.
        (
            {"count": 2, "pauses": [{"from": "2026-03-03", "to": None, "reason": "x"}]},
            ["2026-03-02"],
            (1, 0, 0, 0),
        ),
        # Closed from the 3rd to the 10th: the first due_by, Thursday 5, rolls to Wednesday 11, and from there the
        # second keeps the preferred gap, which it could not from the 2nd.
        (
            {"count": 2, "clinic": {"closures": [f"2026-03-{day:02d}" for day in range(3, 11)]}},
            ["2026-03-11", "2026-03-13"],
            (0, 0, 0, 0),
        ),
    ],
)
def test_reference_plan_is_the_one_worked_by_hand(changes, planned, cost):
    request = plan_request(FREE_DAYS)
    request["course"]["phases"][0]["target"] = changes.get("target")
    request["course"] |= {name: changes[name] for name in ("sessions", "pauses") if name in changes}

    answer = reference_plan(
        request | {name: changes[name] for name in changes.keys() - request["course"].keys()}
    )

    assert days_of(answer) == planned
    assert tuple(answer["cost"].values())[:4] == cost


def test_reference_offset_turns_with_the_clocks():
    request = plan_request(FREE_DAYS, as_of="2026-03-28", not_before="2026-03-28T09:00", count=2)
    request["course"]["start_on"] = "2026-03-28"

    answer = reference_plan(request)

    assert [row["start"] for row in answer["sessions"]] == [
        "2026-03-28T09:00:00+02:00",
        "2026-03-30T09:00:00+03:00",
    ]


@pytest.mark.slow
def test_random_requests_reach_every_corner():
    seen: Counter[str] = Counter()

    for seed in range(120):
        answer = reference_plan(random_plan_request(Random(seed), horizon=14, count=3))
        rows, cost = answer["sessions"], answer["cost"]
        seen["unplaced"] += cost["unplaced"] > 0
        seen["all placed"] += cost["unplaced"] == 0 < len(days_of(answer))
        seen["outside"] += cost["days_outside"] > 0
        seen["preferences"] += cost["preferences_missed"] > 0
        seen["two phases"] += len({row["phase"] for row in rows if not row["pinned"]}) > 1
        seen["pinned in between"] += any(not a["pinned"] and b["pinned"] for a, b in pairwise(rows))
        seen["extra"] += any(row["phase"] is None for row in rows)

    assert min(seen.values()) >= 5, seen
