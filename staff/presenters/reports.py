"""The figures of a period in words, each with what it means."""

from dataclasses import dataclass

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from courses.models import FlagKind
from reports.core import Share
from reports.selectors import PeriodFigures


@dataclass(frozen=True, slots=True)
class FigureCard:
    """One figure: its name, what it is, from what, and how it is counted."""

    name: str
    value: str
    of: str
    means: str


def figure_cards(figures: PeriodFigures) -> list[FigureCard]:
    return [
        FigureCard(
            _("Came to what was booked"),
            rate_words(figures.attendance),
            _("%(part)s of %(whole)s sessions") % _said(figures.attendance),
            _(
                "Attended sessions, of those attended, missed, or cancelled by the client too late. What was moved or cancelled in time does not count."
            ),
        ),
        FigureCard(
            _("On time"),
            rate_words(figures.on_time),
            _("%(part)s of %(whole)s attended; %(early)s early, %(late)s late")
            % (_said(figures.on_time) | {"early": figures.early, "late": figures.late}),
            _(
                "Attended sessions inside their window, of all that were prescribed. Paused and closed days make nobody late."
            ),
        ),
        FigureCard(
            _("Courses that ran"),
            str(figures.ran),
            ngettext("%(n)s of them began", "%(n)s of them began", figures.began) % {"n": figures.began},
            _("Courses that had begun by the last day and had not ended before the first, paused ones too."),
        ),
    ]


def rate_words(share: Share) -> str:
    """Return a share in per cent; a dash where there is nothing to divide by."""
    return "–" if share.rate is None else _("%(percent)s %%") % {"percent": round(share.rate * 100)}


def _said(share: Share) -> dict[str, int]:
    return {"part": share.part, "whole": share.whole}


def finding_rows(figures: PeriodFigures) -> list[tuple[str, int, int]]:
    """Return the kinds of findings with how many began in the period and how many are open now."""
    return [(capfirst(str(FlagKind(row.kind).label)), row.opened, row.open_now) for row in figures.findings]
