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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NoReturn

import django

from bin.processes import die_with_parent
from bin.steps import ROOT, StepError
from faults.sender import run_role

_END_SECONDS: Final = 5.0


class Nursery:
    """The process that forks all others; one serves many runs, each with a database and a folder of its own.

    Only it signals its children: it alone knows that a number still is one of them, and not somebody else's by now.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def fork(self, role: str, options: dict[str, Any]) -> int:
        """Start one child and return its process id.

        Raises: StepError when the nursery has ended.
        """
        return int(self._ask({"order": "fork", "role": role, "options": options}))

    def signal(self, pids: Sequence[int], number: signal.Signals) -> None:
        """Send a signal to those that still live."""
        self._ask({"order": "signal", "pids": list(pids), "number": int(number)})

    def are_alive(self, pids: Sequence[int]) -> bool:
        """Tell whether any of them still lives."""
        return self._ask({"order": "count", "pids": list(pids)}) != "0"

    def _ask(self, order: dict[str, Any]) -> str:
        assert self._process.stdin is not None, "a pipe"
        assert self._process.stdout is not None, "a pipe"
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline().strip()
        if not answer.isdigit():
            raise StepError("The nursery of the senders has ended.")
        return answer


class Crew:
    """The children of one run, by their process ids; `place` is what each of them is told about where it works."""

    def __init__(self, nursery: Nursery, place: Mapping[str, Any]) -> None:
        self._nursery = nursery
        self._place = dict(place)
        self.senders: list[int] = []
        self.others: list[int] = []
        self.kills = 0
        self.restarts = 0

    def spawn(self, role: str, **options: Any) -> int:
        """Start one child and return its process id."""
        pid = self._nursery.fork(role, {**self._place, **options})
        (self.senders if role in ("send", "naive") else self.others).append(pid)
        return pid

    def spawn_senders(self, number: int, *, channels: Sequence[str] | None = None) -> None:
        """Start so many senders, of all channels or of some."""
        for _ in range(number):
            self.spawn("send", channels=channels)

    def signal(self, number: signal.Signals, *pids: int) -> None:
        """Send children a signal, such as SIGSTOP and later SIGCONT."""
        self._nursery.signal(pids, number)

    def kill_one(self, rng: random.Random, **options: Any) -> None:
        """Kill a sender by SIGKILL and start another one in its place."""
        pid = self.senders.pop(rng.randrange(len(self.senders)))
        self.signal(signal.SIGKILL, pid)
        self.kills += 1
        self.restarts += 1
        self.spawn(**({"role": "send"} | options))

    def end(self, *pids: int) -> float:
        """Tell children to end after what they have in hand; return the seconds until the last one has.

        Raises: StepError when one does not.
        """
        started = time.monotonic()
        self.signal(signal.SIGTERM, *pids)
        while self._nursery.are_alive(pids):
            if time.monotonic() > started + 60:
                raise StepError("A sender did not end within a minute of SIGTERM.")
            time.sleep(0.02)
        self.senders = [pid for pid in self.senders if pid not in pids]
        self.others = [pid for pid in self.others if pid not in pids]
        return time.monotonic() - started

    def end_all(self) -> None:
        """End every child, the stubborn ones by force."""
        children = [*self.senders, *self.others]
        self.signal(signal.SIGCONT, *children)
        self.signal(signal.SIGTERM, *children)
        deadline = time.monotonic() + _END_SECONDS
        while self._nursery.are_alive(children) and time.monotonic() < deadline:
            time.sleep(0.02)
        self.signal(signal.SIGKILL, *children)


@contextmanager
def run_nursery(environment: Mapping[str, str], *, log: Path) -> Iterator[Nursery]:
    """Run a nursery; it and all its children are gone afterwards.

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
        ) as process,
    ):
        assert process.stdin is not None, "a pipe"
        assert process.stdout is not None, "a pipe"
        if process.stdout.readline().strip() != "ready":
            raise StepError(f"The nursery of the senders did not start: {log.read_text(errors='replace')}")
        try:
            yield Nursery(process)
        finally:
            # Its children die with it.
            process.stdin.close()
            process.wait(10)


@contextmanager
def run_crew(nursery: Nursery, place: Mapping[str, Any]) -> Iterator[Crew]:
    """Give a crew without anybody in it; whoever has joined it is gone afterwards."""
    crew = Crew(nursery, place)
    try:
        yield crew
    finally:
        crew.end_all()


def _keep_nursery() -> None:
    """Fork a child for each order that comes in; end with the input."""
    django.setup()
    from reminders import services, texts  # noqa: F401, PLC0415  # app ready: loaded once for all children

    children: set[int] = set()
    print("ready", flush=True)
    for text in sys.stdin:
        order = json.loads(text)
        if order["order"] == "fork":
            pid = os.fork()
            if not pid:
                _live(order)
            children.add(pid)
            print(pid, flush=True)
            continue
        # Until it is waited for, the number of one that has ended is nobody else's.
        children -= {pid for pid in children if os.waitpid(pid, os.WNOHANG)[0]}
        living = children & set(order["pids"])
        if order["order"] == "signal":
            for pid in living:
                os.kill(pid, order["number"])
        print(len(living), flush=True)


def _live(order: dict[str, Any]) -> NoReturn:
    """Be a child: forget what the nursery speaks over, and live the role."""
    die_with_parent()
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    random.seed()
    _speak_into(order["options"]["log_file"])
    try:
        run_role(order["role"], order["options"])
    finally:
        os._exit(0)


def _speak_into(file: str) -> None:
    log = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(log, 2)


if __name__ == "__main__":
    _keep_nursery()
