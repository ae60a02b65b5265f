"""The four costs of a plan in one whole number, so that one comparison compares them all in their order."""

from typing import Final

# By how much each is shifted; sums stay far below 2**48. The distance from the preferred gap comes below them.
PLACE: Final = 48
UNPLACED: Final = 3 * PLACE
OUTSIDE: Final = 2 * PLACE
MISSED: Final = PLACE
