"""Shapes of a ribbon as SVG without styles of its own: classes and paths only, for a strict content policy.

Written as text and not as a template: a list shows hundreds of strips.
"""

from collections.abc import Iterable
from typing import Final

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from courses.core.ribbon import Chart, MarkKind, Strip, Symbol
from courses.core.ribbon.strip import HEIGHT, WIDTH

# A path about the point 0, 0 for the outline of each mark: its form says the verdict without colour.
_ROUND = "M-6 0a6 6 0 1 0 12 0a6 6 0 1 0-12 0z"
_TRIANGLE = "M-6.9 5.5L0-6.8L6.9 5.5z"
_SQUARE = "M-5.6-5.6h11.2v11.2h-11.2z"
_DIAMOND = "M-7.2 0L0-7.2L7.2 0L0 7.2z"
OUTLINES: Final[dict[MarkKind, str]] = {
    "on_time": _ROUND,
    "early": _TRIANGLE,
    "late": _SQUARE,
    "extra": "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",
    "no_show": _ROUND,
    "cancelled_late": _ROUND,
    "cancelled_by_client": _ROUND,
    "cancelled_by_clinic": _SQUARE,
    "planned": "M-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0z",
    "unrecorded": _ROUND,
    "booked": _ROUND,
    "booked_early": _TRIANGLE,
    "booked_late": _SQUARE,
    "misbooked": _DIAMOND,
}
# What is drawn inside an outline.
_INSIDES: Final[dict[MarkKind, str]] = {
    "no_show": "M-2.6-2.6l5.2 5.2M2.6-2.6l-5.2 5.2",
    "cancelled_late": "M-2.8 2.8l5.6-5.6",
    "cancelled_by_clinic": "M-2.8 0h5.6",
    "unrecorded": "M-1.8-1.4a1.9 1.9 0 1 1 2.8 1.5q-1 .5-1 1.5M0 3.6v.2",
    "misbooked": "M0-3.2v3.6M0 2.8v.2",
}
_SURE = "M-2.2 0a2.2 2.2 0 1 0 4.4 0a2.2 2.2 0 1 0-4.4 0z"


def mark_svg(kind: MarkKind, *, is_sure: bool = False) -> str:
    """Return the paths of one mark about the point 0, 0."""
    inside = f'<path class="rb-in" d="{_INSIDES[kind]}"/>' if kind in _INSIDES else ""
    sure = f'<path class="rb-sure" d="{_SURE}"/>' if is_sure else ""
    return f'<path class="rb-out" d="{OUTLINES[kind]}"/>{inside}{sure}'


def chart_svg(chart: Chart, *, name: str, title: str, description: str) -> SafeString:
    """Return the large ribbon; `name` makes its ids, so that several can stand on one page."""
    width, height = f"{chart.width:g}", f"{chart.height:g}"
    parts = [
        f'<svg class="ribbon-chart" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-labelledby="{name}-title {name}-desc">',
        f'<title id="{name}-title">{escape(title)}</title>',
        f'<desc id="{name}-desc">{escape(description)}</desc>',
    ]
    behind = [box for box in chart.boxes if box.kind == "closed"]
    for box in (*behind, *(box for box in chart.boxes if box.kind != "closed")):
        said = f"<title>{escape(box.title)}</title>" if box.title else ""
        radius = ' rx="4"' if box.kind != "closed" else ""
        parts.append(
            f'<rect class="rb-{box.kind}" x="{_n(box.x)}" y="{_n(box.y)}" width="{_n(box.width)}" '
            f'height="{_n(box.height)}"{radius}>{said}</rect>'
        )
    parts += [f'<path class="rb-{stroke.kind}" d="{stroke.d}"/>' for stroke in chart.strokes]
    parts += [_symbol_svg(symbol) for symbol in chart.symbols]
    parts += [
        f'<text class="rb-text rb-text-{text.kind}" x="{_n(text.x)}" y="{_n(text.y)}" text-anchor="middle">'
        f"{escape(text.text)}</text>"
        for text in chart.texts
    ]
    parts.append("</svg>")
    return mark_safe("".join(parts))  # noqa: S308  # every text above went through escape()


def strip_svg(strip: Strip, *, title: str) -> SafeString:
    """Return the thin ribbon."""
    paths = "".join(f'<path class="rs-{kind}" d="{d}"/>' for kind, d in strip.paths)
    return mark_safe(  # noqa: S308  # the title is escaped, the paths are numbers
        f'<svg class="ribbon-strip" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" preserveAspectRatio="none">'
        f"<title>{escape(title)}</title>{paths}</svg>"
    )


def legend_svg(kinds: Iterable[tuple[MarkKind, str]]) -> SafeString:
    """Return a list that names each kind of mark given with its text."""
    items = "".join(
        f'<li><svg class="ribbon-key" viewBox="-8 -8 16 16" width="16" height="16" aria-hidden="true">'
        f'<g class="rb-mark rb-{kind}">{mark_svg(kind)}</g></svg>{escape(text)}</li>'
        for kind, text in kinds
    )
    return mark_safe(f'<ul class="ribbon-legend">{items}</ul>')  # noqa: S308  # texts are escaped


def _symbol_svg(symbol: Symbol) -> str:
    kind = symbol.mark.kind
    return (
        f'<g class="rb-mark rb-{kind}" transform="translate({_n(symbol.x)} {_n(symbol.y)})">'
        f"<title>{escape(symbol.title)}</title>{mark_svg(kind, is_sure=symbol.mark.is_sure)}</g>"
    )


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
