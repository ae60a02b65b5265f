"""Maintenance ahead: how many visits will be asked for?"""

from datetime import timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from reports.cells import Cell
from reports.core import week_of, weeks_ahead
from reports.selectors.forecast import Forecast, maintenance_forecast
from reports.selectors.scope import Scope
from reports.tables import Chart, Column, Figure, Report, Table


def build(scope: Scope) -> Report:
    """Return the maintenance visits of the weeks ahead. Cost: three queries."""
    weeks = weeks_ahead(scope.today, scope.weeks)
    found = maintenance_forecast(scope, weeks)
    return Report(
        figures=_figures(found, scope.weeks),
        tables=(
            Table(
                name="weeks",
                title=_("Week by week"),
                explains=_("The week that begins on this Monday; the first counts from today."),
                columns=(
                    Column(_("Week from"), "date"),
                    Column(_("Booked")),
                    Column(_("Still to book")),
                    Column(_("Yet to begin"), means=_("of courses whose earlier phase still runs")),
                    Column(_("In all")),
                ),
                rows=tuple(_row(found, n, scope) for n in range(scope.weeks)),
                chart=Chart("stack", _("Visits by week"), ((1, "good"), (2, "accent"), (3, "quiet"))),
            ),
        ),
        notes=(
            _(
                "Of each running course in a maintenance phase: what is booked counts in its week. Beyond the last booking the next visit is taken to come as soon as its window opens, today at the earliest, and each further one at the end of its window, until the phase ends or has had its sessions."
            ),
            _(
                "A course in an earlier phase is taken to end that phase when its page says it will, and then to begin the maintenance that is prescribed next."
            ),
            _(
                "Nobody is expected to drop out and paused courses are expected back when their next window opens, so the true number is rather lower. Closed days are not looked at: a week with a holiday pushes some visits into the next."
            ),
        ),
        is_empty=not (found.course_count or found.coming_count),
    )


def _row(found: Forecast, number: int, scope: Scope) -> tuple[Cell, ...]:
    monday = week_of(scope.today) + timedelta(days=7 * number)
    parts = (found.booked[monday], found.to_book[monday], found.coming[monday])
    return (monday, *parts, sum(parts))


def _figures(found: Forecast, weeks: int) -> tuple[Figure, ...]:
    total = found.booked.total() + found.to_book.total() + found.coming.total()
    in_weeks = ngettext("in %(n)s week", "in %(n)s weeks", weeks) % {"n": weeks}
    return (
        Figure(
            _("Visits ahead"), "count", total, in_weeks,
            _("Booked, still to book, and of courses yet to begin."), has_before=False,
        ),
        Figure(
            _("Still to book"), "count", found.to_book.total(), in_weeks,
            _("Visits that running maintenance will ask for and nobody has booked yet."), has_before=False,
        ),
        Figure(
            _("Courses in maintenance"), "count", found.course_count,
            ngettext("%(n)s more comes to it", "%(n)s more come to it", found.coming_count) % {"n": found.coming_count},
            _("Running courses whose present phase is a maintenance, paused ones too."), has_before=False,
        ),
    )  # fmt: skip
