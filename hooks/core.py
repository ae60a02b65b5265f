"""Which events there are, what a change is called, when a call is tried again, and when an endpoint rests; pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

COURSE_EVENTS: Final = (
    "course.prescribed",
    "course.changed",
    "course.paused",
    "course.resumed",
    "course.completed",
    "course.reopened",
    "course.discontinued",
)
SESSION_EVENTS: Final = (
    "session.booked",
    "session.moved",
    "session.confirmed",
    "session.arrived",
    "session.attended",
    "session.missed",
    "session.cancelled",
    "session.corrected",
)
FLAG_EVENTS: Final = ("flag.opened", "flag.resolved")
EVENTS: Final = (*COURSE_EVENTS, *SESSION_EVENTS, *FLAG_EVENTS)
# What staff send to see whether an endpoint answers; nobody has to choose it.
TEST_EVENT: Final = "endpoint.test"

_BY_ACTION: Final[Mapping[str, str]] = {
    "prescribed": "course.prescribed",
    "prescription_changed": "course.changed",
    "target_set": "course.changed",
    "phase_ended": "course.changed",
    "restarted": "course.changed",
    "client_merged": "course.changed",
    "paused": "course.paused",
    "resumed": "course.resumed",
    # A pause that was entered by mistake: to whoever listens the course goes on.
    "pause_removed": "course.resumed",
    "discontinued": "course.discontinued",
}
_BY_STATUS: Final[Mapping[str, str]] = {
    "booked": "session.booked",
    "confirmed": "session.confirmed",
    "arrived": "session.arrived",
    "attended": "session.attended",
    "no_show": "session.missed",
    "cancelled_late": "session.cancelled",
    "cancelled_by_client": "session.cancelled",
    "cancelled_by_clinic": "session.cancelled",
}
# How far a session has come; whatever takes it back is a correction.
_STEPS: Final[Mapping[str, int]] = {"planned": 0, "booked": 1, "confirmed": 2, "arrived": 3}
_OUTCOME: Final = 4

# A day of tries: half a minute, doubled each time up to four hours.
MOST_TRIES: Final = 15
_FIRST_PAUSE: Final = timedelta(seconds=30)
_LONGEST_PAUSE: Final = timedelta(hours=4)
TRIED_FOR: Final = timedelta(hours=25)
# By how much of itself a pause is longer at most, so that what failed together is not tried together.
_JITTER: Final = 0.2
_FIRST_REST: Final = timedelta(seconds=5)
_LONGEST_REST: Final = timedelta(minutes=5)
# So long without one success means that nobody looks after the other side.
SWITCHED_OFF_AFTER: Final = timedelta(days=3)

_NAMESPACE: Final = UUID("6a2fbb2e-6d0c-4b57-9a60-5d2f8b8a4a11")


def event_id(event: str, key: str) -> UUID:
    """Return what an event is known by: the same for each endpoint, each try, and a second telling of one change."""
    return uuid5(_NAMESPACE, f"{event}:{key}")


def course_event(action: str) -> str | None:
    """Return what the others call a verb done on a course, None for one that concerns nobody outside."""
    return _BY_ACTION.get(action)


def session_event(before: str | None, after: str, *, is_moved: bool) -> str | None:
    """Return what to call that a session was of status `before` and is of status `after`.

    before: None for a session that is new. is_moved: its time, practitioner or room are others now.
    """
    was, now = _STEPS.get(before or "planned", _OUTCOME), _STEPS.get(after, _OUTCOME)
    if was < now:
        return _BY_STATUS.get(after)
    is_booking = 0 < was < _OUTCOME
    if is_booking and is_moved and now > 0:
        return "session.moved"
    # A date that is only planned is nobody's business yet.
    return "session.corrected" if was and (was > now or before != after or is_moved) else None


def next_try_at(*, tries: int, first_at: datetime, now: datetime, salt: int) -> datetime | None:
    """Return when to try again after so many tries, or None when that is enough.

    salt: any number that differs from event to event; it spreads the tries.
    """
    if tries >= MOST_TRIES:
        return None
    pause: timedelta = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(tries - 1, 12))
    at = now + pause * (1 + _JITTER * ((salt >> tries) % 1000) / 1000)
    return at if at <= first_at + TRIED_FOR else None


def rest_after(failures: int) -> timedelta:
    """Return for how long an endpoint is left alone after so many failures in a row."""
    doubled: timedelta = _FIRST_REST * 2 ** min(failures - 1, 10)
    return min(_LONGEST_REST, doubled)
