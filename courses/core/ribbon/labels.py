"""Labels that never collide: each takes the first free place among those offered, else it is left out."""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

LabelKind = Literal["today", "end", "pause", "phase", "restart", "next", "early", "late", "number"]
Side = Literal["above", "below"]
_NARROW: Final = frozenset("iljtfr.,:;'|!()1 ")
_WIDE: Final = frozenset("mwMWшщжюфыШЩЖЮФЫ@%")


class LabelWish(NamedTuple):
    """A text near a position of one row; shorter texts are tried when the first has no room.

    `reach` is how far the text may move away from `x`, so that it stays with what it names.
    """

    kind: LabelKind
    row: int
    x: float
    side: Side
    texts: tuple[str, ...]
    reach: float


class PlacedLabel(NamedTuple):
    """A text with its middle at `x` in a lane (0 is next to the axis) of one side of a row."""

    kind: LabelKind
    row: int
    x: float
    side: Side
    lane: int
    width: float
    text: str


def text_width(text: str, size: float) -> float:
    """Return about how wide a text is, in pixels, rather too wide than too narrow."""
    width = 0.0
    for char in text:
        if char in _NARROW:
            width += 0.36
        elif char in _WIDE or char.isupper():
            width += 0.78
        else:
            width += 0.6
    return width * size


def place_labels(
    wishes: Sequence[LabelWish], *, width: float, size: float, lanes: int, gap: float = 6.0
) -> list[PlacedLabel]:
    """Return the labels that found room, each within 0..width of its row, none touching another.

    Wishes come first to last in the order of their importance. Cost: quadratic in the labels of a lane.
    """
    taken: dict[tuple[int, Side, int], list[tuple[float, float]]] = {}
    placed = []
    for wish in wishes:
        label = _place(wish, taken, width=width, size=size, lanes=lanes, gap=gap)
        if label is not None:
            placed.append(label)
            half = label.width / 2
            taken.setdefault((label.row, label.side, label.lane), []).append((label.x - half, label.x + half))
    return placed


def _place(
    wish: LabelWish,
    taken: dict[tuple[int, Side, int], list[tuple[float, float]]],
    *,
    width: float,
    size: float,
    lanes: int,
    gap: float,
) -> PlacedLabel | None:
    for text in wish.texts:
        room = text_width(text, size)
        if room > width:
            continue
        for lane in range(1 if wish.kind == "number" else lanes):
            spans = taken.get((wish.row, wish.side, lane), [])
            # A number stays under its mark; another text may have what it names at its edge.
            reach = wish.reach + (0 if wish.kind == "number" else room / 2)
            x = _free_middle(wish.x, room, spans, width=width, reach=reach, gap=gap)
            if x is not None:
                return PlacedLabel(wish.kind, wish.row, x, wish.side, lane, room, text)
    return None


def _free_middle(
    wanted: float,
    room: float,
    spans: Sequence[tuple[float, float]],
    *,
    width: float,
    reach: float,
    gap: float,
) -> float | None:
    """Return the free middle nearest to the one wanted, None when there is none within reach."""
    half = room / 2
    inside = [wanted, half, width - half]
    inside += [left - gap - half for left, _ in spans]
    inside += [right + gap + half for _, right in spans]
    for x in sorted(inside, key=lambda middle: abs(middle - wanted)):
        if abs(x - wanted) > reach:
            return None
        if x < half or x > width - half:
            continue
        if all(x + half + gap <= left or x - half - gap >= right for left, right in spans):
            return x
    return None
