"""Workload: how full is whose time?"""

from django.utils.translation import gettext as _

from reports.core import Share
from reports.selectors.load import Load, practitioner_loads
from reports.selectors.scope import Scope
from reports.tables import Chart, Column, Figure, Report, Table


def build(scope: Scope) -> Report:
    """Return each practitioner's booked and attended time against working hours. Cost: twelve queries."""
    loads, before = practitioner_loads(scope), practitioner_loads(scope.before)
    return Report(
        figures=_figures(loads, before),
        tables=(_table(loads, before),),
        notes=(
            _(
                "Working time is the practitioner's own hours inside the clinic's, or the clinic's where they have none of their own, on every day of the period, without absences and closures, as all of these stand now."
            ),
            _(
                "Booked time is the length of every slot that was kept for a client: attended, missed, cancelled too late, or still to come. What was called off in time is free again and does not count. Attended time is that of the slots attended; of a walk-in, the minutes that were noted."
            ),
            _("A share above the whole is possible: whoever comes on a day off is attended all the same."),
        ),
        is_empty=not loads,
    )  # fmt: skip


def _rate(loads: list[Load], name: str) -> float | None:
    return Share(sum(getattr(load, name) for load in loads), sum(load.working for load in loads)).rate


def _figures(loads: list[Load], before: list[Load]) -> tuple[Figure, ...]:
    working = sum(load.working for load in loads)
    return (
        Figure(
            _("Booked"), "share", _rate(loads, "booked"), _("of the working time of all"),
            _("Slots kept for clients, whether they came or not."), _rate(before, "booked"),
        ),
        Figure(
            _("Attended"), "share", _rate(loads, "attended"), _("of the working time of all"),
            _("Slots in which a client was treated."), _rate(before, "attended"),
        ),
        Figure(
            _("Working time"), "minutes", working, _("of all practitioners"),
            _("What the clinic's and their own hours allow, without absences and closures."),
            sum(load.working for load in before),
        ),
    )  # fmt: skip


def _table(loads: list[Load], before: list[Load]) -> Table:
    were = {load.practitioner.pk: load for load in before}
    return Table(
        name="practitioners",
        title=_("By practitioner"),
        explains=_("In the clinic's own order."),
        columns=(
            Column(_("Practitioner"), "text"),
            Column(_("Working time"), "minutes"),
            Column(_("Booked"), "minutes"),
            Column(_("Attended"), "minutes"),
            Column(_("Booked, share"), "share"),
            Column(_("Attended, share"), "share"),
            Column(_("Booked before"), "share", _("in the period before")),
        ),
        rows=tuple(
            (
                load.practitioner.display_name,
                load.working,
                load.booked,
                load.attended,
                Share(load.booked, load.working).rate,
                Share(load.attended, load.working).rate,
                Share(were[load.practitioner.pk].booked, were[load.practitioner.pk].working).rate
                if load.practitioner.pk in were
                else None,
            )
            for load in loads
        ),
        chart=Chart(
            "bars", _("Working, booked and attended time"), ((1, "quiet"), (2, "accent"), (3, "good"))
        ),
    )
