"""The workers of a production installation, started by the command lines of docker-compose.yml, and what they take."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import redis
import yaml
from celery import Celery

from bench.scratch import address_of
from bench.sink import HOST
from bin.processes import die_with_parent
from bin.services import provide_redis
from bin.steps import ROOT, StepError

_START_SECONDS: Final = 60.0
# Queues of senders are called this or begin with it.
_SENDING: Final = "send"
# A few for each process, so that every one has had something to do.
_WARMING_TASKS: Final = 12
# Says to others who look for an empty database that this one is taken.
_OURS: Final = "bench"
_QUEUE_KEYS: Final = ("unacked", "unacked_index", "unacked_mutex")
_INHERITED: Final = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONPATH", "TMPDIR")


def worker_commands() -> dict[str, list[str]]:
    """Return the command line of each Celery worker of the compose file by its queues, "default" and so on."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    commands = [service["command"] for service in services.values() if "worker" in service.get("command", ())]
    return {_option(command, "queues"): list(command) for command in commands}


def _option(command: Sequence[str], name: str) -> str:
    return next(word.partition("=")[2] for word in command if word.startswith(f"--{name}="))


def production_environment(
    *, database: str, queue: str, mail_port: int, folder: Path, reachable: str = ""
) -> dict[str, str]:
    """Return the variables of a production installation, and nothing of what this machine's own may have.

    `reachable` is a host and port of this machine that a clinic's own system may have.
    """
    from django.conf import settings  # noqa: PLC0415  # app ready

    return {
        **{name: os.environ[name] for name in _INHERITED if name in os.environ},
        "REGIMEN_MODE": "production",
        "BASE_URL": "https://regimen.example.org",
        # The one under which the secrets of the accounts were sealed.
        "SECRET_KEY": settings.SECRET_KEY,
        "DATABASE_URL": address_of(os.environ["DATABASE_URL"], database),
        "REDIS_URL": queue,
        "VAR_DIR": str(folder),
        "EMAIL_HOST": HOST,
        "EMAIL_PORT": str(mail_port),
        "EMAIL_USE_TLS": "off",
        "EGRESS_ALLOWED_HOSTS": reachable,
    }


@contextmanager
def empty_queue(environment: Mapping[str, str]) -> Iterator[str]:
    """Give the address of a Redis database that is empty and stays ours until the end.

    Raises: StepError when there is none: what stands in a queue of others must not be worked here.
    """
    with provide_redis(environment) as service, redis.Redis.from_url(service.url) as client:
        is_ours = bool(client.set(_OURS, os.getpid(), nx=True))
        try:
            if not is_ours or client.dbsize() != 1:
                raise StepError("The Redis database is not empty; name an empty one in REDIS_URL.")
            yield service.url
        finally:
            if is_ours:
                client.delete(_OURS)


class Workers:
    """Running workers, and the queue by which they are woken."""

    def __init__(self, processes: Mapping[str, subprocess.Popen[bytes]], broker: str, *, log: Path) -> None:
        self._processes = processes
        self._log = log
        self._queue = Celery(broker=broker, set_as_current=False)
        self._broker = broker
        # The most that each process has had in memory, in kB.
        self.peaks: dict[int, int] = {}

    def send(self, task: str, *, queue: str, args: Sequence[Any] = ()) -> None:
        """Put a task into a queue, as the clock or the tick does."""
        self._queue.send_task(task, args, queue=queue)

    def warm_up(self) -> None:
        """Let every process do a little of what it is there for, as it has in an installation that runs.

        Raises: StepError when a worker does not start.
        """
        if "default" in self._processes:
            self.send("reminders.tick", queue="default")
        for queue in self._processes:
            if queue.startswith(_SENDING):
                for _ in range(_WARMING_TASKS):
                    self.send("reminders.send_due", queue=queue, args=["sms"])
        self.wait_idle()

    def wait_idle(self) -> None:
        """Wait until every task has been worked.

        Raises: StepError when a worker has ended, or does not get there.
        """
        deadline = time.monotonic() + _START_SECONDS
        with redis.Redis.from_url(self._broker) as client:
            while any(client.llen(name) for name in self._names()) or client.hlen("unacked"):
                self.check()
                if time.monotonic() > deadline:
                    raise StepError(f"The workers do not take their tasks: {self._words()}")
                time.sleep(0.1)

    def check(self) -> None:
        """Raise StepError when a worker has ended by itself."""
        for name, process in self._processes.items():
            if process.poll() is not None:
                raise StepError(f"The worker of the queue {name} has ended: {self._words()}")

    def look(self) -> None:
        """Note how much memory each process of the senders' workers has had at most."""
        for pid in self._senders():
            self.peaks[pid] = max(self.peaks.get(pid, 0), peak_kb(pid))

    def _senders(self) -> Iterator[int]:
        for queue, process in self._processes.items():
            if queue.startswith(_SENDING):
                yield from (process.pid, *_children(process.pid))

    def _words(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")[-2000:]

    def _names(self) -> Iterator[str]:
        for names in self._processes:
            yield from names.split(",")


@contextmanager
def run_workers(
    commands: Mapping[str, list[str]], environment: Mapping[str, str], *, log: Path
) -> Iterator[Workers]:
    """Run workers by their command lines; they are killed at the end, whatever they do, and their queues emptied."""
    processes: dict[str, subprocess.Popen[bytes]] = {}
    try:
        with log.open("ab") as output:
            for name, command in commands.items():
                processes[name] = _start(command, environment, output)
        yield Workers(processes, environment["REDIS_URL"], log=log)
    finally:
        for process in processes.values():
            # A group of its own: the children of the pool go with it, also in the middle of a slow call.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        _forget_queues(environment["REDIS_URL"], commands)


def _start(command: Sequence[str], environment: Mapping[str, str], output: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
        preexec_fn=die_with_parent,
    )


def _forget_queues(broker: str, commands: Mapping[str, list[str]]) -> None:
    names = [name for names in commands for name in names.split(",")]
    with redis.Redis.from_url(broker) as client:
        for kind in ("binding", "binding_permanent"):
            client.delete(*(f"_kombu.{kind}.{name}" for name in names))
        client.delete(*names, *_QUEUE_KEYS)


def _children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def peak_kb(pid: int) -> int:
    """Return the most that a process has had in memory so far; 0 when it is gone or the system does not say."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)
