"""plan: the best slots for a whole course on a real calendar, against a solver that is good at nothing but optima.

Both sides are given the same request as JSON values and must find the same cost: what is measured is how long each
takes to be sure of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import partial
from statistics import median
from typing import Any

from bench.harness import Figure, Goal, Size, medians_in_turns, processor_seconds
from bench.plan_cpsat import plan_with_cpsat, realistic_requests
from courses.core.plan_wire import answer_plan

COURSES = 200
_RUNS: dict[Size, int] = {"small": 1, "default": 3, "full": 5}
# The sessions of both phases: fifteen, then one in two weeks for a year.
LONG_COUNT = 41
_MAINTENANCE = {
    "kind": "maintenance",
    "cadence": {"frequency": 1, "period_min": 14, "period_max": 14},
    "duration_days": 365,
    "grace_days": 3,
    "lapse_days": 42,
}


def measure(size: Size) -> Iterator[Figure]:
    """Yield the time against the solver's, the courses on which both agree, and the time of one plan."""
    requests = realistic_requests(amount=COURSES)
    # The first call of each side loads what it needs.
    answer_plan(requests[0])
    plan_with_cpsat(requests[0])
    ours, theirs = _both_seconds(requests, runs=_RUNS[size])
    equal = sum(answer_plan(request)["cost"] == plan_with_cpsat(request) for request in requests)
    yield Figure(
        name="plan",
        work=f"{COURSES} courses of 15 sessions",
        figure=ours,
        baseline=theirs,
        unit="s",
        goal=Goal(0.5, "most"),
        note=f"processor time, for each course the median of {_RUNS[size]} runs; "
        "baseline: OR-Tools CP-SAT, one worker, same cost function",
    )
    yield Figure(
        name="plan-cost",
        work=f"plans of {COURSES} courses that cost the optimum",
        figure=equal,
        baseline=COURSES,
        unit="plans",
        goal=Goal(1, "least"),
    )
    yield _median_plan("plan-15", "one plan of 15 sessions", requests, count=15, limit=10)
    long_requests = [with_maintenance(request) for request in requests]
    work = f"one plan of {LONG_COUNT} sessions over two phases"
    yield _median_plan("plan-41", work, long_requests, count=LONG_COUNT, limit=50)


def _both_seconds(requests: list[dict[str, Any]], *, runs: int) -> tuple[float, float]:
    """Return the seconds that our plans of all requests take, and those of the solver."""
    ours = theirs = 0.0
    for request in requests:
        our_median, their_median = medians_in_turns(
            runs, [partial(_seconds, answer_plan, request), partial(_seconds, plan_with_cpsat, request)]
        )
        ours, theirs = ours + our_median, theirs + their_median
    return ours, theirs


def _seconds(planner: Callable[[dict[str, Any]], object], request: dict[str, Any], _: int) -> float:
    return processor_seconds(lambda: planner(request))


def _median_plan(name: str, work: str, requests: list[dict[str, Any]], *, count: int, limit: float) -> Figure:
    seconds = [processor_seconds(partial(_plan_all, request, count)) for request in requests]
    return Figure(
        name=name,
        work=work,
        figure=median(seconds) * 1000,
        unit="ms",
        goal=Goal(limit, "most", of="figure"),
        note=f"processor time, median of {len(requests)} courses; the slowest took {max(seconds) * 1000:.0f} ms",
    )


def _plan_all(request: dict[str, Any], count: int) -> None:
    sessions: Any = answer_plan(request)["sessions"]
    if len(sessions) != count:
        raise RuntimeError(f"a plan of {count} sessions came out with {len(sessions)}")


def with_maintenance(request: dict[str, Any]) -> dict[str, Any]:
    """Return the request with a year of maintenance after its course."""
    longer = deepcopy(request)
    longer["course"]["phases"].append(deepcopy(_MAINTENANCE))
    # The year begins when the course ends, some five weeks after the first day that may be planned.
    return longer | {"count": LONG_COUNT, "horizon_days": 460}
