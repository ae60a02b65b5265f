"""What a report is made of: figures with what they mean, and tables; a page, a file and a print show the same."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from reports.cells import Cell

# How a value is said on a page; a file holds the bare one: a share as 0 to 1, minutes and days as numbers.
Kind = Literal["text", "count", "share", "points", "days", "minutes", "month", "date", "hour", "weekday"]
Tone = Literal["good", "warning", "serious", "notice", "accent", "quiet"]
ChartKind = Literal["bars", "stack", "rows", "steps"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `means` says what is counted in it where its title does not."""

    title: str
    kind: Kind = "count"
    means: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """How a table is drawn beside it: `series` are columns by number, each in a tone; `label` names the rows.

    Rows lie down, for names that are long; bars stand side by side, stacks on each other.
    """

    kind: ChartKind
    title: str
    series: tuple[tuple[int, Tone], ...]
    label: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells in the order of the columns; the first column names the row. `name` is that of its file."""

    name: str
    title: str
    explains: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    chart: Chart | None = None
    is_heat: bool = False
    # What is said in place of a table without rows.
    empty: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """One number on top: what it is in this period and was in the one before, of what, and how it is counted."""

    name: str
    kind: Kind
    value: float | int | None
    of: str
    means: str
    before: float | int | None = None
    has_before: bool = True


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report. `notes` are what one has to know to read it rightly; `is_empty`: nothing was counted."""

    figures: tuple[Figure, ...]
    tables: tuple[Table, ...]
    notes: tuple[str, ...] = ()
    is_empty: bool = False

    def table(self, name: str) -> Table | None:
        """Return the table of a name, None when there is none."""
        return next((table for table in self.tables if table.name == name), None)


class TableExporter:
    """One table of a report as the rows of a file."""

    def __init__(self, table: Table) -> None:
        self.name = table.name
        self._table = table

    def head(self) -> Sequence[str]:
        return tuple(column.title for column in self._table.columns)

    def rows(self) -> Iterator[Sequence[Cell]]:
        yield from self._table.rows
