"""Which status may follow which, for courses and sessions, and the one function that consults the tables."""

from collections.abc import Mapping
from typing import Final, TypeVar

from courses.core.types import CourseStatus, SessionStatus

Status = TypeVar("Status", bound=str)

COURSE_TRANSITIONS: Final[Mapping[CourseStatus, frozenset[CourseStatus]]] = {
    "draft": frozenset({"active"}),
    "active": frozenset({"paused", "completed", "discontinued"}),
    "paused": frozenset({"active", "completed", "discontinued"}),
    "completed": frozenset(),
    "discontinued": frozenset(),
}

_ENDINGS: Final[frozenset[SessionStatus]] = frozenset(
    {"attended", "no_show", "cancelled_late", "cancelled_by_client", "cancelled_by_clinic"}
)

_BOOKED: Final[frozenset[SessionStatus]] = frozenset({"booked"})
_CONFIRMED: Final[frozenset[SessionStatus]] = frozenset({"confirmed"})
_ARRIVED: Final[frozenset[SessionStatus]] = frozenset({"arrived"})

# A session moved in time keeps or returns to `booked`: what was confirmed was the old time.
SESSION_TRANSITIONS: Final[Mapping[SessionStatus, frozenset[SessionStatus]]] = {
    "planned": frozenset({"booked", "attended", "cancelled_by_client", "cancelled_by_clinic"}),
    "booked": _BOOKED | _CONFIRMED | _ARRIVED | _ENDINGS,
    "confirmed": _BOOKED | _ARRIVED | _ENDINGS,
    # Who has arrived can no longer be a no-show, but may leave untreated.
    "arrived": frozenset({"attended", "cancelled_late", "cancelled_by_client", "cancelled_by_clinic"}),
    "attended": frozenset(),
    "no_show": frozenset(),
    "cancelled_late": frozenset(),
    "cancelled_by_client": frozenset(),
    "cancelled_by_clinic": frozenset(),
}

# Putting right what was recorded wrongly: another outcome, or none yet.
SESSION_CORRECTIONS: Final[Mapping[SessionStatus, frozenset[SessionStatus]]] = {
    "arrived": _BOOKED | _CONFIRMED,
    **{status: (_ENDINGS | _BOOKED) - {status} for status in _ENDINGS},
}


class TransitionError(ValueError):
    """A status that may not follow the present one; `old` and `new` are the words."""

    code = "transition_refused"

    def __init__(self, old: str, new: str) -> None:
        super().__init__(f"What is {old} cannot become {new}.")
        self.old = old
        self.new = new


def check_transition(table: Mapping[Status, frozenset[Status]], old: Status, new: Status) -> None:
    """Refuse a change of status that a table does not allow.

    Raises: TransitionError, also for a status the table does not know.
    """
    if new not in table.get(old, ()):
        raise TransitionError(old, new)
