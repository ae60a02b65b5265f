"""A chart of a report on paper: pure geometry in points, without colours; on the screen a script draws the same."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from reports.tables import ChartKind, Tone

Anchor = Literal["start", "middle", "end"]
Point = tuple[float, float]

# As wide as a page of A4 between its margins.
WIDTH: Final = 510.0
# A letter of 8 pt, on average; Cyrillic ones are wider.
_LETTER: Final = 4.3
_WIDE_LETTER: Final = 5.2
_AXIS: Final = 14.0  # below or above the plot, for numbers
_LEGEND: Final = 16.0
_LEGEND_LINE: Final = 11.0
_UPRIGHT: Final = 120.0
_ABOVE: Final = 5.0  # for half of the topmost number
_NUMBERS: Final = 34.0  # beside an upright plot
_ROW: Final = 15.0
_LONGEST_NAME: Final = 200.0
_THICKEST: Final = 34.0
_FULL: Final = 0.72  # of a row or column, the rest is air
_TICKS: Final = 4


@dataclass(frozen=True, slots=True)
class Series:
    """One column of the table: its title, its tone, and a number for each row, None where there is none."""

    name: str
    tone: Tone
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    tone: Tone


@dataclass(frozen=True, slots=True)
class Curve:
    """Steps along the points; a series has several where a number is missing in between. A dot marks each number."""

    points: Sequence[Point]
    dots: Sequence[Point]
    tone: Tone


@dataclass(frozen=True, slots=True)
class Rule:
    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True, slots=True)
class Text:
    x: float
    y: float
    text: str
    anchor: Anchor = "start"


@dataclass(slots=True)
class Drawing:
    """The shapes of one chart, in the order in which they are drawn; `height` and `width` are in points."""

    height: float
    width: float = WIDTH
    rules: list[Rule] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)


def draw(
    kind: ChartKind, names: Sequence[str], series: Sequence[Series], *, words: Callable[[float], str]
) -> Drawing:
    """Return the chart of some rows; `words` says a number of the axis. Nothing below zero is drawn."""
    stacked = kind in ("stack", "rows")
    largest = _largest(series, is_stacked=stacked)
    marks = [0.0, 25.0, 50.0, 75.0, 100.0] if kind == "steps" else axis_marks(largest)
    if kind == "rows":
        drawing = _draw_lying(names, series, marks, words)
    else:
        drawing = _draw_upright(kind, names, series, marks, words)
    if len(series) > 1:
        _add_legend(drawing, series)
    return drawing


def axis_marks(largest: float) -> list[float]:
    """Return the numbers of an axis from zero to what holds the largest: whole steps of 1, 2 or 5 times a power of ten."""
    rough = max(largest, 1.0) / _TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = max(1.0, next(power * digit for digit in (1, 2, 5, 10) if power * digit >= rough))
    return [step * number for number in range(math.ceil(max(largest, 1.0) / step) + 1)]


def width_of(text: str) -> float:
    """Return about how wide a text is in print."""
    return sum(_WIDE_LETTER if "\u0400" <= letter <= "\u04ff" else _LETTER for letter in text)


def _largest(series: Sequence[Series], *, is_stacked: bool) -> float:
    rows = zip(*(one.values for one in series), strict=True)
    fold = sum if is_stacked else max
    return max((fold(max(0.0, value or 0.0) for value in row) for row in rows), default=0.0)


# ---------------------------------------------------------------- names that are long lie beside their bars


def _draw_lying(
    names: Sequence[str], series: Sequence[Series], marks: Sequence[float], words: Callable[[float], str]
) -> Drawing:
    shown = [_shortened(name) for name in names]
    left = max(map(width_of, shown), default=0.0) + 8
    # Half of the last number stands beyond its rule.
    scale = (WIDTH - left - _NUMBERS / 2) / marks[-1]
    bottom = _ROW * len(names)
    drawing = Drawing(bottom + _AXIS)
    for mark in marks:
        x = left + mark * scale
        drawing.rules.append(Rule(x, 0, x, bottom))
        drawing.texts.append(Text(x, bottom + 10, words(mark), "middle"))
    for row, name in enumerate(shown):
        top, x = _ROW * row, left
        drawing.texts.append(Text(left - 6, top + _ROW / 2 + 3, name, "end"))
        for one in series:
            width = max(0.0, one.values[row] or 0.0) * scale
            if width:
                drawing.bars.append(Bar(x, top + _ROW * (1 - _FULL) / 2, width, _ROW * _FULL, one.tone))
            x += width
    return drawing


def _shortened(name: str) -> str:
    if width_of(name) <= _LONGEST_NAME:
        return name
    while width_of(name) + _LETTER > _LONGEST_NAME:
        name = name[:-1]
    return name.rstrip() + "…"


# ---------------------------------------------------------------- months, weeks and hours stand in a row


def _draw_upright(
    kind: ChartKind,
    names: Sequence[str],
    series: Sequence[Series],
    marks: Sequence[float],
    words: Callable[[float], str],
) -> Drawing:
    bottom = _ABOVE + _UPRIGHT
    scale = _UPRIGHT / marks[-1]
    drawing = Drawing(bottom + _AXIS)
    for mark in marks:
        y = bottom - mark * scale
        drawing.rules.append(Rule(_NUMBERS, y, WIDTH, y))
        drawing.texts.append(Text(_NUMBERS - 6, y + 3, words(mark), "end"))
    column = (WIDTH - _NUMBERS) / max(1, len(names))
    centres = [_NUMBERS + column * (number + 0.5) for number in range(len(names))]
    _add_names(drawing, names, centres, column, y=bottom + 11)
    for number, one in enumerate(series):
        if kind == "steps":
            drawing.curves += _curves(one, centres, lambda value: bottom - value * scale)
        else:
            drawing.bars += _columns(kind, series, number, centres, column, bottom, scale)
    return drawing


def _add_names(
    drawing: Drawing, names: Sequence[str], centres: Sequence[float], column: float, *, y: float
) -> None:
    longest = max(map(width_of, names), default=0.0) + 6
    every = max(1, math.ceil(longest / column))
    for name, centre in list(zip(names, centres, strict=True))[::every]:
        # The first and the last may not stand out of the page.
        half = width_of(name) / 2
        drawing.texts.append(Text(min(max(centre, half), WIDTH - half), y, name, "middle"))


def _columns(
    kind: ChartKind,
    series: Sequence[Series],
    number: int,
    centres: Sequence[float],
    column: float,
    bottom: float,
    scale: float,
) -> list[Bar]:
    """Return the bars of one series: on those before it, or beside them."""
    share = 1 if kind == "stack" else len(series)
    width = min(column * _FULL, _THICKEST * share) / share
    bars = []
    for row, centre in enumerate(centres):
        height = max(0.0, series[number].values[row] or 0.0) * scale
        if not height:
            continue
        if kind == "stack":
            below = sum(max(0.0, one.values[row] or 0.0) for one in series[:number]) * scale
            x = centre - width / 2
        else:
            below, x = 0.0, centre + width * (number - share / 2)
        bars.append(Bar(x, bottom - below - height, width, height, series[number].tone))
    return bars


def _curves(one: Series, centres: Sequence[float], height: Callable[[float], float]) -> list[Curve]:
    """Return a series as steps: each number holds up to the next row."""
    curves: list[Curve] = []
    points: list[Point] = []
    dots: list[Point] = []
    for centre, value in zip(centres, one.values, strict=True):
        if value is None:
            points, dots = [], []
            continue
        if points:
            points.append((centre, points[-1][1]))
        else:
            curves.append(Curve(points, dots, one.tone))
        dots.append((centre, height(max(0.0, value))))
        points.append(dots[-1])
    return curves


def _add_legend(drawing: Drawing, series: Sequence[Series]) -> None:
    x, y = 0.0, drawing.height + _LEGEND - 10
    for one in series:
        if x and x + 11 + width_of(one.name) > WIDTH:
            x, y = 0.0, y + _LEGEND_LINE
        drawing.bars.append(Bar(x, y, 7, 7, one.tone))
        drawing.texts.append(Text(x + 11, y + 6.5, one.name))
        x += 11 + width_of(one.name) + 16
    drawing.height = y + 10
