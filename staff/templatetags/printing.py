"""What is drawn on paper: colours as they print, since what draws a PDF reads no styles of the page inside a drawing."""

from typing import Final

from django import template

from reports.tables import Tone

register = template.Library()

# The tones of a light page, a shade darker where they would print pale.
_INKS: Final[dict[Tone, str]] = {
    "good": "#1c6b45",
    "notice": "#44607f",
    "warning": "#c98a1f",
    "serious": "#a8291d",
    "accent": "#12607a",
    "quiet": "#b9bfc3",
}


@register.filter
def ink(tone: Tone) -> str:
    """Return a tone's colour on paper."""
    return _INKS[tone]
