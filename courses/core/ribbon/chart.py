"""The large ribbon as shapes: facts in, boxes, lines, marks and texts out, all within the view box.

Pixels of the view box, y downwards. A row is, from the top: lanes of labels, the stage (closed days,
pauses, windows and marks about the axis), lanes of labels, the names of the ticks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, NamedTuple, Protocol

from courses.core.ribbon.axis import Axis, Tick, ticks
from courses.core.ribbon.facts import (
    HOLLOW_MARKS,
    EndFlag,
    Mark,
    PhaseSpan,
    RibbonFacts,
    WindowSpan,
)
from courses.core.ribbon.labels import LabelWish, PlacedLabel, place_labels, text_width
from courses.core.types import PauseSpan

BoxKind = Literal["closed", "pause", "window-past", "window-booked", "window-next"]
StrokeKind = Literal["axis", "hatch", "tick", "phase", "restart", "today", "tail-early", "tail-late", "flag"]

PADDING: Final = 12.0
STAGE: Final = 24.0  # half its height
BAND: Final = 12.0  # half the height of the two lanes of windows
RADIUS: Final = 6.0
RAISE: Final = 15.0  # how far a mark moves up or down where another is in its place
LANE: Final = 15.0
LANES: Final = 3
TICK_ROOM: Final = 18.0
ROW_GAP: Final = 12.0
FONT: Final = 11.0
LEAST_STEP: Final = 15.0
LEAST_WINDOW: Final = 10.0
MOST_ROWS: Final = 8
HATCH_STEP: Final = 6.0


class Words(Protocol):
    """What the ribbon says, in the reader's language; where several texts are asked, the shorter follow."""

    def today(self, day: date) -> tuple[str, ...]: ...
    def tick(self, tick: Tick, *, with_year: bool) -> str: ...
    def mark(self, mark: Mark) -> str: ...
    def verdict(self, mark: Mark) -> tuple[str, ...]: ...
    def window(self, window: WindowSpan) -> str: ...
    def next_window(self, window: WindowSpan) -> tuple[str, ...]: ...
    def pause(self, pause: PauseSpan) -> tuple[str, ...]: ...
    def phase(self, span: PhaseSpan) -> tuple[str, ...]: ...
    def restart(self, day: date) -> tuple[str, ...]: ...
    def end(self, flag: EndFlag) -> tuple[str, ...]: ...


class Box(NamedTuple):
    kind: BoxKind
    x: float
    y: float
    width: float
    height: float
    title: str = ""


class Stroke(NamedTuple):
    """A line or outline as the data of an SVG path."""

    kind: StrokeKind
    d: str


class Symbol(NamedTuple):
    """One session's mark with its middle at a point."""

    mark: Mark
    x: float
    y: float
    title: str


class Text(NamedTuple):
    """A text with the middle of its baseline at a point; `width` is about how wide it is."""

    kind: str
    x: float
    y: float
    width: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Shapes in the order in which they are painted."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    strokes: tuple[Stroke, ...]
    symbols: tuple[Symbol, ...]
    texts: tuple[Text, ...]


def draw_chart(facts: RibbonFacts, words: Words, *, width: float) -> Chart:
    """Return the large ribbon of a course, as wide as asked and as high as it needs."""
    axis = Axis(facts, width=width - 2 * PADDING, least_step=LEAST_STEP, most_rows=MOST_ROWS)
    labels = place_labels(_wishes(axis, facts, words), width=axis.width, size=FONT, lanes=LANES)
    rows = _Rows(axis, labels)
    return Chart(
        width=width,
        height=rows.height,
        boxes=tuple(_boxes(axis, facts, words, rows)),
        strokes=tuple(_strokes(axis, facts, rows)),
        symbols=tuple(_symbols(axis, facts, words, rows)),
        texts=(*_tick_texts(axis, facts, words, rows), *(_label_text(label, rows) for label in labels)),
    )


class _Rows:
    """Where the axis of each row lies, given how many lanes of labels each needs."""

    __slots__ = ("axis", "below", "height", "ys")

    def __init__(self, axis: Axis, labels: Sequence[PlacedLabel]) -> None:
        self.axis = axis
        self.ys: list[float] = []
        self.below: list[int] = []
        top = 4.0
        for row in range(axis.rows):
            above = max((x.lane + 1 for x in labels if x.row == row and x.side == "above"), default=0)
            below = max((x.lane + 1 for x in labels if x.row == row and x.side == "below"), default=0)
            self.ys.append(top + above * LANE + STAGE)
            self.below.append(below)
            top += (above + below) * LANE + 2 * STAGE + TICK_ROOM + ROW_GAP
        self.height = round(top - ROW_GAP + 4, 1)

    def point(self, at: float) -> tuple[float, float]:
        """Return x and y of a position on the axis."""
        row = self.axis.row_of(at)
        return PADDING + at - row * self.axis.width, self.ys[row]

    def pieces(self, start: float, stop: float) -> list[tuple[float, float, float]]:
        """Return a stretch of the axis as (from x, to x, y)."""
        return [(PADDING + x1, PADDING + x2, self.ys[row]) for row, x1, x2 in self.axis.cuts(start, stop)]


# ------------------------------------------------------------------------------------------------- boxes


def _boxes(axis: Axis, facts: RibbonFacts, words: Words, rows: _Rows) -> list[Box]:
    boxes = []
    for start, stop in _closed_stretches(axis, facts):
        boxes += [Box("closed", x1, y - STAGE, x2 - x1, 2 * STAGE) for x1, x2, y in rows.pieces(start, stop)]
    for pause in facts.pauses:
        title = words.pause(pause)[0]
        for x1, x2, y in rows.pieces(*_pause_stretch(axis, pause, facts.today)):
            boxes.append(Box("pause", x1, y - STAGE + 4, x2 - x1, 2 * STAGE - 8, title))
    for window in facts.windows:
        start, stop = _window_stretch(axis, window)
        title = words.window(window)
        # Neighbours overlap in time, so odd and even sessions take turns above and below the axis.
        shift = -BAND if window.session % 2 else 1.0
        for x1, x2, y in rows.pieces(start, stop):
            if window.role == "past":
                boxes.append(Box("window-past", x1, y + shift, x2 - x1, BAND - 1, title))
            elif window.role == "booked":
                boxes.append(Box("window-booked", x1, y + shift, x2 - x1, BAND - 1, title))
            else:
                boxes.append(Box("window-next", x1, y - BAND, x2 - x1, 2 * BAND, title))
    return boxes


def _closed_stretches(axis: Axis, facts: RibbonFacts) -> list[tuple[float, float]]:
    """Return the closed days, neighbours joined; those too narrow to be seen are left out."""
    stretches: list[tuple[float, float]] = []
    for index, day in enumerate(range(axis.first, axis.last + 1)):
        if facts.calendar.opens_on(day):
            continue
        start, stop = axis.edges[index], axis.edges[index + 1]
        if stretches and stretches[-1][1] == start:
            stretches[-1] = (stretches[-1][0], stop)
        else:
            stretches.append((start, stop))
    return [(start, stop) for start, stop in stretches if stop - start >= 3]


def _pause_stretch(axis: Axis, pause: PauseSpan, today: date) -> tuple[float, float]:
    start = axis.begin(pause.from_on)
    if pause.to_on is not None:
        return start, axis.end(pause.to_on)
    # An open end is drawn as far as the axis goes: nothing is known to come back.
    return start, max(axis.end(today), axis.edges[-1])


def _window_stretch(axis: Axis, window: WindowSpan) -> tuple[float, float]:
    """Return a window as drawn: its days, yet wide enough to be seen."""
    start, stop = axis.begin(window.due_from), axis.end(window.due_by)
    lack = LEAST_WINDOW - (stop - start)
    if lack > 0:
        start, stop = max(0.0, start - lack / 2), min(axis.edges[-1], stop + lack / 2)
    return start + 0.5, stop - 0.5


# ----------------------------------------------------------------------------------------------- strokes


def _strokes(axis: Axis, facts: RibbonFacts, rows: _Rows) -> list[Stroke]:
    strokes = [Stroke("axis", _line(PADDING, y, PADDING + axis.width, y)) for y in rows.ys]
    for pause in facts.pauses:
        for x1, x2, y in rows.pieces(*_pause_stretch(axis, pause, facts.today)):
            strokes.append(Stroke("hatch", _hatch(x1, y - STAGE + 4, x2, y + STAGE - 4)))
    for tick in _shown_ticks(axis, facts):
        x, y = rows.point(axis.begin(tick.on))
        strokes.append(Stroke("tick", _line(x, y + STAGE - 5, x, y + STAGE)))
    for span in facts.phases[1:]:
        x, y = rows.point(axis.begin(span.from_on))
        strokes.append(Stroke("phase", _line(x, y - STAGE, x, y + STAGE)))
    for day in facts.restarts:
        x, y = rows.point(axis.begin(day))
        strokes.append(Stroke("restart", f"M{x:g} {y + STAGE:g}V{y - STAGE:g}m-4 6l4-6l4 6"))
    strokes += _tails(axis, facts, rows)
    if facts.end is not None:
        x, y = rows.point(axis.middle(facts.end.on))
        reach = 14 if x + 14 <= PADDING + axis.width else -14
        strokes.append(Stroke("flag", f"M{_n(x)} {_n(y + BAND)}V{_n(y - STAGE)}l{reach} 5l{-reach} 5"))
    x, y = rows.point(axis.middle(facts.today))
    strokes.append(Stroke("today", _line(x, y - STAGE, x, y + STAGE)))
    return strokes


def _tails(axis: Axis, facts: RibbonFacts, rows: _Rows) -> list[Stroke]:
    """Return a line from each window to the session that missed it: its length is the earliness or lateness."""
    strokes = []
    for window in facts.windows:
        if window.on is None:
            continue
        start, stop = _window_stretch(axis, window)
        at = axis.middle(window.on)
        if window.on < window.due_from:
            pieces, kind = rows.pieces(at, start), "tail-early"
        elif window.on > window.due_by:
            pieces, kind = rows.pieces(stop, at), "tail-late"
        else:
            continue
        for x1, x2, y in pieces:
            if x2 - x1 > RADIUS:
                strokes.append(
                    Stroke("tail-early" if kind == "tail-early" else "tail-late", _line(x1, y, x2, y))
                )
    return strokes


def _hatch(x1: float, y1: float, x2: float, y2: float) -> str:
    """Return lines rising to the right across a box, cut at its edges."""
    height = y2 - y1
    parts = []
    at = x1 - height + HATCH_STEP
    while at < x2:
        left, right = max(x1, at), min(x2, at + height)
        if right > left:
            parts.append(f"M{_n(left)} {_n(y2 - (left - at))}L{_n(right)} {_n(y2 - (right - at))}")
        at += HATCH_STEP
    return "".join(parts)


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f"M{_n(x1)} {_n(y1)}L{_n(x2)} {_n(y2)}"


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


# ----------------------------------------------------------------------------------------------- symbols


def _symbols(axis: Axis, facts: RibbonFacts, words: Words, rows: _Rows) -> list[Symbol]:
    """Return the marks; one in the place of another moves up, else down, what was missed before the rest."""
    taken: list[tuple[float, float]] = []
    symbols = []
    for mark in sorted(facts.marks, key=lambda mark: mark.kind in HOLLOW_MARKS):
        x, y = rows.point(axis.middle(mark.on))
        places = [(x, y + shift) for shift in (0, -RAISE, RAISE)]
        free = (place for place in places if not any(_touches(place, other) for other in taken))
        place = next(free, places[0])
        taken.append(place)
        symbols.append(Symbol(mark, *place, words.mark(mark)))
    return symbols


def _touches(one: tuple[float, float], other: tuple[float, float]) -> bool:
    least = 1.6 * RADIUS
    return abs(one[0] - other[0]) < least and abs(one[1] - other[1]) < least


# ----------------------------------------------------------------------------------------- ticks and texts


def _shown_ticks(axis: Axis, facts: RibbonFacts) -> list[Tick]:
    return ticks(axis, facts, label_room=text_width("Mon 22 Mar", FONT) + 14)


def _tick_texts(axis: Axis, facts: RibbonFacts, words: Words, rows: _Rows) -> list[Text]:
    texts: list[Text] = []
    free_from = [PADDING] * axis.rows
    year = None
    for tick in _shown_ticks(axis, facts):
        # A day is named under its middle, a longer unit under where it begins.
        at = axis.middle(tick.on) if tick.unit in ("day", "week") else axis.begin(tick.on)
        row = axis.row_of(at)
        x, y = rows.point(at)
        text = words.tick(tick, with_year=tick.on.year != (year or facts.today.year))
        room = text_width(text, FONT)
        x = max(PADDING + room / 2, min(x, PADDING + axis.width - room / 2))
        if x - room / 2 < free_from[row]:
            continue
        free_from[row] = x + room / 2 + 8
        year = tick.on.year
        texts.append(Text("tick", x, y + STAGE + rows.below[row] * LANE + 13, room, text))
    return texts


def _wishes(axis: Axis, facts: RibbonFacts, words: Words) -> list[LabelWish]:
    """Return the labels wanted, the most important first."""
    wishes = [_wish(axis, "today", axis.middle(facts.today), "above", words.today(facts.today))]
    if facts.end is not None:
        wishes.append(_wish(axis, "end", axis.middle(facts.end.on), "above", words.end(facts.end), reach=20))
    for pause in facts.pauses:
        start, stop = _pause_stretch(axis, pause, facts.today)
        row, x1, x2 = max(axis.cuts(start, stop), key=lambda cut: cut[2] - cut[1])
        reach = max(20.0, (x2 - x1) / 2)
        wishes.append(LabelWish("pause", row, (x1 + x2) / 2, "above", words.pause(pause), reach))
    wishes += [_wish(axis, "restart", axis.begin(day), "above", words.restart(day)) for day in facts.restarts]
    if len(facts.phases) > 1:
        for span in facts.phases:
            at = max(0.0, axis.begin(span.from_on))
            wishes.append(_wish(axis, "phase", at, "above", words.phase(span), reach=60))
    for window in facts.windows:
        if window.role == "next":
            start, stop = _window_stretch(axis, window)
            texts = words.next_window(window)
            wishes.append(_wish(axis, "next", (start + stop) / 2, "below", texts, reach=20))
    for mark in sorted(facts.marks, key=lambda mark: (-mark.days, mark.on)):
        if mark.days and "early" in mark.kind:
            wishes.append(_wish(axis, "early", axis.middle(mark.on), "below", words.verdict(mark)))
        elif mark.days:
            wishes.append(_wish(axis, "late", axis.middle(mark.on), "below", words.verdict(mark)))
    numbered = [mark for mark in facts.marks if mark.session is not None and not mark.days]
    # The first, the last and each fifth before the others, so that what is left out leaves a rhythm.
    numbered.sort(key=lambda mark: (mark.session != 1 and (mark.session or 0) % 5 != 0, mark.on))
    for mark in numbered:
        wishes.append(_wish(axis, "number", axis.middle(mark.on), "below", (str(mark.session),), reach=1))
    return wishes


def _wish(
    axis: Axis,
    kind: Literal["today", "end", "phase", "restart", "next", "early", "late", "number"],
    at: float,
    side: Literal["above", "below"],
    texts: tuple[str, ...],
    *,
    reach: float = 6,
) -> LabelWish:
    row = axis.row_of(at)
    return LabelWish(kind, row, at - row * axis.width, side, texts, reach)


def _label_text(label: PlacedLabel, rows: _Rows) -> Text:
    y = rows.ys[label.row]
    if label.side == "above":
        baseline = y - STAGE - 4 - label.lane * LANE
    else:
        baseline = y + STAGE + 11 + label.lane * LANE
    return Text(label.kind, PADDING + label.x, baseline, label.width, label.text)
