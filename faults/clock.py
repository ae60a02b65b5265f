"""One clock for all processes of a run: it may begin at any day and run faster than the wall's.

Leases, pauses between tries and expiry are counted by the clock that the application is handed, so a minute's lease
takes six seconds where this clock runs ten times as fast, and none of the application's own numbers is touched.
What really takes time, such as a socket, does not run faster.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol


class Reading(Protocol):
    """What tells the run's time of a moment of this host's."""

    @property
    def speed(self) -> float: ...

    def of(self, host_seconds: float) -> datetime: ...


@dataclass(frozen=True, slots=True)
class RunClock:
    """Maps this host's time to the run's: `begins_at` at host second `host_began`, `speed` seconds for each one."""

    begins_at: datetime
    host_began: float
    speed: float = 1.0

    def __call__(self) -> datetime:
        return self.of(time.time())

    def of(self, host_seconds: float) -> datetime:
        """Return the run's instant of a moment of this host's time."""
        return self.begins_at + timedelta(seconds=(host_seconds - self.host_began) * self.speed)

    def written(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        return {**asdict(self), "begins_at": self.begins_at.isoformat()}

    @classmethod
    def read(cls, values: dict[str, Any]) -> RunClock:
        """Return the clock that was written."""
        return cls(datetime.fromisoformat(values["begins_at"]), values["host_began"], values["speed"])

    @classmethod
    def real(cls) -> RunClock:
        """Return the clock of this host."""
        return cls(datetime.fromtimestamp(0, UTC), 0.0)


def start_clock(begins_at: datetime, *, speed: float = 1.0) -> RunClock:
    """Return a clock that shows `begins_at` now."""
    return RunClock(begins_at, time.time(), speed)
