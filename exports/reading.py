"""The rows of a table as they go into a file: in the clinic's time, in chunks, and anonymised if that is wanted."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import F, Func, QuerySet, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast

from clinics.models import Clinic
from courses.services.library import read_library
from exports.columns import Column, Kind, Privacy, Table
from exports.core.choice import Choice
from exports.core.pseudonyms import pseudonym
from exports.secrets import pseudonym_key
from reports.cells import Cell

CHUNK: Final = 2000
Change = Callable[[Any], Cell]


class Reading:
    """One table as somebody chose it, ready to be read; the same rows give the same cells on every database."""

    def __init__(self, clinic: Clinic, table: Table, choice: Choice, *, today: date, now: datetime) -> None:
        self.clinic = clinic
        self.table = table
        self.columns = table.chosen_columns(choice)
        self.found: QuerySet[Any] = table.find(clinic, choice, today).select_related(None)
        self.now = now
        self.is_anonymous = choice.is_anonymous
        self._today = today
        self._zone = ZoneInfo(clinic.time_zone)
        key = pseudonym_key(clinic, now=now) if choice.is_anonymous else b""
        self._hide = {column.name: _hiding(column, key) for column in self.columns} if key else {}

    def count(self) -> int:
        return int(self.found.count())

    def rows(self, found: QuerySet[Any] | None = None) -> Iterator[tuple[Cell, ...]]:
        """Yield the rows as values, instants in the clinic's zone.

        Cost: one query, and those of the table's lookup for each 2,000 rows; memory does not grow with their number.
        """
        direct = [column for column in self.columns if column.source]
        changes = [
            (place, change) for place, column in enumerate(direct, 1) if (change := self._change(column))
        ]
        wanted = (self.found if found is None else found).prefetch_related(None)
        read = wanted.values_list("pk", *(column.source for column in direct)).iterator(chunk_size=CHUNK)
        while chunk := [list(row) for row in islice(read, CHUNK)]:
            for row in chunk:
                for place, change in changes:
                    if row[place] is not None:
                        row[place] = change(row[place])
            yield from self._complete(chunk, direct)

    def _complete(self, chunk: list[list[Any]], direct: Sequence[Column]) -> Iterator[tuple[Cell, ...]]:
        """Yield rows without their key, what is looked up for many at once put in its place."""
        if len(direct) == len(self.columns) or self.table.lookup is None:
            yield from (tuple(row[1:]) for row in chunk)
            return
        places = {column.name: place for place, column in enumerate(direct, 1)}
        looked_up = self.table.lookup([row[0] for row in chunk], self.clinic, self._today)
        for row in chunk:
            more = looked_up.get(row[0], {})
            yield tuple(
                row[places[column.name]] if column.name in places else more.get(column.name)
                for column in self.columns
            )

    def _change(self, column: Column) -> Change | None:
        if self._hide.get(column.name):
            return self._hide[column.name]
        if column.kind == Kind.MOMENT:
            return self._local
        return str if column.kind == Kind.CODE else None

    def _local(self, at: datetime) -> datetime:
        return at.astimezone(self._zone)

    # ------------------------------------------------------------ straight from PostgreSQL

    @property
    def is_text_ready(self) -> bool:
        """Whether the database can hand over the cells of a text table as they are written."""
        return connection.vendor == "postgresql" and all(
            column.source and column.kind in _AS_TEXT for column in self.columns
        )

    def text_rows(self, found: QuerySet[Any] | None = None) -> Iterator[list[tuple[Any, ...]]]:
        """Yield blocks of rows in which every cell is text already: those of rows(), in a fraction of the time.

        The server streams them, and goes on while a block is looked at here.
        """
        wanted = (self.found if found is None else found).prefetch_related(None)
        named = {f"cell_{place}": self._as_text(column) for place, column in enumerate(self.columns)}
        statement, values = wanted.annotate(**named).values_list(*named).query.sql_with_params()
        hidden = [
            (place, change)
            for place, column in enumerate(self.columns)
            if (change := self._hide.get(column.name)) is not None
        ]
        with (
            connection.cursor() as cursor,
            cursor.cursor.copy(f"COPY ({statement}) TO STDOUT", values) as copy,
        ):
            read = copy.rows()
            while block := list(islice(read, CHUNK)):
                yield _hidden(block, hidden) if hidden else block

    def _as_text(self, column: Column) -> Combinable:
        found = F(column.source)
        if column.kind == Kind.CODE:
            return Cast(found, TextField())
        if column.kind == Kind.DAY:
            return _to_char(found, "YYYY-MM-DD")
        if column.kind == Kind.MOMENT:
            wall = Func(Value(self._zone.key), found, function="timezone", output_field=TextField())
            return _to_char(wall, "YYYY-MM-DD HH24:MI")
        return found


# Rates are written in more ways than one.
_AS_TEXT: Final = frozenset((Kind.TEXT, Kind.WORD, Kind.CODE, Kind.NUMBER, Kind.DAY, Kind.MOMENT))


def _to_char(what: Combinable, pattern: str) -> Func:
    return Func(what, Value(pattern), function="to_char", output_field=TextField())


def _hidden(block: list[tuple[Any, ...]], hidden: list[tuple[int, Change]]) -> list[tuple[Any, ...]]:
    changed = []
    for row in block:
        cells = list(row)
        for place, change in hidden:
            if cells[place] is not None:
                cells[place] = change(cells[place])
        changed.append(tuple(cells))
    return changed


def _hiding(column: Column, key: bytes) -> Change | None:
    """Return what an anonymised file makes of a column's values, or None where they stay."""
    subject = column.subject
    if column.privacy == Privacy.PSEUDONYM:
        return lambda code: pseudonym(key, subject, str(code))
    if column.privacy == Privacy.PROTOCOL:
        shipped = frozenset(read_library())
        # A protocol that came along is public; the word of another was made up in the house.
        return lambda slug: slug if slug in shipped else f"own-{pseudonym(key, subject, slug)}"
    return None
