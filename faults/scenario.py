"""What a scenario is: a fault with its number, what is given, what happens, what must then hold; and how it is played."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from faults.ledger import Ledger
from faults.stage import Stage

Act = Callable[[Stage, Ledger], Ledger]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One fault. `seeds` is how many trials `make faults` gives it, each with another seed."""

    name: str
    given: str
    when: str
    then: str
    act: Act
    needs_postgres: bool = False
    needs_redis: bool = False
    is_control: bool = False
    # Played by `make faults` only: it waits for real time to pass.
    is_long_only: bool = False
    seeds: int = 1

    def play(self, stage: Stage) -> Ledger:
        """Play it once and return its ledger."""
        ledger = Ledger(name=self.name, title=self.when, seed=stage.seed, is_control=self.is_control)
        return self.act(stage, ledger)


SCENARIOS: Final[dict[str, Scenario]] = {}


def scenario(
    name: str,
    *,
    given: str,
    when: str,
    then: str,
    needs_postgres: bool = False,
    needs_redis: bool = False,
    is_control: bool = False,
    is_long_only: bool = False,
    seeds: int = 1,
) -> Callable[[Act], Act]:
    """Enter a function in the list of scenarios under a name such as "F01"."""

    def enter(act: Act) -> Act:
        SCENARIOS[name] = Scenario(
            *(name, given, when, then, act),
            needs_postgres=needs_postgres,
            needs_redis=needs_redis,
            is_control=is_control,
            is_long_only=is_long_only,
            seeds=seeds,
        )
        return act

    return enter


def found(names: list[str]) -> Iterator[Scenario]:
    """Yield the scenarios asked for, all when none is; "F01" also finds "F01 with key".

    Raises: KeyError for a name that no scenario has.
    """
    for name in names:
        if not any(_answers(one, name) for one in SCENARIOS):
            raise KeyError(name)
    for one in SCENARIOS.values():
        if not names or any(_answers(one.name, name) for name in names):
            yield one


def _answers(name: str, asked: str) -> bool:
    return name.lower() == asked.lower() or name.lower().startswith(f"{asked.lower()} ")
