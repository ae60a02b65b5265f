"""The thin ribbon for lists: one line of a few paths, so that hundreds fit on a page.

A path of dots is a row of lines without length, which a round or square line end turns into dots.
"""

from dataclasses import dataclass
from typing import Final

from courses.core.ribbon.axis import Axis
from courses.core.ribbon.facts import ATTENDED_MARKS, MarkKind, RibbonFacts

WIDTH: Final = 240
HEIGHT: Final = 20
PADDING: Final = 5
MIDDLE: Final = 10
LEAST_WINDOW: Final = 5.0
# What matters in a list is the phase of today.
PAST_SCALE: Final = 0.4
# Path class of each kind of mark; kinds in one class are told apart on the course's page.
_CLASSES: Final[dict[MarkKind, str]] = {
    "on_time": "on",
    "early": "early",
    "late": "late",
    "extra": "extra",
    "no_show": "missed",
    "cancelled_late": "missed",
    "cancelled_by_client": "called-off",
    "cancelled_by_clinic": "clinic",
    "planned": "planned",
    "unrecorded": "open",
    "booked": "booked",
    "booked_early": "booked",
    "booked_late": "booked",
    "misbooked": "open",
}


@dataclass(frozen=True, slots=True)
class Strip:
    """Paths by class, in the order in which they are painted; the view box is WIDTH by HEIGHT."""

    paths: tuple[tuple[str, str], ...]


def draw_strip(facts: RibbonFacts) -> Strip:
    """Return the thin ribbon of a course."""
    axis = Axis(facts, width=WIDTH - 2 * PADDING, past_scale=PAST_SCALE)
    paths: dict[str, list[str]] = {"axis": [f"M{PADDING} {MIDDLE}h{WIDTH - 2 * PADDING}"]}
    for kind, is_next in (("band", False), ("next", True)):
        stretches = _window_stretches(axis, facts, is_next=is_next)
        if stretches:
            paths[kind] = [_stretch(start, stop) for start, stop in stretches]
    if facts.pauses:
        paths["pause"] = [
            _stretch(axis.begin(pause.from_on), axis.end(pause.to_on) if pause.to_on else axis.edges[-1])
            for pause in facts.pauses
        ]
    # What was attended lies on top of what was missed on the days about it.
    for mark in sorted(facts.marks, key=lambda mark: mark.kind in ATTENDED_MARKS):
        kind = _CLASSES[mark.kind]
        paths.setdefault(kind, []).append(_mark(kind, axis.middle(mark.on) + PADDING))
    if "booked" in paths:
        paths["hole"] = paths["booked"]
    paths["today"] = [f"M{_n(axis.middle(facts.today) + PADDING)} 1v18"]
    if facts.end is not None:
        at = axis.middle(facts.end.on) + PADDING
        reach = 5 if at + 5 <= WIDTH else -5
        paths["flag"] = [f"M{_n(at)} 14V2l{reach} 2.5l{-reach} 2.5"]
    return Strip(tuple((kind, "".join(parts)) for kind, parts in paths.items()))


def _window_stretches(axis: Axis, facts: RibbonFacts, *, is_next: bool) -> list[tuple[float, float]]:
    """Return where windows lie, those that touch joined."""
    stretches: list[tuple[float, float]] = []
    for window in facts.windows:
        if (window.role == "next") != is_next:
            continue
        start, stop = axis.begin(window.due_from), axis.end(window.due_by)
        lack = max(0.0, LEAST_WINDOW - (stop - start)) / 2
        start, stop = max(0.0, start - lack), min(axis.edges[-1], stop + lack)
        if stretches and start <= stretches[-1][1] + 1:
            stretches[-1] = (stretches[-1][0], max(stop, stretches[-1][1]))
        else:
            stretches.append((start, stop))
    return stretches


def _stretch(start: float, stop: float) -> str:
    return f"M{_n(start + PADDING)} {MIDDLE}h{_n(stop - start)}"


def _mark(kind: str, x: float) -> str:
    if kind == "early":
        return f"M{_n(x - 3.5)} 13l3.5-6.5 3.5 6.5z"
    if kind in ("missed", "open"):
        # A cross for what was missed, a ring drawn by its class about an upright line for what is open.
        return f"M{_n(x - 2.5)} 7.5l5 5m0-5l-5 5" if kind == "missed" else f"M{_n(x)} 6.5v4m0 3v0"
    if kind == "called-off":
        return f"M{_n(x - 2.5)} {MIDDLE}a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0-5 0"
    if kind == "clinic":
        return f"M{_n(x - 2.5)} 7.5h5v5h-5z"
    return f"M{_n(x)} {MIDDLE}h0"


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
