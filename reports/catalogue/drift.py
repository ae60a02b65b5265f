"""Findings: what goes off course, why, and for how long?"""

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from courses.models import Cause, FlagKind, ResolvedReason
from reports.cells import Cell
from reports.core import Share
from reports.selectors.drift import Drift, DriftTally, drift_of
from reports.selectors.scope import Scope
from reports.tables import Chart, Column, Figure, Report, Table


def build(scope: Scope) -> Report:
    """Return the findings that began in the period by kind, cause and end. Cost: two queries."""
    found, before = drift_of(scope), drift_of(scope.before)
    return Report(
        figures=_figures(found.all, before.all),
        tables=(_kinds(found, before), _causes(found), _reasons(found)),
        notes=(
            _(
                "Counted are findings that began in the period, on any course. The same course is counted again when the same finding comes back after it was resolved."
            ),
            _(
                "A finding is resolved by itself once it no longer holds. The days until then are whole days of the calendar; the median is the middle one, which a single forgotten course cannot move. Findings that still stand have no such days yet, so look at how many those are."
            ),
            _(
                "The cause is what was recorded since the session before: missed or cancelled by the client, cancelled by the clinic, both, or neither, which means that nothing was booked in time. Only lateness has a cause."
            ),
        ),
        is_empty=not found.all.opened,
    )


def _figures(now: DriftTally, was: DriftTally) -> tuple[Figure, ...]:
    return (
        Figure(
            _("Findings that began"),
            "count",
            now.opened,
            ngettext("%(n)s still stands", "%(n)s still stand", now.still_open) % {"n": now.still_open},
            _("Every finding of every kind that began in the period."),
            was.opened,
        ),
        Figure(
            _("Resolved"),
            "share",
            Share(now.resolved, now.opened).rate,
            _("%(part)s of %(whole)s findings") % {"part": now.resolved, "whole": now.opened},
            _("Of those that began in the period, however long it took."),
            Share(was.resolved, was.opened).rate,
        ),
        Figure(
            _("Days until resolved"),
            "days",
            now.median_days,
            _("half took no longer"),
            _("The median over those that are resolved; 0 means on the same day."),
            was.median_days,
        ),
    )


def _kinds(found: Drift, before: Drift) -> Table:
    rows = [(kind, found.by_kind[kind]) for kind in FlagKind.values if kind in found.by_kind]
    return Table(
        name="kinds",
        title=_("By kind"),
        explains=_("In the order in which the worklist names them."),
        columns=(
            Column(_("Finding"), "text"),
            *_columns(),
            Column(_("Began before"), means=_("in the period before")),
        ),
        rows=tuple(
            (
                capfirst(str(FlagKind(kind).label)),
                *_cells(tally),
                before.by_kind[kind].opened if kind in before.by_kind else 0,
            )
            for kind, tally in rows
        ),
        chart=Chart("rows", _("Findings by kind"), ((2, "good"), (3, "warning"))),
    )


def _causes(found: Drift) -> Table:
    rows = [
        (kind, cause, found.by_cause[kind, cause])
        for kind in FlagKind.values
        for cause in Cause.values
        if (kind, cause) in found.by_cause
    ]
    return Table(
        name="causes",
        title=_("By cause"),
        explains=_("Lateness only: overdue and lapsed courses, by what led to it."),
        columns=(Column(_("Finding"), "text"), Column(_("Cause"), "text"), *_columns()),
        rows=tuple(
            (capfirst(str(FlagKind(kind).label)), capfirst(str(Cause(cause).label)), *_cells(tally))
            for kind, cause, tally in rows
        ),
        chart=Chart("rows", _("Lateness by cause"), ((2, "serious"),), label=1),
    )


def _reasons(found: Drift) -> Table:
    return Table(
        name="ends",
        title=_("How they ended"),
        explains=_("What happened last before the finding no longer held."),
        columns=(Column(_("What happened"), "text"), Column(_("Findings"))),
        rows=tuple(
            (capfirst(str(ResolvedReason(reason).label)), count)
            for reason, count in found.by_reason.most_common()
        ),
        chart=Chart("rows", _("How findings ended"), ((1, "accent"),)),
    )


def _columns() -> tuple[Column, ...]:
    return (
        Column(pgettext("findings", "Began")),
        Column(_("Resolved")),
        Column(_("Still stand")),
        Column(_("Days until resolved"), "days", _("the median")),
    )


def _cells(tally: DriftTally) -> tuple[Cell, ...]:
    return (tally.opened, tally.resolved, tally.still_open, tally.median_days)
