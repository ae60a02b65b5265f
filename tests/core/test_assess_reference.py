"""The production assessment against an independent reference, over random requests."""

from __future__ import annotations

import json
import os
from collections import Counter
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest

from courses.core.wire import answer_assess
from tests.core.reference.assess import reference_assess
from tests.core.reference.courses import random_request

EVERY_1_TO_2_DAYS = {"frequency": 1, "period_min": 1, "period_max": 2}
TWICE_A_WEEK = {"frequency": 2, "period_min": 7, "period_max": 7}
ONCE_IN_14_DAYS = {"frequency": 1, "period_min": 14, "period_max": 14}
EXAMPLE = {
    "as_of": "2026-03-10",
    "clinic": {"closed_weekdays": [7], "closures": ["2026-03-09"], "booking_lead_days": 3},
    "course": {
        "start_on": "2026-03-02",
        "phases": [
            {
                "kind": "intensive",
                "cadence": EVERY_1_TO_2_DAYS,
                "sessions_min": 10,
                "sessions_max": 15,
                "target": None,
                "grace_days": 1,
                "lapse_days": 14,
            },
            {
                "kind": "maintenance",
                "cadence": ONCE_IN_14_DAYS,
                "duration_days": 365,
                "grace_days": 3,
                "lapse_days": 42,
            },
        ],
        "phases_ended": [],
        "restarts": [],
        "sessions": [
            {"on": "2026-03-02", "status": "attended"},
            {"on": "2026-03-04", "status": "no_show"},
            {"on": "2026-03-12", "status": "booked"},
        ],
        "pauses": [{"from": "2026-03-05", "to": "2026-03-06", "reason": "bruises"}],
        "contraindications": [{"code": "influenza", "from": "2026-03-05", "to": "2026-03-08"}],
    },
}
EXAMPLE_ANSWER = {
    "state": "overdue",
    "phase": 0,
    "session": 2,
    "due_from": "2026-03-03",
    "due_by": "2026-03-04",
    "gaps": [
        {
            "phase": 0,
            "session": 1,
            "on": "2026-03-02",
            "due_from": "2026-03-02",
            "due_by": "2026-03-04",
            "gap_days": None,
            "verdict": "on_time",
            "days": 0,
            "cause": None,
        }
    ],
    "measures": {
        "attended": 1,
        "attendance_rate": 0.5,
        "on_time_rate": 1.0,
        "early_rate": 0.0,
        "late_rate": 0.0,
        "slippage_days": 0,
        "projected_end": "2026-04-08",
    },
    "findings": [
        {"kind": "booked_late", "severity": "warning", "days": 4, "since": None},
        {"kind": "overdue", "severity": "warning", "days": 2, "since": "2026-03-10", "cause": "client"},
    ],
    "next_check_on": "2026-03-11",
}
STATES = {"finished", "paused", "not_started", "resting", "due", "late", "overdue", "lapsed"}
FINDINGS = {
    ("behind", "warning"),
    ("booked_late", "warning"),
    ("contraindicated", "serious"),
    ("decision_due", "notice"),
    ("interrupted", "notice"),
    ("lapsed", "serious"),
    ("misbooked", "warning"),
    ("missed_streak", "warning"),
    ("overdue", "serious"),
    ("overdue", "warning"),
    ("too_frequent", "notice"),
    ("unbooked", "notice"),
    ("unbooked", "warning"),
    ("unrecorded", "notice"),
}

# All of it with HYPOTHESIS_PROFILE=thorough, a good sample otherwise.
IS_THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"


def one_phase(cadence: dict[str, int], attended: list[str], as_of: str, **course: Any) -> dict[str, Any]:
    phase = {"kind": "intensive", "cadence": cadence, "sessions_min": 9, "sessions_max": 9, "grace_days": 1}
    sessions = [{"on": on, "status": "attended"} for on in attended]
    return {
        "as_of": as_of,
        "clinic": {"closed_weekdays": [7]},
        "course": {"start_on": "2026-03-02", "phases": [phase], "sessions": sessions, **course},
    }


def phases(as_of: str, *specs: dict[str, Any], **course: Any) -> dict[str, Any]:
    """A course of these phases, attended on 2 and 3 March."""
    request = one_phase({}, ["2026-03-02", "2026-03-03"], as_of, **course)
    request["course"]["phases"] = [{"kind": "intensive", **spec} for spec in specs]
    return request


def without_words(answer: dict[str, Any]) -> dict[str, Any]:
    findings = [{key: item[key] for key in item if key != "says"} for item in answer["findings"]]
    return {**answer, "findings": findings}


def disagreement(request: dict[str, Any], horizon_days: int) -> str:
    """Both answers where they differ, else nothing; `next_check_on` counts within the horizon only."""
    produced = without_words(answer_assess(json.loads(json.dumps(request))))
    expected = reference_assess(request, horizon_days=horizon_days)
    last = (date.fromisoformat(request["as_of"]) + timedelta(days=horizon_days)).isoformat()
    if expected["next_check_on"] is None and (produced["next_check_on"] or "") > last:
        produced["next_check_on"] = None
    return "" if produced == expected else f"{json.dumps(produced)} instead of {json.dumps(expected)}"


def disagreements(seeds: range, horizon_days: int) -> dict[int, str]:
    """The seeds of random requests on which the two disagree."""
    found = ((seed, disagreement(random_request(Random(seed)), horizon_days)) for seed in seeds)
    return {seed: answers for seed, answers in found if answers}


def test_reference_answers_the_worked_request() -> None:
    assert reference_assess(EXAMPLE) == EXAMPLE_ANSWER


@pytest.mark.parametrize(
    ("request_", "due_from", "due_by"),
    [
        (
            one_phase(EVERY_1_TO_2_DAYS, ["2026-03-02", "2026-03-04"], "2026-03-04"),
            "2026-03-05",
            "2026-03-06",
        ),
        (one_phase(EVERY_1_TO_2_DAYS, ["2026-03-06"], "2026-03-06"), "2026-03-07", "2026-03-09"),
        (one_phase(EVERY_1_TO_2_DAYS, ["2026-03-07"], "2026-03-11"), "2026-03-08", "2026-03-09"),
        (
            one_phase(
                EVERY_1_TO_2_DAYS,
                ["2026-03-04"],
                "2026-03-04",
                pauses=[{"from": "2026-03-05", "to": "2026-03-07"}],
            ),
            "2026-03-05",
            "2026-03-09",
        ),
        (one_phase(TWICE_A_WEEK, ["2026-03-02", "2026-03-05"], "2026-03-05"), "2026-03-08", "2026-03-10"),
        (one_phase(TWICE_A_WEEK, ["2026-03-02"], "2026-03-02"), "2026-03-04", "2026-03-10"),
    ],
    ids=["plain", "closed", "nothing-since", "paused", "second-of-week", "first-of-week"],
)
def test_reference_keeps_the_worked_windows(request_: dict[str, Any], due_from: str, due_by: str) -> None:
    answer = reference_assess(request_, horizon_days=0)

    assert (answer["due_from"], answer["due_by"]) == (due_from, due_by)


@pytest.mark.parametrize(
    ("as_of", "state", "findings"),
    [
        ("2026-03-10", "late", ["unbooked"]),
        ("2026-03-11", "overdue", ["overdue"]),
    ],
)
def test_reference_is_late_then_overdue(as_of: str, state: str, findings: list[str]) -> None:
    answer = reference_assess(one_phase(EVERY_1_TO_2_DAYS, ["2026-03-07"], as_of), horizon_days=0)

    assert (answer["state"], [item["kind"] for item in answer["findings"]]) == (state, findings)


def test_reference_starts_maintenance_from_the_last_session() -> None:
    request = one_phase(EVERY_1_TO_2_DAYS, ["2026-03-20"], "2026-03-20")
    request["course"]["phases"][0] |= {"sessions_min": 1, "sessions_max": 1}
    request["course"]["phases"].append(
        {
            "kind": "maintenance",
            "cadence": ONCE_IN_14_DAYS,
            "duration_days": 365,
        }
    )

    answer = reference_assess(request, horizon_days=0)

    assert (answer["phase"], answer["due_from"], answer["due_by"]) == (1, "2026-04-03", "2026-04-03")


def test_random_requests_reach_every_state_finding_and_cause() -> None:
    seen: Counter[Any] = Counter()
    for seed in range(150):
        answer = reference_assess(random_request(Random(seed)), horizon_days=0)
        seen[answer["state"]] += 1
        seen.update((item["kind"], item["severity"]) for item in answer["findings"])
        seen.update((gap["verdict"], gap["cause"]) for gap in answer["gaps"] if gap["verdict"] == "late")

    late_causes = {("late", cause) for cause in ("client", "clinic", "both", "scheduling")}
    assert {key for key in STATES | FINDINGS | late_causes if not seen[key]} == set()


@pytest.mark.parametrize(
    "request_",
    [
        one_phase(EVERY_1_TO_2_DAYS, [], "2026-02-28", start_on="2026-03-20", restarts=["2026-02-01"]),
        phases(
            "2026-03-03",
            {"cadence": EVERY_1_TO_2_DAYS, "sessions_min": 2, "sessions_max": 2},
            {"cadence": TWICE_A_WEEK, "duration_days": 1},
            phases_ended=[{"phase": 1, "on": "2026-03-03"}],
        ),
        phases(
            "2026-03-03",
            {"cadence": ONCE_IN_14_DAYS, "duration_days": 13},
            {"cadence": EVERY_1_TO_2_DAYS, "sessions_min": 6, "sessions_max": 6, "duration_days": 3},
            {"cadence": ONCE_IN_14_DAYS, "duration_days": 60},
        ),
    ],
    ids=["restart-before-start", "end-of-phase-without-room", "session-before-its-phase-starts"],
)
def test_production_agrees_on_rare_courses(request_: dict[str, Any]) -> None:
    assert disagreement(request_, horizon_days=60) == ""


@pytest.mark.parametrize("part", range(15))
def test_production_agrees_with_the_reference(part: int) -> None:
    assert disagreements(range(20 * part, 20 * part + 20), horizon_days=14) == {}


@pytest.mark.slow
@pytest.mark.parametrize("part", range(20 if IS_THOROUGH else 3))
def test_production_agrees_with_the_reference_at_length(part: int) -> None:
    assert disagreements(range(1000 * part, 1000 * part + 1000), horizon_days=60) == {}


@pytest.mark.slow
def test_production_looks_as_far_ahead_as_the_reference() -> None:
    assert disagreements(range(100_000, 100_500 if IS_THOROUGH else 100_040), horizon_days=800) == {}
