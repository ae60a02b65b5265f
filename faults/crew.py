"""The processes of a run, forked from one that has everything loaded, so that a killed sender is replaced at once.

The nursery never opens a database connection; its children do. It dies with whoever started it, and they with it.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import django

from bin.processes import die_with_parent
from bin.steps import ROOT, StepError
from faults.clock import RunClock

_END_SECONDS: Final = 5.0


class Crew:
    """The children of one run, by their process ids."""

    def __init__(self, nursery: subprocess.Popen[str], clock: RunClock) -> None:
        self._nursery = nursery
        self._clock = clock
        self.senders: list[int] = []
        self.others: list[int] = []
        self.kills = 0
        self.restarts = 0

    def spawn(self, role: str, **options: Any) -> int:
        """Start one child and return its process id."""
        assert self._nursery.stdin is not None, "a pipe"
        assert self._nursery.stdout is not None, "a pipe"
        order = {"role": role, "options": {"clock": self._clock.written(), **options}}
        self._nursery.stdin.write(json.dumps(order) + "\n")
        self._nursery.stdin.flush()
        answer = self._nursery.stdout.readline()
        if not answer.strip().isdigit():
            raise StepError("The nursery of the senders has ended.")
        pid = int(answer)
        (self.senders if role in ("send", "naive") else self.others).append(pid)
        return pid

    def spawn_senders(self, number: int) -> None:
        """Start so many senders."""
        for _ in range(number):
            self.spawn("send")

    def kill_one(self, rng: random.Random, **options: Any) -> None:
        """Kill a sender by SIGKILL and start another one in its place."""
        pid = self.senders.pop(rng.randrange(len(self.senders)))
        os.kill(pid, signal.SIGKILL)
        self.kills += 1
        self.restarts += 1
        self.spawn(**({"role": "send"} | options))

    def end(self, *pids: int) -> float:
        """Tell children to end after what they have in hand; return the seconds until the last one has.

        Raises: StepError when one does not.
        """
        started = time.monotonic()
        for pid in pids:
            os.kill(pid, signal.SIGTERM)
        while any(_is_alive(pid) for pid in pids):
            if time.monotonic() > started + 60:
                raise StepError("A sender did not end within a minute of SIGTERM.")
            time.sleep(0.02)
        self.senders = [pid for pid in self.senders if pid not in pids]
        return time.monotonic() - started

    def end_all(self) -> None:
        """End every child, the stubborn ones by force."""
        children = [*self.senders, *self.others]
        for number in (signal.SIGCONT, signal.SIGTERM):
            _signal(children, number)
        deadline = time.monotonic() + _END_SECONDS
        while any(_is_alive(pid) for pid in children) and time.monotonic() < deadline:
            time.sleep(0.02)
        _signal([pid for pid in children if _is_alive(pid)], signal.SIGKILL)


@contextmanager
def run_crew(environment: Mapping[str, str], clock: RunClock, *, log: Path) -> Iterator[Crew]:
    """Run a nursery in which children can be started; all of them are gone afterwards.

    Raises: StepError when it does not start.
    """
    with (
        log.open("ab") as errors,
        subprocess.Popen(
            [sys.executable, "-m", "faults.crew"],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            preexec_fn=die_with_parent,
        ) as nursery,
    ):
        assert nursery.stdin is not None, "a pipe"
        assert nursery.stdout is not None, "a pipe"
        if nursery.stdout.readline().strip() != "ready":
            raise StepError(f"The nursery of the senders did not start: {log.read_text(errors='replace')}")
        crew = Crew(nursery, clock)
        try:
            yield crew
        finally:
            crew.end_all()
            nursery.stdin.close()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _keep_nursery() -> None:
    """Fork a child for each order that comes in; end with the input."""
    django.setup()
    from faults.sender import run_role  # noqa: PLC0415  # app ready
    from reminders import services  # noqa: F401, PLC0415  # app ready: loaded once for all children

    # Children that have ended are nobody's to ask about.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print("ready", flush=True)
    for text in sys.stdin:
        order = json.loads(text)
        pid = os.fork()
        if pid:
            print(pid, flush=True)
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        die_with_parent()
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, 0)
        os.dup2(nowhere, 1)
        random.seed()
        run_role(order["role"], order["options"])
        os._exit(0)


if __name__ == "__main__":
    _keep_nursery()
