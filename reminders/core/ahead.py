"""What lies ahead of a client: visits, and how they differ from what the client was told."""

from datetime import UTC, date, datetime
from typing import Final

from reminders.core.facts import CourseFacts, SessionFacts, Told

# Only these can still be reminded of; whoever has arrived needs no message.
AWAITED: Final = frozenset({"booked", "confirmed"})
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


def upcoming(course: CourseFacts, *, now: datetime) -> tuple[SessionFacts, ...]:
    """Return the sessions that the client is expected at after now, earliest first.

    A session on a paused or closed day is not expected, whatever its status still says.
    """
    expected = [s for s in _ahead(course, now) if not s.is_closed and not is_paused_on(course, s.on)]
    return tuple(sorted(expected, key=lambda s: s.starts_at or _NEVER))


def _ahead(course: CourseFacts, now: datetime) -> list[SessionFacts]:
    return [
        s for s in course.sessions if s.status in AWAITED and s.starts_at is not None and s.starts_at > now
    ]


def is_paused_on(course: CourseFacts, day: date) -> bool:
    """Return whether the day lies in a pause; an open pause has no end."""
    return any(first <= day and (last is None or day <= last) for first, last in course.pauses)


def untold(course: CourseFacts, *, now: datetime) -> frozenset[Told]:
    """Return the future slots in which the booked sessions and those told to the client differ.

    A booking on a day that the clinic has closed since is no news yet: it is about to be moved, and the
    client hears of it once it was.
    """
    booked = frozenset((s.code, s.starts_at) for s in upcoming(course, now=now) if s.starts_at is not None)
    told = frozenset(slot for slot in course.told if slot[1] > now)
    closed = frozenset((s.code, s.starts_at) for s in _ahead(course, now) if s.is_closed)
    return (booked ^ told) - closed


def has_booking(course: CourseFacts) -> bool:
    """Return whether any session is booked, ahead or in the past without an outcome.

    Of the latter nobody knows yet whether the client came, so nobody may say that they did not.
    """
    return any(s.status == "arrived" or s.status in AWAITED for s in course.sessions)


def slot_text(starts_at: datetime) -> str:
    """Return the fingerprint of one slot."""
    return f"slot:{starts_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
