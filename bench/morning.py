"""morning: what ten clinics have due at the same moment, sent by the workers of a production installation.

Each morning has workers of its own, started by the command lines of the compose file; the bench plays the clock that
puts a tick into their queue once a minute, and the mail server. Every other morning the clinics' own systems answer
late, and have as many senders at work as one channel may when the e-mails come due: those should not feel it.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from math import ceil
from pathlib import Path
from statistics import median
from typing import Final

from bench.harness import Figure, Goal, Size, clock_seconds, medians_in_turns
from bench.scratch import GIVEN, ScratchServer, create_migrated, scratch_server
from bench.sink import Sink, message_ids, run_sink, send_bare
from bench.slow_hook import SlowHook, run_slow_hook
from bench.workers import Workers, empty_queue, production_environment, run_workers, worker_commands
from bin.steps import say

_CLINICS: Final = 10
_MAILS: Final[dict[Size, int]] = {"small": 2_000, "default": 10_000, "full": 10_000}
# Enough for as many senders as a channel may have, and far more than they get done.
_HOOKS: Final = 1_500
_HOOK_SECONDS: Final = 3.0
# Time to have them all wait for an answer before the e-mails come due.
_HOOKS_AHEAD: Final = 6.0
_ROUNDS: Final = 2
# What a process of the pool may have before it is replaced, see CELERY_WORKER_MAX_MEMORY_PER_CHILD.
_MEMORY_MB: Final = 300
_TICK_EVERY: Final = 60.0
_LOOK_EVERY: Final = 0.5
# Time to write down what is due before it is.
_AHEAD: Final = timedelta(seconds=6)
_LONGEST: Final = 900.0


@dataclass(frozen=True, slots=True)
class Morning:
    """How one morning went. Units: seconds from the due moment, MB (of 1,000 kB) of the largest process."""

    drain: float
    p95: float
    peak_mb: float
    processes: int
    connections: int
    calls_at_once: int


def measure(size: Size) -> Iterator[Figure]:
    """Yield rate, lateness and memory of a morning, and what a slow channel does to it.

    Raises: RuntimeError when not every message was sent once.
    """
    with ExitStack() as stack:
        server = stack.enter_context(scratch_server())
        queue = stack.enter_context(empty_queue(GIVEN))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="regimen-bench-")))
        sink = stack.enter_context(run_sink(folder / "mails"))
        bare = stack.enter_context(run_sink(folder / "bare"))
        hook = stack.enter_context(run_slow_hook(_HOOK_SECONDS))
        name = _build(server, mails=_MAILS[size], hook=hook)
        environment = production_environment(
            database=name, queue=queue, mail_port=sink.port, folder=folder, reachable=hook.place
        )
        stage = _Stage(environment, sink, hook, _MAILS[size], folder)
        _, _, bare_seconds = medians_in_turns(
            _ROUNDS,
            [
                partial(stage.play, False),
                partial(stage.play, True),
                lambda _: clock_seconds(partial(send_bare, bare.port, stage.bodies)),
            ],
        )
    yield from _figures(stage, bare_seconds)


def _figures(stage: _Stage, bare_seconds: float) -> Iterator[Figure]:
    mails = stage.mails
    drain = median(morning.drain for morning in stage.plain)
    p95, slow_p95 = (median(morning.p95 for morning in side) for side in (stage.plain, stage.slow))
    both = stage.plain + stage.slow
    largest = max(both, key=lambda morning: morning.peak_mb)
    calls = min(morning.calls_at_once for morning in stage.slow)
    work = f"{mails:,} e-mails due at once in {_CLINICS} clinics"
    yield Figure(
        name="morning",
        work=work,
        figure=mails / drain,
        baseline=mails / bare_seconds,
        unit="/s",
        goal=Goal(0.5, "least"),
        note=f"sent within {drain:.1f} s of the due moment, median of {_ROUNDS} mornings; "
        "baseline: smtplib, the same bytes over one kept connection",
    )
    yield Figure(
        name="morning",
        work="lateness of 95 in 100 of them",
        figure=p95,
        baseline=drain,
        unit="s",
        goal=Goal(0.98, "most"),
        note="baseline: the whole drain; evenly sent would be 0.95, more would be a late start",
    )
    yield Figure(
        name="morning",
        work="memory of the largest sending process",
        figure=largest.peak_mb,
        unit="MB",
        goal=Goal(_MEMORY_MB, "most", of="figure"),
        note=f"at its peak, shared pages included; {largest.processes} processes, "
        f"{max(morning.connections for morning in both)} connections to the database at most, the tick's included",
    )
    yield Figure(
        name="morning",
        work=f"lateness of 95 in 100 beside {_HOOKS:,} slow calls",
        figure=slow_p95,
        baseline=p95,
        unit="s",
        goal=Goal(1.2, "most"),
        note=f"each call takes {_HOOK_SECONDS:.0f} s, {calls} at a time; median of {_ROUNDS} mornings in turns; "
        "baseline: the same e-mails alone",
    )


# ---------------------------------------------------------------- the stage


def _build(server: ScratchServer, *, mails: int, hook: SlowHook) -> str:
    """Make a database with the clinics and their crowds, enter it, and return its name."""
    from bench.crowd import build_crowds, open_hooks  # noqa: PLC0415  # app ready: models need Django set up

    name = create_migrated(server, "morning")
    say("  model clinic ...")
    build_crowds(_CLINICS, mails=mails, hooks=_HOOKS)
    open_hooks(hook.place)
    return name


class _Stage:
    """Where mornings are played, one after the other, and how they went."""

    def __init__(
        self, environment: Mapping[str, str], sink: Sink, hook: SlowHook, mails: int, folder: Path
    ) -> None:
        commands = worker_commands()
        self.plain: list[Morning] = []
        self.slow: list[Morning] = []
        self.bodies: list[bytes] = []
        self.mails = mails
        self._commands = {queue: command for queue, command in commands.items() if queue != "export"}
        self._environment = environment
        self._sink = sink
        self._hook = hook
        self._log = folder / "log"

    def play(self, with_hooks: bool, number: int) -> float:
        """Let one morning pass and return its p95.

        Raises: RuntimeError when not every message was sent once.
        """
        from bench.crowd import lay_down  # noqa: PLC0415  # app ready

        lay_down()
        self._sink.clear()
        self._hook.forget()
        with run_workers(self._commands, self._environment, log=self._log) as workers:
            workers.warm_up()
            if with_hooks:
                self._occupy(workers)
            morning = self._send(workers)
        self._check(with_hooks)
        (self.slow if with_hooks else self.plain).append(morning)
        kind = "beside slow calls" if with_hooks else "alone"
        say(f"  morning {kind}: {morning.drain:.1f} s, p95 {morning.p95:.1f} s")
        return morning.p95

    def _occupy(self, workers: Workers) -> None:
        """Let the slow channel take all the senders that it can get."""
        from bench.crowd import make_due  # noqa: PLC0415  # app ready
        from clinics.clock import database_now  # noqa: PLC0415  # app ready

        make_due("webhook", at=database_now())
        workers.send("reminders.tick", queue="default")
        time.sleep(_HOOKS_AHEAD)

    def _send(self, workers: Workers) -> Morning:
        from bench.crowd import (  # noqa: PLC0415  # app ready
            connection_count,
            has_mails_waiting,
            lateness,
            make_due,
        )
        from clinics.clock import database_now  # noqa: PLC0415  # app ready

        due = database_now() + _AHEAD
        make_due("email", at=due)
        wait = (due - database_now()).total_seconds()
        if wait < 0:
            raise RuntimeError("what is due took too long to write down")
        time.sleep(wait)
        began, ticks, connections = time.monotonic(), 0, 0
        while has_mails_waiting():
            passed = time.monotonic() - began
            if passed > _LONGEST:
                raise RuntimeError(f"after {_LONGEST:.0f} s there were still messages to send")
            if passed >= ticks * _TICK_EVERY:
                workers.send("reminders.tick", queue="default")
                ticks += 1
            workers.look()
            connections = max(connections, connection_count())
            time.sleep(_LOOK_EVERY)
        workers.look()
        late = lateness()
        return Morning(
            drain=late[-1],
            p95=late[ceil(0.95 * len(late)) - 1],
            peak_mb=max(workers.peaks.values()) / 1000,
            processes=len(workers.peaks),
            connections=connections,
            calls_at_once=self._hook.most_at_once,
        )

    def _check(self, with_hooks: bool) -> None:
        from bench.crowd import calls_on_record, mails_on_record, states  # noqa: PLC0415  # app ready

        bodies = self._sink.messages()
        got = message_ids(bodies)
        if states() != {"sent": self.mails} or len(bodies) != self.mails or set(got) != mails_on_record():
            raise RuntimeError(
                f"{self.mails} messages were due; {len(bodies)} came, {len(set(got))} different ones, "
                f"and the rows say {states()}"
            )
        calls = self._hook.ids
        if len(calls) != len(set(calls)) or not calls_on_record() <= set(calls) or bool(calls) != with_hooks:
            raise RuntimeError(f"{len(calls)} calls came, {len(set(calls))} different ones")
        self.bodies = bodies
