"""The real worker, clock and queue: Celery on a Redis of our own that is emptied, killed and stopped. In real time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from celery import Celery

from bin.processes import die_with_parent
from bin.steps import ROOT
from faults.clock import RunClock
from faults.cohort import Cohort, build_cohort
from faults.ledger import Ledger
from faults.scenario import scenario
from faults.servers import Redis
from faults.sink import Sink, run_sink
from faults.stage import Stage, environment, fill, wait_until
from reminders.models import LIVE_STATES, Installation, Reminder, ReminderState

_LEASE_AND_TICKS = 60 + 2 * 60


class Queue:
    """Celery's processes of one run, each in a process group of its own."""

    def __init__(self, stage: Stage, sink: Sink) -> None:
        assert stage.redis is not None, "this scenario has a server of its own"
        self.redis: Redis = stage.redis
        self._stage = stage
        self._environment = {
            **os.environ,
            **environment(stage.database_url, stage.folder, redis_url=self.redis.url, mail_port=sink.port),
        }
        self._processes: list[subprocess.Popen[bytes]] = []

    def start_worker(self, *, concurrency: int = 3) -> subprocess.Popen[bytes]:
        """Start a worker as the documentation says, for ticks and sending."""
        return self._start(
            *("worker", "--queues=default,send", f"--concurrency={concurrency}", "--loglevel=WARNING"),
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),
        )

    def start_beat(self, number: int = 0) -> subprocess.Popen[bytes]:
        """Start a clock."""
        return self._start("beat", f"--schedule={self._stage.folder / f'beat{number}'}", "--pidfile=")

    def tick_now(self) -> None:
        """Put a tick into the queue, so that a run need not wait for the next full minute."""
        with Celery(broker=self.redis.url) as app:
            app.send_task("reminders.tick", queue="default")

    def visit(self, rounds: int) -> dict[str, Any]:
        """Let somebody use the application in a process of its own; return what came of it."""
        done = subprocess.run(
            [sys.executable, "-m", "faults.visitor", str(rounds)],
            cwd=ROOT,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        if done.returncode:
            raise RuntimeError(f"The visitor broke off: {done.stderr[-2000:]}")
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found

    def end_all(self) -> None:
        """End every process with its children."""
        for process in self._processes:
            for number in (signal.SIGCONT, signal.SIGKILL):
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, number)
            process.wait(10)

    def _start(self, *words: str) -> subprocess.Popen[bytes]:
        with (self._stage.folder / "celery.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "celery", "--app=config.celery", *words],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )
        self._processes.append(process)
        return process


@contextmanager
def _queue(stage: Stage, *, delay: float) -> Iterator[tuple[Queue, Sink]]:
    Installation.objects.all().delete()
    with run_sink(stage.folder / "sink", delay=delay) as sink:
        queue = Queue(stage, sink)
        try:
            yield queue, sink
        finally:
            queue.end_all()


def _due_now(number: int, **options: Any) -> Cohort:
    # Whole seconds: what a message is about is kept to the second.
    now = datetime.now(UTC).replace(microsecond=0)
    return build_cohort(count=number, at=now - timedelta(seconds=5), **options)


def _taken(sink: Sink) -> int:
    return sum(line.is_taken for line in sink.lines())


def _finish(ledger: Ledger, cohort: Cohort, sink: Sink, *, since: float, seconds: float) -> Ledger:
    wait_until(
        lambda: not Reminder.objects.filter(code__in=cohort.planned, state__in=LIVE_STATES).exists(), seconds
    )
    ledger.recovery_s = round(time.time() - since, 1)
    return fill(ledger, cohort, sink.lines(), RunClock.real())


def _children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


# ---------------------------------------------------------------- workers


@scenario(
    "F02",
    given="a Celery worker with three processes, sending",
    when="one of its processes is killed by SIGKILL, then the whole group; another worker is started",
    then="nothing is lost; at most one extra copy for each killed process; recovery within a lease and two ticks",
    needs_postgres=True,
    needs_redis=True,
    is_long_only=True,
)
def kill_workers(stage: Stage, ledger: Ledger) -> Ledger:
    cohort = _due_now(900)
    cohort.expect(list(cohort.planned), "sent", "uncertain")
    with _queue(stage, delay=0.1) as (queue, sink):
        queue.start_beat()
        worker = queue.start_worker()
        queue.tick_now()
        wait_until(lambda: _taken(sink) >= 100, 90)
        os.kill(stage.rng.choice(_children(worker.pid)), signal.SIGKILL)
        wait_until(lambda: _taken(sink) >= 200, 90)
        ledger.kills = 1 + len(_children(worker.pid))
        os.killpg(worker.pid, signal.SIGKILL)
        since = time.time()
        queue.start_worker()
        ledger.restarts = 1
        ledger = _finish(ledger, cohort, sink, since=since, seconds=400)
    ledger.require(ledger.extra_copies <= ledger.kills, "more extra copies than killed processes")
    ledger.require(ledger.uncertain <= ledger.kills, "more uncertain messages than killed processes")
    return ledger


@scenario(
    "F03 with Celery",
    given="a Celery worker, sending",
    when="it is told to end by SIGTERM, as a deploy does, and another one is started",
    then="it ends within a minute, holds nothing afterwards, and nothing is lost or goes twice",
    needs_postgres=True,
    needs_redis=True,
    is_long_only=True,
)
def end_worker(stage: Stage, ledger: Ledger) -> Ledger:
    cohort = _due_now(900)
    with _queue(stage, delay=0.1) as (queue, sink):
        queue.start_beat()
        worker = queue.start_worker()
        queue.tick_now()
        wait_until(lambda: _taken(sink) >= 100, 90)
        since = time.time()
        worker.send_signal(signal.SIGTERM)
        worker.wait(120)
        seconds = time.time() - since
        held = Reminder.objects.filter(state=ReminderState.CLAIMED).count()
        since = time.time()
        queue.start_worker()
        ledger.restarts = 1
        ledger = _finish(ledger, cohort, sink, since=since, seconds=300)
    ledger.notes.append(f"it took {seconds:.0f} s to end")
    ledger.require(seconds <= 60, f"it took {seconds:.0f} s to end")
    ledger.require(not held, f"{held} messages stayed claimed")
    ledger.require(not ledger.extra_copies, "an extra copy")
    return ledger


# ---------------------------------------------------------------- the queue's server


@scenario(
    "F06",
    given="one sender at work, and wake-ups for others in the queue",
    when="Redis is emptied (FLUSHALL) when a third has gone out",
    then="the next tick finds what is due: nothing is lost, nothing goes twice",
    needs_postgres=True,
    needs_redis=True,
    is_long_only=True,
)
def flush_queue(stage: Stage, ledger: Ledger) -> Ledger:
    cohort = _due_now(1500)
    with _queue(stage, delay=0.05) as (queue, sink):
        queue.start_beat()
        queue.start_worker(concurrency=1)
        queue.tick_now()
        wait_until(lambda: _taken(sink) >= 500, 90)
        with queue.redis.client() as client:
            client.flushall()
        ledger = _finish(ledger, cohort, sink, since=time.time(), seconds=400)
    ledger.require(not ledger.extra_copies, "an extra copy")
    return ledger


@scenario(
    "F07",
    given="people at work in the application",
    when="Redis is killed, keeps nothing, and comes back after half a minute",
    then="no page fails, what people changed is kept, and all messages go out",
    needs_postgres=True,
    needs_redis=True,
    is_long_only=True,
)
def kill_queue(stage: Stage, ledger: Ledger) -> Ledger:
    cohort = _due_now(400)
    _may_be_confirmed(cohort)
    with _queue(stage, delay=0.05) as (queue, sink):
        queue.start_beat()
        queue.start_worker()
        queue.redis.kill()
        gone = time.monotonic()
        found = queue.visit(5)
        time.sleep(max(0.0, 30 - (time.monotonic() - gone)))
        queue.redis.start()
        ledger = _finish(ledger, cohort, sink, since=time.time(), seconds=300)
    ledger.notes.append(f"answers {found['statuses']}, the slowest after {found['slowest']} s")
    ledger.require("5xx" not in found["statuses"], f"pages failed: {found['statuses']}")
    ledger.require(not ledger.extra_copies, "an extra copy")
    return ledger


@scenario(
    "F08",
    given="people at work in the application",
    when="Redis hangs (SIGSTOP) and never answers",
    then="no page fails; the slowest call takes less than six seconds",
    needs_postgres=True,
    needs_redis=True,
    is_long_only=True,
)
def hang_queue(stage: Stage, ledger: Ledger) -> Ledger:
    cohort = _due_now(100)
    _may_be_confirmed(cohort)
    with _queue(stage, delay=0.02) as (queue, sink):
        queue.start_beat()
        queue.start_worker()
        queue.redis.send(signal.SIGSTOP)
        found = queue.visit(5)
        queue.redis.send(signal.SIGCONT)
        ledger = _finish(ledger, cohort, sink, since=time.time(), seconds=300)
    ledger.notes.append(
        f"answers {found['statuses']}, the slowest after {found['slowest']} s, later {found['slowest_later']} s"
    )
    ledger.require("5xx" not in found["statuses"], f"pages failed: {found['statuses']}")
    ledger.require(found["slowest"] < 6, f"a call took {found['slowest']} s")
    return ledger


@scenario(
    "F09",
    given="a worker and messages that fall due every half minute",
    when="Redis is killed and started five times",
    then="the worker goes on unaided: every batch has gone out within two ticks",
    needs_postgres=True,
    needs_redis=True,
    is_long_only=True,
)
def restart_queue(stage: Stage, ledger: Ledger) -> Ledger:
    cohort = _due_now(100)
    codes = sorted(cohort.planned)
    start = datetime.now(UTC).replace(microsecond=0)
    for place in range(5):
        some = codes[place * 20 : (place + 1) * 20]
        at = start + timedelta(seconds=30 * (place + 1))
        Reminder.objects.filter(code__in=some).update(send_at=at)
        cohort.retime(some, at)
    with _queue(stage, delay=0.0) as (queue, sink):
        queue.start_beat()
        queue.start_worker()
        for _ in range(5):
            time.sleep(25)
            queue.redis.kill()
            queue.redis.start()
        ledger.restarts = 5
        ledger = _finish(ledger, cohort, sink, since=time.time(), seconds=200)
    ledger.require(ledger.late_max <= 150, f"a message came {ledger.late_max:.0f} s late")
    ledger.require(not ledger.extra_copies, "an extra copy")
    return ledger


def _may_be_confirmed(cohort: Cohort) -> None:
    """The visitor confirms some sessions; whoever has confirmed is not asked again."""
    cohort.expect(list(cohort.planned), "sent", "suppressed")
