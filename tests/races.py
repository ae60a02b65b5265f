"""Threads that meet on one database: how many win, and what the others are told."""

import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from django.db import connection, connections

from courses.errors import CourseError


@contextmanager
def shared_database(folder: Path) -> Iterator[None]:
    """Let threads meet on one database: on SQLite a file, as every connection in memory is its own."""
    if connection.vendor != "sqlite":
        yield
        return
    assert connection.settings_dict["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    path = folder / "shared.sqlite3"
    connection.ensure_connection()
    with sqlite3.connect(path) as file:
        connection.connection.backup(file)
    file.close()
    kept, memory = connection.settings_dict["NAME"], connection.connection
    connections.settings["default"]["NAME"] = connection.settings_dict["NAME"] = str(path)
    connection.connection = None
    try:
        yield
    finally:
        connection.close()
        connection.connection = memory
        connections.settings["default"]["NAME"] = connection.settings_dict["NAME"] = kept


def race(works: Sequence[Callable[[], object]]) -> Counter[str]:
    """Run the works at the same moment, each on a connection of its own; return how each of them ended."""
    start, found, lock = threading.Barrier(len(works)), [], threading.Lock()

    def run(work: Callable[[], object]) -> None:
        try:
            start.wait(timeout=30)
            work()
            outcome = "won"
        except CourseError as error:
            outcome = error.code
        except Exception as error:
            outcome = repr(error)
        finally:
            connections["default"].close()
        with lock:
            found.append(outcome)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    return Counter(found)
