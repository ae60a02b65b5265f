"""Who is left without a reminder, so that the effect of reminders can be told."""

from hashlib import blake2b


def is_held_out(session_code: str, *, percent: int) -> bool:
    """Return whether a session is among the so many in a hundred whose reminder is not sent.

    The session alone decides, so that all its reminders share one fate and a greater percentage only adds to the group.
    """
    if not percent:
        return False
    number = blake2b(f"hold-out:{session_code}".encode(), digest_size=8).digest()
    return int.from_bytes(number) % 100 < percent
