"""Retention by session number: how many come to the first session, the second and so on (Kaplan and Meier)."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fate:
    """`count` courses that came to `sessions` sessions so far; `is_dropped`: and no more will follow."""

    sessions: int
    is_dropped: bool
    count: int = 1


@dataclass(frozen=True, slots=True)
class Step:
    """What became, on the way to a session, of the courses that had come to the one before.

    Shape: `censored` left the count before this session, because it is not known yet whether they come to it, or
    because none was asked for any more. Of the `at_risk` that are left, `dropped` never came. `retained` is the
    share of all that come to this session: the product of the steps so far, four decimals.
    """

    session: int
    censored: int
    at_risk: int
    dropped: int
    retained: float


def retention_steps(fates: Iterable[Fate]) -> tuple[Step, ...]:
    """Return a step for each session number from 1 on, as long as any course is left that could come to it.

    Source: Kaplan and Meier 1958, with the session number in place of time: whoever is under way with k sessions
    is counted up to session k and says nothing of k + 1.
    """
    dropped: Counter[int] = Counter()
    censored: Counter[int] = Counter()
    for fate in fates:
        (dropped if fate.is_dropped else censored)[fate.sessions] += fate.count
    left = dropped.total() + censored.total()
    steps: list[Step] = []
    retained = 1.0
    session = 1
    while (at_risk := left - censored[session - 1]) > 0:
        gone = dropped[session - 1]
        retained *= (at_risk - gone) / at_risk
        steps.append(Step(session, censored[session - 1], at_risk, gone, round(retained, 4)))
        left = at_risk - gone
        session += 1
    return tuple(steps)
