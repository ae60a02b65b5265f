"""The ribbon for a printed file: with its styles inside, because what draws it reads none from the page."""

import re
from functools import cache
from pathlib import Path

from django.conf import settings
from django.utils.safestring import SafeString, mark_safe

from courses.core.ribbon import RibbonFacts
from courses.templatetags.ribbon import ribbon_large

_OPENING = re.compile(r"<svg[^>]*>")


def printed_ribbon(facts: RibbonFacts) -> SafeString:
    """Return the ribbon in a width whose letters print at their size."""
    figure = ribbon_large(facts, "card", sizes="middle")
    return mark_safe(_OPENING.sub(lambda found: found[0] + _style(), figure))  # noqa: S308  # both are ours


@cache
def _style() -> str:
    path = Path(settings.BASE_DIR) / "static" / "css" / "ribbon-pdf.css"
    return f"<style>{path.read_text(encoding='utf-8')}</style>"
