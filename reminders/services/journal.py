"""What a sender was doing, in a file of its host: it narrows what a killed process leaves unknown.

Several messages are put on the wire in one commit, because a commit takes longer than a send. The database alone
could not say afterwards which of them had gone. So each sender notes in a file when it begins a message and how
that ended. The file is not synced: it outlives the process, and the rows are what outlives the machine.
A sender holds a lock on its file as long as it lives; whoever gets the lock knows that it is dead.
"""

import fcntl
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, Self

from django.conf import settings

from reminders.channels.base import Outcome
from reminders.services.wire import Ready

logger = logging.getLogger(__name__)

_PREFIX: Final = "sender-"
# Row, generation, number of the attempt, and the row it goes with (0 for the leading one).
Entry = tuple[int, int, int, int]


class Journal:
    """One sender's file, written message by message and removed when all its results are on record."""

    def __init__(self, owner: str) -> None:
        self._file = -1
        self._path: Path | None = None
        try:
            folder = _folder()
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"{_PREFIX}{owner.rpartition(':')[2]}.jsonl"
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_EXCL, 0o600)
            # Whoever looks for the dead holds the lock for a moment only.
            fcntl.flock(self._file, fcntl.LOCK_EX)
            self._path = path
            self._write(["owner", owner, boot_id()])
        except OSError as error:
            # Without it a killed sender leaves more in doubt, but nothing else changes.
            logger.warning("No journal for this sender: %s.", type(error).__name__)

    def begin(self, ready: Ready) -> None:
        """Note that a message is about to be handed over."""
        self._write(["begin", entries_of(ready)])

    def end(self, ready: Ready, outcome: Outcome) -> None:
        """Note how it ended."""
        self._write(["end", entries_of(ready), outcome.kind, outcome.code, outcome.provider_id])

    def close(self, *, is_settled: bool) -> None:
        """Let go of the file, and remove it when there is nothing left in it to be learned."""
        if self._path is not None and is_settled:
            self._path.unlink(missing_ok=True)
        if self._file >= 0:
            os.close(self._file)
        self._file, self._path = -1, None

    def _write(self, line: list[object]) -> None:
        if self._file < 0:
            return
        text = json.dumps(line).encode() + b"\n"
        try:
            is_whole = os.write(self._file, text) == len(text)
        except OSError as error:
            is_whole = False
            logger.warning("The sender's journal could not be written: %s.", type(error).__name__)
        if not is_whole:
            # What it does not say would be taken for never begun: better none at all, and more in doubt.
            self.close(is_settled=True)


def entries_of(ready: Ready) -> list[Entry]:
    """Return the rows of a message as a journal has them."""
    lead = ready.pieces[0].claim.reminder_id
    return [
        (p.claim.reminder_id, p.claim.generation, p.number, 0 if p.claim.reminder_id == lead else lead)
        for p in ready.pieces
    ]


@dataclass(slots=True)
class Remains:
    """What a dead sender left behind: messages that ended, and those of which it only says that they began."""

    owner: str = ""
    boot: str = ""
    ended: list[tuple[list[Entry], Outcome]] = field(default_factory=list)
    begun: list[list[Entry]] = field(default_factory=list)

    @classmethod
    def read(cls, text: str) -> Self:
        """Return what a journal says; a last line cut short says nothing."""
        found = cls()
        for line in text.splitlines():
            try:
                found._take(*json.loads(line))
            except (IndexError, TypeError, ValueError):
                continue
        return found

    def _take(self, word: str, *values: Any) -> None:
        if word == "owner":
            self.owner, self.boot = values
        elif word == "begin":
            self.begun.append([tuple(entry) for entry in values[0]])
        elif word == "end":
            entries = [tuple(entry) for entry in values[0]]
            self.ended.append((entries, Outcome(values[1], values[2], provider_id=values[3])))
            self.begun = [begun for begun in self.begun if begun != entries]


@contextmanager
def _locked(path: Path) -> Iterator[str | None]:
    """Give the text of a dead sender's journal, None when the sender lives or somebody else reads it."""
    try:
        file = os.open(path, os.O_RDWR)
    except OSError:
        # Gone meanwhile, or another user's: that one's senders will read it.
        yield None
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield path.read_text(encoding="utf-8", errors="replace") if path.exists() else None
    except BlockingIOError:
        yield None
    finally:
        os.close(file)


def dead_journals() -> Iterator[Remains]:
    """Yield what dead senders of this host left behind.

    A file is removed only when the loop goes on, that is after its rows were put in order.
    """
    folder = _folder()
    if not folder.is_dir():
        return
    for path in sorted(folder.glob(f"{_PREFIX}*.jsonl")):
        with _locked(path) as text:
            remains = Remains.read(text or "")
            if not remains.owner:
                # It lives, somebody else reads it, or it has only just been made.
                continue
            if remains.boot == boot_id():
                yield remains
            # Of a machine that went down since it may lack its last lines: then the leases decide, and doubt stays.
            path.unlink(missing_ok=True)


@cache
def boot_id() -> str:
    """Return what tells this start of this machine from every other one."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _folder() -> Path:
    return Path(settings.JOURNAL_DIR)
