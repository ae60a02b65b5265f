"""Phases in words: how much one asks for, and how far a course is in it."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext


def amount_words(phase: dict[str, Any]) -> str:
    """Return how many sessions a phase asks for, for example "10–15"; empty when only its duration counts."""
    if phase["target"]:
        return str(phase["target"])
    if not phase["sessions_max"]:
        return ""
    if phase["sessions_min"] in (None, phase["sessions_max"]):
        return str(phase["sessions_max"])
    return f"{phase['sessions_min']}–{phase['sessions_max']}"


def phase_kind_words(kind: str) -> str:
    return pgettext("phase", "maintenance") if kind == "maintenance" else pgettext("phase", "intensive")


def number_in_phase(number: int, phase: dict[str, Any]) -> str:
    if words := amount_words(phase):
        return _("Session %(number)s of %(amount)s") % {"number": number, "amount": words}
    return _("Session %(number)s, %(phase)s") % {"number": number, "phase": phase_kind_words(phase["kind"])}
