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
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import django

from bin.processes import die_with_parent
from bin.steps import ROOT, StepError

_END_SECONDS: Final = 5.0


class Nursery:
    """The process that forks all others; one serves many runs, each with a database and a folder of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def fork(self, role: str, options: dict[str, Any]) -> int:
        """Start one child and return its process id.

        Raises: StepError when the nursery has ended.
        """
        assert self._process.stdin is not None, "a pipe"
        assert self._process.stdout is not None, "a pipe"
        self._process.stdin.write(json.dumps({"role": role, "options": options}) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer.strip().isdigit():
            raise StepError("The nursery of the senders has ended.")
        return int(answer)


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
    from reminders import services, texts  # noqa: F401, PLC0415  # app ready: loaded once for all children

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
