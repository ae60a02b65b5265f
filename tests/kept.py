"""The migrated SQLite database, kept as a file from one run of tests to the next.

To migrate an empty one takes three seconds of each process that tests: Django renders all models again after every
step. The file is named for all that a migration is made of; Django still migrates what it lacks.
"""

import hashlib
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from django.db import connection

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".tools" / "cache" / "migrated"
# What migrations call, apart from the libraries in the lock.
HELPERS = ("clinics/postgres.py",)


def kept_file() -> Path:
    """Return where the database is, or would be, that the present migrations make."""
    digest = hashlib.sha256(sqlite3.sqlite_version.encode())
    files = sorted(ROOT.glob("*/migrations/*.py"))
    for path in (*files, *(ROOT / name for name in HELPERS), ROOT / "uv.lock"):
        digest.update(f"{path.relative_to(ROOT)}\n".encode() + path.read_bytes())
    return FOLDER / f"{digest.hexdigest()[:20]}.sqlite3"


class KeptDatabase:
    """The file, and how the database of the tests begins as its copy."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.create = connection.creation._create_test_db
        self.held: list[sqlite3.Connection] = []

    def begin(self) -> None:
        """Let the database that is created next be filled, if there is something to fill it with."""
        if connection.vendor == "sqlite" and self.file.exists():
            connection.creation._create_test_db = self._create_filled

    def settle(self) -> None:
        """Leave the created database to Django, and keep it for the next time if none was kept."""
        connection.creation._create_test_db = self.create
        connection.ensure_connection()
        for one in self.held:
            one.close()
        if connection.vendor == "sqlite" and not self.file.exists():
            self._keep()

    def _create_filled(self, *args: Any, **options: Any) -> str:
        name: str = self.create(*args, **options)
        # A database in memory lives as long as somebody is connected to it.
        self.held.append(sqlite3.connect(name, uri=name.startswith("file:")))
        with closing(sqlite3.connect(self.file)) as kept:
            kept.backup(self.held[0])
        return name

    def _keep(self) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        for old in self.file.parent.glob("*.sqlite3"):
            old.unlink(missing_ok=True)
        # Processes that test beside each other may come here at once: each puts a whole file in the place.
        own = self.file.with_suffix(f".{os.getpid()}")
        with closing(sqlite3.connect(own)) as copy:
            connection.connection.backup(copy)
        own.replace(self.file)
