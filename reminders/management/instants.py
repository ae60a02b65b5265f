"""Instants on the command line."""

from argparse import ArgumentTypeError
from datetime import datetime


def instant(text: str) -> datetime:
    """Return the time that a text names.

    Raises: ArgumentTypeError when it is no time or has no offset.
    """
    try:
        at: datetime | None = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise ArgumentTypeError(f"name a time with its offset, such as 2026-03-10T03:00+02:00, not {text!r}")
    return at
