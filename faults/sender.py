"""What a process of a run does for its whole life: send, tick, change the world, or send naively.

Runs fork them from the nursery; `python -m faults.sender ROLE '{"clock": ...}'` starts one by hand. Each ends by SIGTERM after what it has in hand, as a worker does, or by whatever signal kills it.
"""

from __future__ import annotations

import json
import logging
import random
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import django
from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from faults.clock import RunClock

logger = logging.getLogger(__name__)

_T = TypeVar("_T")
_IDLE_SECONDS: Final = 0.1
_TURN_SECONDS: Final = 0.5


class Turn:
    """Whether to go on: not after SIGTERM."""

    def __init__(self) -> None:
        self.is_on = True
        signal.signal(signal.SIGTERM, self._stop)

    def _stop(self, number: int, frame: object) -> None:
        self.is_on = False


def send(options: dict[str, Any], clock: RunClock, turn: Turn) -> None:
    """Send what is due, over and over, as a queue's worker does one task after the other."""
    from reminders.services import drain  # noqa: PLC0415  # app ready

    # None means all; in production each sender works one.
    channels = options.get("channels")
    while turn.is_on:
        if not _patiently(lambda: drain(clock=clock, seconds=_TURN_SECONDS, channels=channels).total(), 0):
            time.sleep(_IDLE_SECONDS)


def tick(options: dict[str, Any], clock: RunClock, turn: Turn) -> None:
    """Tick every so many seconds of this host's time."""
    from reminders.services import run_tick  # noqa: PLC0415  # app ready

    while turn.is_on:
        _patiently(lambda: run_tick(now=clock()), None)
        time.sleep(options.get("every", 0.3))


def change(options: dict[str, Any], clock: RunClock, turn: Turn) -> None:
    """Cancel, move and opt out of the sessions given, one after the other, and write down when each was done."""
    from faults.changes import make_change  # noqa: PLC0415  # app ready

    rng = random.Random(options["seed"])
    with open(options["log"], "a", encoding="utf-8", buffering=1) as log:
        for code, kind in options["changes"]:
            if not turn.is_on:
                break
            done = _patiently(partial(make_change, code, kind, clock=clock), "lost")
            log.write(f"{code}\t{kind}\t{done}\t{time.time():.6f}\n")
            time.sleep(rng.uniform(0, options.get("pause", 0.0)))


def naive(options: dict[str, Any], clock: RunClock, turn: Turn) -> None:
    """Send as somebody would who has never met a crash."""
    from faults.controls import CONTROLS  # noqa: PLC0415  # app ready

    sender = CONTROLS[options["control"]]
    while turn.is_on:
        if not _patiently(lambda: sender(clock), 0):
            time.sleep(_IDLE_SECONDS)


ROLES: Final[dict[str, Callable[[dict[str, Any], RunClock, Turn], None]]] = {
    "send": send,
    "tick": tick,
    "change": change,
    "naive": naive,
}


def run_role(role: str, options: dict[str, Any]) -> None:
    """Live one role until told to stop, in the place that the options name.

    `database`, `mail_port`, `folder` say where; a `journal` of its own is that of a machine of its own.
    """
    connection.settings_dict["NAME"] = options["database"]
    settings.EMAIL_PORT = options["mail_port"]
    settings.INSTALLATION_FILE = Path(options["folder"]) / "installation"
    settings.JOURNAL_DIR = Path(options.get("journal") or Path(options["folder"]) / "senders")
    ROLES[role](options, RunClock.read(options["clock"]), Turn())


def _patiently(work: Callable[[], _T], otherwise: _T) -> _T:
    """Do some work; a database that is away ends the turn, and the next one begins on a new connection."""
    close_old_connections()
    try:
        return work()
    except (DatabaseError, InterfaceError) as error:
        logger.warning("The database: %s.", type(error).__name__)
    except Exception:
        # A worker goes on with its next task.
        logger.exception("A turn failed.")
    connection.close()
    time.sleep(_IDLE_SECONDS * 2)
    return otherwise


if __name__ == "__main__":
    django.setup()
    run_role(sys.argv[1], json.loads(sys.argv[2]))
