"""Where a scenario is played: a database, perhaps servers that may be killed, a folder, chance by a seed."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from faults.clock import Reading, RunClock, start_clock
from faults.cohort import PEAK, Cohort
from faults.crew import Crew, Nursery, run_crew
from faults.ledger import Ledger, count, versions
from faults.servers import Postgres, Redis
from faults.sink import Line, Sink, run_sink
from reminders.models import LIVE_STATES, Installation, Reminder

_PATIENCE: Final = 120.0


@dataclass(slots=True)
class Stage:
    """What a scenario may use. Sizes come in pairs: the short one for every test run, the long one for `make faults`."""

    folder: Path
    database_url: str
    nursery: Nursery
    seed: int
    is_long: bool
    postgres: Postgres | None = None
    redis: Redis | None = None
    rng: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)

    def size(self, short: int, long: int) -> int:
        """Return the number for this run."""
        return long if self.is_long else short

    def place(self, sink: Sink, clock: RunClock) -> dict[str, Any]:
        """Return what a process of a run is told about where it works."""
        return {
            "clock": clock.written(),
            "database": str(connection.settings_dict["NAME"]),
            "mail_port": sink.port,
            "folder": str(self.folder),
            "log_file": str(self.folder / "crew.log"),
        }


def environment(
    database_url: str, folder: Path, *, redis_url: str = "", mail_port: int = 25
) -> dict[str, str]:
    """Return the environment of a process of the application that keeps everything in a folder."""
    return {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "REGIMEN_MODE": "embedded",
        # What an installation keeps outside its database: the mark of its fence, the journals of its senders.
        "VAR_DIR": str(folder),
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": str(mail_port),
        "EMAIL_USE_TLS": "off",
        "EMAIL_USE_SSL": "off",
        "DEMO": "off",
        # What a run has sealed, its senders must be able to read; and the stub is on this machine.
        "SECRET_KEY": settings.SECRET_KEY,
        "EGRESS_ALLOWED_HOSTS": "127.0.0.1",
    }


@dataclass(slots=True)
class Play:
    """One scenario being played: its sink, its processes, its clock, its plan."""

    stage: Stage
    cohort: Cohort
    clock: RunClock
    sink: Sink
    crew: Crew
    fault_ended: float | None = None
    # A second witness, for web hooks.
    stub: Sink | None = None

    def until_taken(self, share: float, *, seconds: float = _PATIENCE) -> None:
        """Wait until the sink has taken such a share of what is planned, or until nothing more is to be expected."""
        wanted = share * len(self.cohort.planned)
        wait_until(
            lambda: sum(line.is_taken for line in self.lines()) >= wanted or not self.is_live(), seconds
        )

    def is_live(self) -> bool:
        """Tell whether any planned message still waits for its end; a database that is away may hold some."""
        # What people's changes have planned anew lies later than all of these.
        last = max(one.send_at for one in self.cohort.planned.values())
        with suppress(DatabaseError, InterfaceError):
            return Reminder.objects.filter(state__in=LIVE_STATES, send_at__lte=last).exists()
        connection.close()
        return True

    def faults_are_over(self) -> None:
        """Remember the moment from which recovery is counted."""
        self.fault_ended = time.time()

    def finish(self, ledger: Ledger, *, seconds: float = _PATIENCE) -> Ledger:
        """Wait until every message has its end, or patience has; fill the ledger."""
        wait_until(lambda: not self.is_live(), seconds)
        ended = time.time()
        self.crew.end_all()
        ledger.kills += self.crew.kills
        ledger.restarts += self.crew.restarts
        if self.fault_ended is not None:
            ledger.recovery_s = round(max(0.0, (ended - self.fault_ended) * self.clock.speed), 1)
        return fill(ledger, self.cohort, self.lines(), self.clock)

    def lines(self) -> list[Line]:
        """Return what came so far, at the mail sink and at the stub."""
        return self.sink.lines() + (self.stub.lines() if self.stub is not None else [])


def fill(ledger: Ledger, cohort: Cohort, lines: list[Line], clock: Reading) -> Ledger:
    """Count what became of everything, as the database and the sink have it now."""
    ledger.versions, ledger.played_on = versions(), f"{datetime.now(UTC):%Y-%m-%d}"
    return count(ledger, cohort, lines, ends(), clock)


@contextmanager
def play(
    stage: Stage,
    cohort: Cohort,
    *,
    begins_at: datetime = PEAK,
    speed: float = 1.0,
    delay: float = 0.0,
    honours_keys: bool = False,
    beats: int = 1,
) -> Iterator[Play]:
    """Open the sink and the nursery, start the beats; the scenario starts its senders itself."""
    # The run is an installation of its own from its first tick on.
    Installation.objects.all().delete()
    with run_sink(stage.folder / "sink", delay=delay, honours_keys=honours_keys) as sink:
        clock = start_clock(begins_at, speed=speed)
        with run_crew(stage.nursery, stage.place(sink, clock)) as crew:
            for _ in range(beats):
                crew.spawn("tick")
            yield Play(stage, cohort, clock, sink, crew)


def ends() -> dict[str, str]:
    """Return the state of every message by its code."""
    return {str(code): state for code, state in Reminder.objects.values_list("code", "state")}


def wait_until(is_so: Callable[[], bool], seconds: float) -> bool:
    """Wait until something is so, at most so long; return whether it is."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
