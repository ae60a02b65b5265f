"""Shares of a whole, how far two of them differ, and what lies in the middle."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Final

# Of a normal distribution, 95 % lie within so many standard deviations.
_Z: Final = 1.959964
# From these shares on a cell of the heat map is a step warmer.
_HEAT: Final = (0.05, 0.1, 0.15, 0.2, 0.3)


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    part: int
    whole: int

    @property
    def rate(self) -> float | None:
        """Four decimals; None where there is nothing to divide by."""
        return round(self.part / self.whole, 4) if self.whole else None


@dataclass(frozen=True, slots=True)
class Difference:
    """How much greater one share is than another, with the bounds between which the truth lies with 95 %."""

    by: float
    least: float
    most: float

    @property
    def is_certain(self) -> bool:
        """Whether chance alone would hardly make such a difference: the bounds leave nought out."""
        return self.least > 0 or self.most < 0


def difference_between(one: Share, other: Share) -> Difference | None:
    """Return by how much the first share exceeds the second, None where either has nothing to divide by.

    Source: Newcombe 1998, method 10: Wilson's bounds of each share, which hold for small numbers too.
    """
    if not one.whole or not other.whole:
        return None
    first, second = one.part / one.whole, other.part / other.whole
    (low_1, high_1), (low_2, high_2) = _wilson(one), _wilson(other)
    by = first - second
    least = by - sqrt((first - low_1) ** 2 + (high_2 - second) ** 2)
    most = by + sqrt((high_1 - first) ** 2 + (second - low_2) ** 2)
    return Difference(round(by, 4), round(max(least, -1.0), 4), round(min(most, 1.0), 4))


def _wilson(share: Share) -> tuple[float, float]:
    n, rate = share.whole, share.part / share.whole
    middle = (rate + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    reach = _Z / (1 + _Z**2 / n) * sqrt(rate * (1 - rate) / n + _Z**2 / (4 * n**2))
    return middle - reach, middle + reach


def median_of(counts: Mapping[int, int]) -> float | None:
    """Return the median of values that occur so many times each; None of none.

    Of an even number, half way between the two in the middle.
    """
    total = sum(counts.values())
    if not total:
        return None
    lower, upper = (total - 1) // 2, total // 2
    found: list[int] = []
    passed = 0
    for value in sorted(counts):
        passed += counts[value]
        found += [value for place in (lower, upper)[len(found) :] if place < passed]
        if len(found) == 2:
            break
    return sum(found) / 2


def heat_level(share: Share, *, least: int) -> int | None:
    """Return how warm a cell is, from 0 to 5; None where fewer than `least` cases say too little."""
    if share.whole < least or share.rate is None:
        return None
    return sum(share.rate >= bound for bound in _HEAT)
