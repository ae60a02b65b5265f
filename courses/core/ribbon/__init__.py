"""The course ribbon: how a course goes, as shapes; pure geometry without colours or words of its own."""

from courses.core.ribbon.axis import Tick, TickUnit
from courses.core.ribbon.chart import Box, Chart, Stroke, Symbol, Text, Words, draw_chart
from courses.core.ribbon.facts import (
    ATTENDED_MARKS,
    BOOKED_MARKS,
    HOLLOW_MARKS,
    EndFlag,
    Mark,
    MarkKind,
    PhaseSpan,
    RibbonFacts,
    WindowSpan,
    gather_ribbon,
)
from courses.core.ribbon.strip import Strip, draw_strip

__all__ = [
    "ATTENDED_MARKS",
    "BOOKED_MARKS",
    "HOLLOW_MARKS",
    "Box",
    "Chart",
    "EndFlag",
    "Mark",
    "MarkKind",
    "PhaseSpan",
    "RibbonFacts",
    "Strip",
    "Stroke",
    "Symbol",
    "Text",
    "Tick",
    "TickUnit",
    "WindowSpan",
    "Words",
    "draw_chart",
    "draw_strip",
    "gather_ribbon",
]
