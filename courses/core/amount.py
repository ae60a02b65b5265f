"""How many sessions a prescription still asks for: what a planner is to place."""

from collections.abc import Iterable
from datetime import date
from typing import Final

from courses.core.cadence import ClientDays, replay
from courses.core.types import Prescription

MOST_AHEAD: Final = 400


def count_ahead(
    prescription: Prescription,
    attended: Iterable[date],
    days: ClientDays,
    *,
    today: date,
    kept: Iterable[date] = (),
) -> int:
    """Return how many more sessions the course takes when each comes at its preferred gap.

    `kept` are bookings that stay; they are gone through first and not counted, so that a course which is
    booked to its end takes no more, however its bookings lie. A phase with an amount is counted to that
    amount; one with a duration as far as it lasts.
    Order: dates in any order, those after today are left out. At most MOST_AHEAD.
    """
    past = sorted(day.toordinal() for day in attended if day <= today)
    progress = replay(prescription, past, days, today=today)
    count = 0
    earliest = today.toordinal()
    for on in sorted(day.toordinal() for day in kept):
        progress.roll(on)
        if progress.is_complete:
            break
        progress.attend(on)
        earliest = max(earliest, on + 1)
    while not progress.is_complete and count < MOST_AHEAD:
        wished = progress.due_from
        if progress.recent:
            wished = max(wished, progress.recent[-1] + progress.spec.cadence.preferred_gap_days)
        on = days.first_open(max(wished, earliest))
        progress.roll(on)
        if progress.is_complete:
            break
        if on < progress.due_from:
            # The roll went on to a phase whose first session is due later.
            continue
        progress.attend(on)
        count += 1
        earliest = on + 1
    return count
