"""A PostgreSQL and a Redis of our own that may be killed, stopped and started again; loopback only, gone afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

import psycopg
import redis
from psycopg import sql

from bin.processes import die_with_parent
from bin.serve import find_free_port
from bin.services import (
    HOST,
    copy_for_everybody,
    find_postgres,
    find_redis,
    own_folder,
    run_as,
    unprivileged_user,
)
from bin.steps import ROOT, StepError

_START_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 15.0
_S = TypeVar("_S", bound="Server")


class Server:
    """One server process that comes back on the same port with whatever it kept."""

    def __init__(self, name: str, command: Sequence[str], *, user: int | None, log: Path) -> None:
        self.name = name
        self._command = list(command)
        self._user = user
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def is_up(self) -> bool:
        """Tell whether it answers."""
        raise NotImplementedError

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises: StepError when it does not.
        """
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                user=self._user,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self.is_up():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise StepError(f"{self.name} did not start: {self._log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.05)

    def send(self, number: signal.Signals) -> None:
        """Send its process a signal, such as SIGSTOP and later SIGCONT."""
        if self._process is not None:
            self._process.send_signal(number)

    def end(self, number: signal.Signals) -> None:
        """Send a signal that ends it, and wait until it has ended."""
        if self._process is None:
            return
        self.send(number)
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


class Postgres(Server):
    """A cluster of its own; a stop "-m immediate" is the crash that PostgreSQL itself offers."""

    def __init__(self, binaries: Path, folder: Path, *, port: int, user: int | None) -> None:
        self.address = f"postgresql://regimen@{HOST}:{port}"
        volatile = [
            word
            for name in ("fsync", "synchronous_commit", "full_page_writes")
            for word in ("-c", f"{name}=off")
        ]
        where = ["-D", str(folder / "data"), "-k", str(folder), "-p", str(port)]
        super().__init__(
            "PostgreSQL",
            [
                *(str(binaries / "postgres"), *where, *volatile),
                *("-c", f"listen_addresses={HOST}"),
            ],
            user=user,
            log=folder / "log",
        )

    def url(self, database: str) -> str:
        """Return the address of a database."""
        return f"{self.address}/{database}"

    def is_up(self) -> bool:
        """Tell whether it accepts connections."""
        try:
            with psycopg.connect(self.url("postgres"), connect_timeout=3):
                return True
        except psycopg.Error:
            return False

    def crash(self) -> None:
        """Stop without a word to anybody: what `pg_ctl stop -m immediate` does."""
        self.end(signal.SIGQUIT)

    def run(self, statement: sql.SQL | sql.Composed) -> list[tuple[object, ...]]:
        """Run one statement outside any transaction and return its rows."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as session:
            cursor = session.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def create(self, name: str, *, template: str = "template1") -> None:
        """Create a database, empty or a copy of another one that nobody is in."""
        self.run(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )

    def drop(self, name: str) -> None:
        """Drop a database, throwing out whoever is in it."""
        self.run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


class Redis(Server):
    """A Redis that keeps nothing when it dies."""

    def __init__(self, program: str, folder: Path, *, port: int) -> None:
        self.url = f"redis://{HOST}:{port}/0"
        options = [
            "--port",
            str(port),
            "--bind",
            HOST,
            "--dir",
            str(folder),
            "--save",
            "",
            "--appendonly",
            "no",
        ]
        super().__init__("Redis", [program, *options], user=None, log=folder / "redis-log")

    def client(self) -> redis.Redis:
        """Return a client that gives up soon."""
        return redis.Redis.from_url(self.url, socket_timeout=3, socket_connect_timeout=3)

    def is_up(self) -> bool:
        """Tell whether it answers."""
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def kill(self) -> None:
        """Kill it; what it held is gone."""
        self.end(signal.SIGKILL)


@contextmanager
def own_postgres() -> Iterator[Postgres]:
    """Run a cluster of our own.

    Raises: StepError when there is no PostgreSQL to run.
    """
    binaries, _ = find_postgres()
    with own_folder() as folder:
        user = unprivileged_user()
        if user and binaries.is_relative_to(ROOT):
            binaries = copy_for_everybody(binaries, folder)
        owner = ["--username", "regimen", "--auth", "trust", "--encoding", "UTF8", "--no-locale", "--no-sync"]
        run_as(user, [binaries / "initdb", "--pgdata", folder / "data", *owner])
        server = Postgres(binaries, folder, port=find_free_port(), user=user)
        if user:
            (folder / "log").touch()
            os.chown(folder / "log", user, -1)
        yield from _run(server, end=lambda: server.end(signal.SIGINT))


@contextmanager
def own_redis() -> Iterator[Redis]:
    """Run a Redis of our own.

    Raises: StepError when there is no Redis to run.
    """
    program, _ = find_redis()
    with own_folder() as folder:
        server = Redis(str(program), folder, port=find_free_port())
        yield from _run(server, end=server.kill)


def _run(server: _S, *, end: Callable[[], None]) -> Iterator[_S]:
    server.start()
    try:
        yield server
    finally:
        # One that was stopped by a signal must run again in order to end.
        server.send(signal.SIGCONT)
        end()
