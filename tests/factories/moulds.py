"""Worlds that many tests begin with: made once a process by the services, then written row by row.

To prescribe a course and book it asks the database a hundred times. What came of it is kept, every row and the
objects that the test works with; a test that begins with that world is given copies of both.
"""

import copy
from collections.abc import Callable, Iterator
from datetime import datetime, time
from typing import Any, ClassVar

import time_machine
from django.apps import apps
from django.db import connection, models, transaction

# Whatever refers to another stands behind it.
_APPS = ("audit", "clinics", "clients", "courses", "reminders")
_FAR_AHEAD = 1_000_000


class Mould:
    """One world, made by `make` at `now`.

    Its keys are always those of the first time. On PostgreSQL no sequence gives them out again; on SQLite, which
    takes back what a test has counted, the first time counts from far ahead.
    """

    known: ClassVar[list["Mould"]] = []

    def __init__(self, make: Callable[[], Any], *, now: datetime) -> None:
        self.make, self.now = make, now
        self.made: Any = None
        self.statements: list[tuple[str, list[Any]]] = []
        self.marker: Any = None
        self.known.append(self)

    def fill(self) -> None:
        """Make the world, keep what it consists of, and take it back."""
        with transaction.atomic(), time_machine.travel(self.now, tick=False):
            if connection.vendor == "sqlite":
                _count_from(_FAR_AHEAD)
            before = {model: _last_key(model) for model in _models()}
            self.made = self.make()
            for model, key in before.items():
                if rows := _rows_after(model, key):
                    self.statements.append(_insertion(model, rows))
                    if self.marker is None:
                        # What was audited first: it stays when a test takes all the rest away.
                        self.marker = model._base_manager.filter(pk=rows[0][0])
            transaction.set_rollback(True)

    def cast(self) -> Any:
        """Write the rows and return copies of the objects; a second world of the kind is made anew.

        Cost: one query, and one a table.
        """
        if self.made is None or self.marker.exists():
            return self.make()
        with connection.cursor() as cursor:
            for statement, values in self.statements:
                cursor.execute(statement, values)
        return copy.deepcopy(self.made)


def fill_moulds() -> None:
    """Fill the moulds of all modules that are loaded."""
    for mould in Mould.known:
        mould.fill()


def _models() -> Iterator[type[models.Model]]:
    for label in _APPS:
        yield from apps.get_app_config(label).get_models(include_auto_created=True)


def _last_key(model: type[models.Model]) -> int:
    return model._base_manager.aggregate(last=models.Max("pk"))["last"] or 0


def _columns(model: type[models.Model]) -> tuple[str, str]:
    """Return the table's name and those of its columns, the key first, as SQL."""
    quote = connection.ops.quote_name
    others = [field for field in model._meta.concrete_fields if not field.primary_key]
    fields = [model._meta.pk, *others]
    return quote(model._meta.db_table), ", ".join(quote(field.column) for field in fields)


def _rows_after(model: type[models.Model], key: int) -> list[tuple[Any, ...]]:
    table, names = _columns(model)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {names} FROM {table} ORDER BY 1")  # noqa: S608  # names of ours
        return [row for row in cursor.fetchall() if row[0] > key]


def _insertion(model: type[models.Model], rows: list[tuple[Any, ...]]) -> tuple[str, list[Any]]:
    table, names = _columns(model)
    place = f"({', '.join(['%s'] * len(rows[0]))})"
    statement = f"INSERT INTO {table} ({names}) VALUES {', '.join([place] * len(rows))}"  # noqa: S608  # names of ours
    # The driver of SQLite gives times of day and takes none.
    return statement, [str(value) if isinstance(value, time) else value for row in rows for value in row]


def _count_from(number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM sqlite_sequence")
        cursor.execute(
            "INSERT INTO sqlite_sequence SELECT name, %s FROM sqlite_master WHERE type = 'table'", [number]
        )
