"""Planning: the best slots for the sessions ahead (docs/domain.md, section Planning).

`plan` finds the optimum, `replan` applies a make-up policy to it. `requests` and `results` hold what goes in and out;
`busy` knows when somebody is
taken, `slots` chooses within a day, `search` among days, `writing` says why.
"""

from courses.core.plan.busy import BusyTimes
from courses.core.plan.effort import MOST_STEPS, PlanTooLargeError
from courses.core.plan.planner import plan
from courses.core.plan.replanning import MakeUp, Replan, replan
from courses.core.plan.requests import PlanRequest, Practitioner, Preferences, Room
from courses.core.plan.results import Plan, PlanCost, PlannedSession, Reason

__all__ = [
    "MOST_STEPS",
    "BusyTimes",
    "MakeUp",
    "Plan",
    "PlanCost",
    "PlanRequest",
    "PlanTooLargeError",
    "PlannedSession",
    "Practitioner",
    "Preferences",
    "Reason",
    "Replan",
    "Room",
    "plan",
    "replan",
]
