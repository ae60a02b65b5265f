"""Backups that can be trusted: a whole copy with a list of what is in it, compared when it is restored.

The list lies beside the copy, as FILE.json: the copy's own checksum, and for each table its rows and a sum
over what they hold. It names no one.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from django.core.management import call_command
from django.db import connection, transaction

from reminders.services.fence import RESTORED, hold

_CHUNK: Final = 1 << 20
# Where one of these has a row, there is something to lose.
_TELLING_TABLES: Final = frozenset(
    {"audit_auditevent", "clinics_clinic", "clinics_user", "reminders_reminder"}
)
# Empty before the dump is read, in the same transaction: tables made since the backup are gone too.
_EMPTY: Final = "DROP SCHEMA public CASCADE; CREATE SCHEMA public;"


class BackupError(Exception):
    """A backup or restore that cannot be done, in words for whoever runs it."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a backup holds: its own SHA-256, and for each table the number of rows and a sum over them."""

    made_at: str
    engine: str
    sha256: str
    tables: dict[str, tuple[int, str]]


def make_backup(file: Path, *, now: datetime) -> Contents:
    """Write a copy of the database as it is at one moment, with its list beside it; only the owner may read both.

    Raises: BackupError when the file exists or a program is missing. Cost: reads the whole database twice.
    """
    if file.exists():
        raise BackupError(f"{file} exists already; name another file.")
    file.parent.mkdir(parents=True, exist_ok=True)
    with _private_draft(file) as draft:
        tables = _dump_sqlite(draft) if connection.vendor == "sqlite" else _dump_postgres(draft)
        contents = Contents(now.isoformat(timespec="seconds"), connection.vendor, _sha256(draft), tables)
        with _private_draft(_side(file)) as side:
            side.write_text(json.dumps(asdict(contents), indent=1), encoding="utf-8")
            os.replace(side, _side(file))
        os.replace(draft, file)
    return contents


def read_contents(file: Path) -> Contents:
    """Return what a backup says it holds, once its checksum was found right.

    Raises: BackupError when copy or list is missing, unreadable, or the copy is not what the list was made of.
    """
    try:
        data = json.loads(_side(file).read_text(encoding="utf-8"))
        tables = {str(name): (int(rows), str(total)) for name, (rows, total) in data["tables"].items()}
        contents = Contents(str(data["made_at"]), str(data["engine"]), str(data["sha256"]), tables)
        found = _sha256(file)
    except OSError as error:
        raise BackupError(f"{error.filename} cannot be read: {error.strerror}.") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BackupError(f"{_side(file)} is not the list of a backup.") from error
    if found != contents.sha256:
        raise BackupError(f"{file} is damaged: its checksum is not the one in {_side(file).name}.")
    return contents


def restore_backup(file: Path, *, is_forced: bool, now: datetime) -> Contents:
    """Put a backup in the place of the database, compare the two, hold the outbox, and bring the tables up to date.

    All or nothing on PostgreSQL. Nothing may be at work on the database meanwhile.
    Raises: BackupError for a backup of another kind of database, a damaged one, one that came out different, and,
    unless forced, for a database that has rows.
    """
    contents = read_contents(file)
    if contents.engine != connection.vendor:
        raise BackupError(f"This is a backup of {contents.engine}; the database is {connection.vendor}.")
    if not is_forced and _has_rows():
        raise BackupError("The database is not empty; with --force the backup takes its place.")
    if connection.vendor == "sqlite":
        _load_sqlite(file)
    else:
        _load_postgres(file)
    different = sorted(name for name, found in _read_tables().items() if contents.tables.get(name) != found)
    different += sorted(set(contents.tables) - set(_table_names()))
    if different:
        raise BackupError(f"The restored database differs from the backup in: {', '.join(different)}.")
    # After the comparison, since both write. Until then the fence holds by itself: the database is an old one.
    call_command("migrate", interactive=False, verbosity=0)
    hold(reason=RESTORED, now=now)
    return contents


# ---------------------------------------------------------------- SQLite


def _dump_sqlite(target: Path) -> dict[str, tuple[int, str]]:
    connection.ensure_connection()
    # Through the backup API: a copy of the live file would be torn, and lack what is in its journal.
    with closing(sqlite3.connect(target)) as copy:
        connection.connection.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
        return _read_sqlite(copy)


def _read_sqlite(raw: sqlite3.Connection) -> dict[str, tuple[int, str]]:
    tables = raw.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    names = sorted(name for (name,) in tables)
    return {name: _sum_rows(raw.execute(f'SELECT * FROM "{name}"')) for name in names}  # noqa: S608  # tables


def _load_sqlite(file: Path) -> None:
    connection.ensure_connection()
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as copy:
        if copy.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            raise BackupError(f"{file} is damaged.")
        copy.backup(connection.connection)
    # Another database lies under this connection now.
    connection.close()


def _sum_rows(rows: Any) -> tuple[int, str]:
    """Return the number of rows and a sum over them that no order changes."""
    number = total = 0
    for row in rows:
        number += 1
        total += int.from_bytes(hashlib.blake2b(repr(tuple(row)).encode(), digest_size=8).digest(), "big")
    return number, str(total)


# ---------------------------------------------------------------- PostgreSQL


def _dump_postgres(target: Path) -> dict[str, tuple[int, str]]:
    program = _program("pg_dump")
    with transaction.atomic(), connection.cursor() as cursor:
        # List and dump see the same moment.
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        snapshot = cursor.fetchone()[0]
        _run([program, "--format=custom", "--schema=public", f"--snapshot={snapshot}", f"--file={target}"])
        return _read_tables()


def _load_postgres(file: Path) -> None:
    restore, psql = _program("pg_restore"), _program("psql")
    with tempfile.TemporaryDirectory(prefix="regimen-restore-") as folder:
        script = Path(folder) / "restore.sql"
        _run([restore, "--no-owner", "--no-privileges", "--schema=public", f"--file={script}", str(file)])
        connection.close()
        command = [psql, "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"]
        _run([*command, "--output=/dev/null", f"--command={_EMPTY}", f"--file={script}"])


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise BackupError(
            f"{name} was not found on the PATH. It comes with PostgreSQL's client programs, of the server's version "
            "or a newer one; docs/deploy.md says how to do without."
        )
    return found


def _run(command: list[str]) -> None:
    done = subprocess.run(command, env=_environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise BackupError(f"{Path(command[0]).name} failed: {done.stderr.strip()[:2000]}")


def _environment() -> dict[str, str]:
    """Return the environment in which PostgreSQL's programs find the database; no password on a command line."""
    database = connection.settings_dict
    names = {
        "PGHOST": database["HOST"],
        "PGPORT": database["PORT"],
        "PGUSER": database["USER"],
        "PGPASSWORD": database["PASSWORD"],
        "PGDATABASE": database["NAME"],
        "PGSSLMODE": database["OPTIONS"].get("sslmode", ""),
        # Of a failure, what went wrong must not be lost behind what else was done.
        "PGOPTIONS": "-c client_min_messages=warning",
        "PGSSLROOTCERT": database["OPTIONS"].get("sslrootcert", ""),
    }
    return {**os.environ, **{name: str(value) for name, value in names.items() if value}}


# ---------------------------------------------------------------- what is in a database


def _table_names() -> list[str]:
    return sorted(connection.introspection.table_names())


def _read_tables() -> dict[str, tuple[int, str]]:
    """Return rows and sum of each table. Cost: reads the whole database."""
    if connection.vendor == "sqlite":
        # Through a connection of its own: Django's makes times of texts, which are the copy's rows.
        with closing(sqlite3.connect(f"file:{connection.settings_dict['NAME']}?mode=ro", uri=True)) as raw:
            return _read_sqlite(raw)
    with connection.cursor() as cursor:
        return {name: _read_table(cursor, name) for name in _table_names()}


def _read_table(cursor: Any, name: str) -> tuple[int, str]:
    table = connection.ops.quote_name(name)
    cursor.execute(
        f"SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) FROM {table} AS t"  # noqa: S608  # a table
    )
    rows, total = cursor.fetchone()
    return rows, str(total)


def _has_rows() -> bool:
    """Tell whether there is anything that migrations alone do not make."""
    with connection.cursor() as cursor:
        for name in _TELLING_TABLES.intersection(_table_names()):
            cursor.execute(f"SELECT 1 FROM {connection.ops.quote_name(name)} LIMIT 1")  # noqa: S608  # a table
            if cursor.fetchone() is not None:
                return True
    return False


# ---------------------------------------------------------------- files


def _side(file: Path) -> Path:
    return file.with_name(f"{file.name}.json")


def _sha256(file: Path) -> str:
    total = hashlib.sha256()
    with file.open("rb") as source:
        while chunk := source.read(_CHUNK):
            total.update(chunk)
    return total.hexdigest()


@contextmanager
def _private_draft(file: Path) -> Iterator[Path]:
    """Give a file beside the real one that only its owner may read; what was not moved away is removed."""
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    os.close(handle)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)
