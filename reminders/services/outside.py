"""What is known of this installation outside its database: an epoch, and how far the database had come.

The file has a line for each database that ever sent from here, so that a second one beside it, such as a
trial, takes nothing away from the first.
"""

import fcntl
import logging
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkstemp
from typing import Final

from django.conf import settings

logger = logging.getLogger(__name__)

_LINES_KEPT: Final = 1000


def new_epoch() -> str:
    """Return an epoch that no other installation has; a variable may hold it where no file can be kept."""
    return settings.INSTALLATION_EPOCH or secrets.token_urlsafe(24)


def read_marks() -> dict[str, int] | None:
    """Return the beat that the database of each epoch is known to have reached; None without a file.

    An epoch from the variable comes without a beat: nobody counts there.
    """
    if settings.INSTALLATION_EPOCH:
        return {settings.INSTALLATION_EPOCH: 0}
    try:
        lines = Path(settings.INSTALLATION_FILE).read_text(encoding="ascii").splitlines()
        return {epoch: int(beat) for epoch, beat in (line.split() for line in lines)}
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        # What cannot be read proves nothing, so it counts as absent, and then nothing is sent.
        logger.exception("The installation file cannot be read.")
        return None


def write_mark(epoch: str, beat: int, *, instead_of: str = "") -> None:
    """Keep the beat of an epoch, in place of another epoch where one is named; the file is replaced whole.

    Does nothing where a variable holds the epoch. Raises: OSError when the file cannot be written.
    """
    if settings.INSTALLATION_EPOCH:
        return
    with _alone():
        marks = read_marks() or {}
        marks.pop(instead_of, None)
        marks.pop(epoch, None)
        marks[epoch] = beat
        _replace([f"{name} {number}\n" for name, number in marks.items()][-_LINES_KEPT:])


@contextmanager
def _alone() -> Iterator[None]:
    file = Path(settings.INSTALLATION_FILE)
    file.parent.mkdir(parents=True, exist_ok=True)
    with open(file.with_name(f"{file.name}.lock"), "a", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _replace(lines: list[str]) -> None:
    file = Path(settings.INSTALLATION_FILE)
    handle, draft = mkstemp(dir=file.parent, prefix=f".{file.name}-")
    try:
        with open(handle, "w", encoding="ascii") as out:
            out.writelines(lines)
        os.replace(draft, file)
    finally:
        Path(draft).unlink(missing_ok=True)
