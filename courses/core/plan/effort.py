"""How much work a plan may take: counted in steps, so that every machine plans or refuses the same requests."""

from typing import Final, NoReturn

# Ten to fifteen seconds. A course of 15 sessions takes some ten thousand, 41 at three a week a hundred thousand.
MOST_STEPS: Final = 20_000_000
# What bounds the memory: some two thousand bytes each.
MOST_PLACES: Final = 150_000
# Beyond so many closed days and pauses it takes longer to find the days between them.
_LOST_DAYS: Final = 500


class PlanTooLargeError(ValueError):
    """The optimum is out of reach: a plan that may not be the cheapest is never given instead."""

    code = "plan_too_large"


class Effort:
    """The steps still allowed, each about half a microsecond's work."""

    __slots__ = ("_left", "_weight")

    def __init__(self, most_steps: int = MOST_STEPS) -> None:
        self._left = most_steps
        self._weight = 1

    def weigh(self, lost_count: int) -> None:
        """Let each step count for more where so many closed days and pauses lie in the way."""
        self._weight = 1 + lost_count // _LOST_DAYS

    def spend(self, steps: int) -> None:
        """Count steps that were taken.

        Raises: PlanTooLargeError when they are more than were allowed.
        """
        self._left -= steps * self._weight
        if self._left < 0:
            self.give_up()

    def give_up(self) -> NoReturn:
        """Refuse to look any further.

        Raises: PlanTooLargeError.
        """
        raise PlanTooLargeError("There are too many ways to compare.")
