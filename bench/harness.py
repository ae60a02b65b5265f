"""What every bench has in common: sizes, timing, figures against goals, the table and `var/bench.json`.

Times are of two kinds. What runs in one process is measured in processor time, which other programs on the machine
hardly change; what waits for a server or for other processes is measured by the clock, its two sides taken in turns
so that both meet the same load.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, Literal

Size = Literal["small", "default", "full"]
SIZES: tuple[Size, ...] = ("small", "default", "full")

_COLUMNS = ("name", "work", "figure", "baseline", "ratio", "goal", "met")


@dataclass(frozen=True, slots=True)
class Goal:
    """The least or the most that is wanted, of the ratio to the baseline or of the figure itself."""

    limit: float
    side: Literal["least", "most"]
    of: Literal["ratio", "figure"] = "ratio"

    def is_met(self, value: float) -> bool:
        """Tell whether a value is good enough; the limit itself is."""
        return value >= self.limit if self.side == "least" else value <= self.limit


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure. Units: `figure` and `baseline` are both in `unit`."""

    name: str
    work: str
    figure: float
    unit: str
    goal: Goal
    baseline: float | None = None
    # What the baseline is, and whatever a reader must know to judge the figure.
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """The figure by its baseline, None without one.

        Raises: ValueError for a baseline of nothing, against which nothing can be measured.
        """
        if self.baseline is None:
            return None
        if not self.baseline:
            raise ValueError(f"the baseline of {self.name} is nothing")
        return self.figure / self.baseline

    @property
    def is_met(self) -> bool:
        """Whether the goal is met.

        Raises: ValueError for a goal of a ratio that there is not.
        """
        value = self.figure if self.goal.of == "figure" else self.ratio
        if value is None:
            raise ValueError(f"{self.name} has a goal for its ratio but no baseline")
        return self.goal.is_met(value)


Measure = Callable[[Size], Iterable[Figure]]


# ---------------------------------------------------------------- timing


def processor_seconds(work: Callable[[], object]) -> float:
    """Run the work once and return the seconds of processor time that this process took, in all its threads."""
    start = time.process_time()
    work()
    return time.process_time() - start


def clock_seconds(work: Callable[[], object]) -> float:
    """Run the work once and return the seconds that passed."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def median_of(runs: int, once: Callable[[int], float]) -> float:
    """Return the median of several runs; each is given its number, from 0."""
    return median(once(number) for number in range(runs))


def medians_in_turns(runs: int, sides: Sequence[Callable[[int], float]]) -> list[float]:
    """Return the median of each side, all sides being run in every round so that they meet the same load.

    Every other round goes backwards: whatever the first leaves behind for the second is shared by all.
    """
    measured: list[list[float]] = [[] for _ in sides]
    for number in range(runs):
        order = list(enumerate(sides))
        for index, once in order if number % 2 == 0 else reversed(order):
            measured[index].append(once(number))
    return [median(values) for values in measured]


def load() -> tuple[float, ...]:
    """Return the machine's mean number of busy processes over 1, 5 and 15 minutes; nothing where it has none."""
    return tuple(round(value, 2) for value in os.getloadavg()) if hasattr(os, "getloadavg") else ()


# ---------------------------------------------------------------- results


def table(figures: Iterable[Figure]) -> str:
    """Return the figures as aligned columns, each note on a line of its own below its figure."""
    rows = [(_cells(figure), figure.note) for figure in figures]
    widths = [
        max(len(name), *(len(cells[number]) for cells, _ in rows)) if rows else len(name)
        for number, name in enumerate(_COLUMNS)
    ]
    lines = [_line(_COLUMNS, widths), _line(["-" * width for width in widths], widths)]
    for cells, note in rows:
        lines.append(_line(cells, widths))
        if note:
            lines.append(" " * (widths[0] + 2) + note)
    return "\n".join(lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _cells(figure: Figure) -> tuple[str, ...]:
    goal = figure.goal
    limit = number_text(goal.limit) + (f" {figure.unit}" if goal.of == "figure" else "")
    return (
        figure.name,
        figure.work,
        f"{number_text(figure.figure)} {figure.unit}",
        "-" if figure.baseline is None else f"{number_text(figure.baseline)} {figure.unit}",
        "-" if figure.ratio is None else number_text(figure.ratio),
        f"at {goal.side} {limit}",
        "yes" if figure.is_met else "NO",
    )


def number_text(value: float) -> str:
    """Return a number with three significant digits, or with thousands set apart once it is large."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    text = f"{value:#.3g}".rstrip(".")
    return text.rstrip("0").rstrip(".") if "." in text else text


def write_results(
    file: Path,
    figures: Iterable[Figure],
    *,
    size: Size,
    started_at: datetime,
    load_before: Sequence[float],
    failures: Sequence[str] = (),
) -> None:
    """Write what was measured, and on what kind of machine, as JSON."""
    file.parent.mkdir(parents=True, exist_ok=True)
    result: dict[str, Any] = {
        "started_at": started_at.isoformat(timespec="seconds"),
        "ended_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "size": size,
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "load_before": list(load_before),
        "load_after": list(load()),
        "failed": list(failures),
        "figures": [asdict(figure) | {"ratio": figure.ratio, "met": figure.is_met} for figure in figures],
    }
    file.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
