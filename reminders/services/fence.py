"""The fence: a database that is not, or not surely, the one that has been sending sends nothing.

What is kept outside the database is never ahead of it: every beat is committed first and written into the
file afterwards. So a database that is behind its file, or that comes without it, was restored or copied, and
what it believes to be due may have gone out long ago.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from django.core.exceptions import ImproperlyConfigured
from django.db import connection, transaction

from reminders.models import Installation, Reminder
from reminders.services.outside import new_epoch, read_marks, write_mark

logger = logging.getLogger(__name__)

# Why nothing is sent, as short codes.
OTHER_EPOCH: Final = "other_epoch"
NO_FILE: Final = "no_file"
BEHIND: Final = "behind"
RESTORED: Final = "restored"
BY_HAND: Final = "by_hand"

ROW: Final = 1


def is_held() -> bool:
    """Tell whether nothing may be sent from this database now.

    Cost: one query and the reading of a small file.
    """
    return bool(held_reason())


def held_reason() -> str:
    """Return why nothing may be sent, as a short code; "" when all is well."""
    # The file first: it is never ahead of the database, and that only goes on in between.
    marks = read_marks()
    row = Installation.objects.filter(pk=ROW).first()
    return "" if row is None else doubt(row, marks)


def note_alive(*, now: datetime) -> None:
    """Count one more beat of the sending database; every tick calls this. A held one counts none.

    Cost: two statements and a small file.
    """
    with _durable(), transaction.atomic():
        row = Installation.objects.select_for_update().filter(pk=ROW).first() or install(now=now)
        reason = doubt(row, read_marks())
        if reason:
            logger.error("Nothing is sent (%s). See manage.py release_outbox.", reason)
            return
        row.beat += 1
        row.seen_at = now
        row.save(update_fields=["beat", "seen_at"])
        transaction.on_commit(lambda: _write_beat(row))


def install(*, now: datetime) -> Installation:
    """Return the row of this installation, made together with its mark outside where there is none yet.

    A database that has messages but no row, beside the file of others, is a backup from before there was a
    fence: it is held.
    Raises: ImproperlyConfigured when no mark can be kept.
    """
    row = Installation.objects.filter(pk=ROW).first()
    if row is not None:
        return row
    is_backup = Reminder.objects.exists() and bool(read_marks())
    epoch = new_epoch()
    try:
        write_mark(epoch, 0)
    except OSError as error:
        raise ImproperlyConfigured(
            "INSTALLATION_FILE cannot be written; name a file that can be, or set INSTALLATION_EPOCH."
        ) from error
    # Of two that start at once one wins; the other's mark stands in the file and means nothing.
    row, _ = Installation.objects.get_or_create(
        pk=ROW,
        defaults={
            "epoch": epoch,
            "seen_at": now,
            "held_at": now if is_backup else None,
            "held_reason": RESTORED if is_backup else "",
        },
    )
    return row


def hold(*, reason: str, now: datetime) -> None:
    """Send nothing from here on until somebody has released it; harmless when it is held already."""
    install(now=now)
    Installation.objects.filter(pk=ROW, held_at=None).update(held_at=now, held_reason=reason)


def doubt(row: Installation, marks: dict[str, int] | None) -> str:
    """Return why nothing may be sent by a row and the marks that were read before it, "" when all is well."""
    if row.held_at is not None:
        return row.held_reason
    if marks is None:
        return NO_FILE
    if row.epoch not in marks:
        return OTHER_EPOCH
    return BEHIND if marks[row.epoch] > row.beat else ""


def _write_beat(row: Installation) -> None:
    try:
        write_mark(row.epoch, row.beat)
    except OSError:
        # A full disk must not stop the messages; an older mark only notices less.
        logger.exception("The installation file cannot be written.")


@contextmanager
def _durable() -> Iterator[None]:
    """Have the commit reach the disk: a power cut may take SQLite's last commits, and the file may outlive it."""
    is_needed = connection.vendor == "sqlite" and not connection.in_atomic_block
    if is_needed:
        _set_synchronous("FULL")
    try:
        yield
    finally:
        if is_needed:
            _set_synchronous("NORMAL")


def _set_synchronous(level: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA synchronous={level}")
