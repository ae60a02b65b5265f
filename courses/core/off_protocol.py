"""Whether lengths of sessions and orders of treatments kept to the protocol."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from courses.core.types import Gap


@dataclass(frozen=True, slots=True)
class PhaseLimits:
    """The lengths a phase prescribes, in minutes; `by_session` rises with the session number, 1-based.

    Sessions beyond the end of `by_session` take its last value.
    """

    minutes_min: int | None
    minutes_max: int | None
    by_session: tuple[int, ...] = ()

    def range_of(self, session: int) -> tuple[int, int] | None:
        """Return the shortest and longest length of a session, None where nothing is prescribed."""
        if self.by_session:
            step = self.by_session[min(session, len(self.by_session)) - 1]
            return min(step, self.minutes_min or step), step
        if self.minutes_min is None or self.minutes_max is None:
            return None
        return self.minutes_min, self.minutes_max


@dataclass(frozen=True, slots=True)
class PracticeRecord:
    """What was done in one attended session: its length in minutes and its treatments in their order."""

    on: date
    minutes: int | None
    treatments: tuple[str, ...]


def count_off_protocol(
    practice: Sequence[PracticeRecord],
    gaps: Sequence[Gap],
    *,
    limits: Sequence[PhaseLimits],
    same_day_order: Sequence[str],
) -> int:
    """Return how many attended sessions had another length or order than prescribed.

    A session without a gap is extra: no phase prescribes its length, the order of a day still holds.
    """
    places = {gap.on: gap for gap in gaps}
    count = 0
    for record in practice:
        gap = places.get(record.on)
        allowed = limits[gap.phase].range_of(gap.session) if gap else None
        is_length_off = (
            allowed is not None
            and record.minutes is not None
            and not allowed[0] <= record.minutes <= allowed[1]
        )
        count += is_length_off or not is_in_order(record.treatments, same_day_order)
    return count


def is_in_order(treatments: Sequence[str], order: Sequence[str]) -> bool:
    """Return whether the treatments that the order names follow it; others may stand anywhere."""
    places = [order.index(treatment) for treatment in treatments if treatment in order]
    return places == sorted(places)
