"""Missed sessions: when do clients not come?"""

from collections import defaultdict

from django.utils.translation import gettext as _

from reports.cells import Cell
from reports.selectors.missed import Outcomes, missed_by_hour
from reports.selectors.scope import Scope
from reports.tables import Chart, Column, Figure, Report, Table


def build(scope: Scope) -> Report:
    """Return missed sessions by weekday and hour. Cost: two queries."""
    found, before = missed_by_hour(scope), missed_by_hour(scope.before)
    now, was = (sum(part.values(), Outcomes()) for part in (found, before))
    weekdays: defaultdict[int, Outcomes] = defaultdict(Outcomes)
    for (weekday, _hour), outcomes in found.items():
        weekdays[weekday] += outcomes
    return Report(
        figures=(
            Figure(
                _("No-shows"), "share", now.no_show_share.rate, _of(now.no_show, now),
                _("Booked, and the client did not come without a word."), was.no_show_share.rate,
            ),
            Figure(
                _("Cancelled late"), "share", _late(now), _of(now.cancelled_late, now),
                _("Called off by the client inside the clinic's notice time."), _late(was),
            ),
            Figure(
                _("Came"), "share", now.attended_share.rate, _of(now.attended, now),
                _("Of what was booked and not called off in time."), was.attended_share.rate,
            ),
        ),
        tables=(
            Table(
                name="hours",
                title=_("By weekday and hour"),
                explains=_("The hour in which the session was to begin, on the clinic's clock."),
                columns=(Column(_("Weekday"), "weekday"), Column(_("Hour"), "hour"), *_columns()),
                rows=tuple((*key, *_cells(outcomes)) for key, outcomes in sorted(found.items())),
                is_heat=True,
            ),
            Table(
                name="weekdays",
                title=_("By weekday"),
                explains=_("All hours of a weekday together."),
                columns=(Column(_("Weekday"), "weekday"), *_columns()),
                rows=tuple((weekday, *_cells(outcomes)) for weekday, outcomes in sorted(weekdays.items())),
                chart=Chart("bars", _("Missed sessions by weekday"), ((3, "serious"), (4, "warning"))),
            ),
        ),
        notes=(
            _(
                "Counted are sessions with a booked time that were attended, missed, or cancelled by the client too late. What was moved, or called off in time or by the clinic, is not counted, nor is a walk-in, who had no booking."
            ),
            _("A field of the map with fewer than five sessions stays pale: so few say nothing."),
        ),
        is_empty=not now.whole,
    )  # fmt: skip


def _columns() -> tuple[Column, ...]:
    return (
        Column(_("Sessions")),
        Column(_("Came")),
        Column(_("No-shows")),
        Column(_("Cancelled late")),
        Column(_("No-shows, share"), "share"),
    )


def _cells(outcomes: Outcomes) -> tuple[Cell, ...]:
    return (
        outcomes.whole,
        outcomes.attended,
        outcomes.no_show,
        outcomes.cancelled_late,
        outcomes.no_show_share.rate,
    )


def _of(part: int, outcomes: Outcomes) -> str:
    return _("%(part)s of %(whole)s sessions") % {"part": part, "whole": outcomes.whole}


def _late(outcomes: Outcomes) -> float | None:
    return round(outcomes.cancelled_late / outcomes.whole, 4) if outcomes.whole else None
