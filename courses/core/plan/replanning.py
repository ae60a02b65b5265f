"""Make-up policies: what becomes of a missed session, as variations of one plan request."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, assert_never

from courses.core.cadence import ClientDays, replay
from courses.core.plan.effort import MOST_STEPS, Effort
from courses.core.plan.planner import attended_days, opening_calendar, plan_within
from courses.core.plan.requests import PlanRequest
from courses.core.plan.results import Plan

MakeUp = Literal["shift", "catch_up", "drop"]


@dataclass(frozen=True, slots=True)
class Replan:
    """A plan by a make-up policy; `dropped` sessions leave the amount of the current phase if it is applied."""

    plan: Plan
    dropped: int = 0


def replan(
    request: PlanRequest,
    policy: MakeUp,
    *,
    missed: int = 0,
    ends_on: date | None = None,
    most_steps: int = MOST_STEPS,
) -> Replan:
    """Return the plan for the sessions ahead after `missed` ones, as the policy has it.

    `shift` moves the rest and keeps its spacing. `catch_up` brings as few of the next sessions as necessary closer
    together, inside their windows, to end by `ends_on`, the end before the miss, or as early as that allows. `drop`
    leaves out missed sessions as far as `sessions_min` of the current phase allows, and shifts the rest.
    Raises: as plan(); `most_steps` is for all plans together.
    Cost: one plan, for `catch_up` one for each session brought closer.
    """
    effort = Effort(most_steps)
    match policy:
        case "shift":
            return Replan(plan_within(effort, request))
        case "catch_up":
            return Replan(_catch_up(effort, request, ends_on))
        case "drop":
            return _drop(effort, request, missed)
    assert_never(policy)


def _catch_up(effort: Effort, request: PlanRequest, ends_on: date | None) -> Plan:
    best = plan_within(effort, request)
    for hurried in range(1, request.count + 1):
        if best.cost.last_on is None or (ends_on is not None and best.cost.last_on <= ends_on):
            break
        closer = plan_within(effort, replace(request, hurried=hurried))
        if _order(closer) < _order(best):
            best = closer
    return best


def _order(found: Plan) -> tuple[int, int, date]:
    cost = found.cost
    return cost.unplaced, cost.days_outside, cost.last_on or date.min


def _drop(effort: Effort, request: PlanRequest, missed: int) -> Replan:
    days = ClientDays(opening_calendar(request), request.pauses, today=request.as_of)
    progress = replay(request.prescription, attended_days(request), days, today=request.as_of)
    spec = progress.spec
    if progress.is_complete or spec.amount is None or spec.sessions_min is None:
        return Replan(plan_within(effort, request))
    # At least one session stays ahead, since ending a phase is a prescriber's decision of its own.
    least = max(spec.sessions_min, progress.taken + 1)
    dropped = min(missed, request.count, max(0, spec.amount - least))
    phases = list(request.prescription.phases)
    phases[progress.index] = replace(spec, target=spec.amount - dropped)
    prescription = replace(request.prescription, phases=tuple(phases))
    fewer = replace(request, prescription=prescription, count=request.count - dropped)
    return Replan(plan_within(effort, fewer), dropped)
