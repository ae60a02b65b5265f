"""Retention: how far do clients come?"""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from reports.core import Fate, Step, retention_steps
from reports.selectors.retention import course_fates
from reports.selectors.scope import Scope
from reports.tables import Chart, Column, Figure, Report, Table

# Where most who stop have stopped by.
_MARKS = (1, 3, 10)


def build(scope: Scope) -> Report:
    """Return the retention by session number of the courses that began in the period. Cost: two queries."""
    fates, before = course_fates(scope), course_fates(scope.before)
    steps = retention_steps(fates)
    count = sum(fate.count for fate in fates)
    return Report(
        figures=(_courses(fates, before), *(_mark(mark, steps, retention_steps(before)) for mark in _MARKS)),
        tables=(_table(steps),),
        notes=(
            _(
                "Counted are the courses that began in the period, drafts not, with every session attended up to today. A course drops out when it is discontinued, or when it has lapsed: so late that a prescriber must decide whether it goes on."
            ),
            _(
                "Whoever is still under way has not dropped out and has not come yet: such a course counts up to the session it has reached and says nothing of the next (it is “censored”, as statisticians say). The same holds for a course that was completed: no further session was asked for. So the share is neither rosy, as it would be without those who left, nor gloomy, as if everybody under way had left."
            ),
            _(
                "At each session the share of those who came, of those who could, is multiplied with the share so far (the estimate of Kaplan and Meier). The further right, the fewer courses, and the less one of them proves."
            ),
        ),
        is_empty=not count,
    )  # fmt: skip


def _courses(fates: list[Fate], before: list[Fate]) -> Figure:
    count, was = (sum(fate.count for fate in found) for found in (fates, before))
    gone = sum(fate.count for fate in fates if fate.is_dropped)
    return Figure(
        _("Courses that began"),
        "count",
        count,
        ngettext("%(n)s of them dropped out", "%(n)s of them dropped out", gone) % {"n": gone},
        _("Courses whose start day lies in the period, drafts not counted."),
        was,
    )


def _mark(mark: int, steps: tuple[Step, ...], before: tuple[Step, ...]) -> Figure:
    found = next((step for step in steps if step.session == mark), None)
    was = next((step for step in before if step.session == mark), None)
    return Figure(
        ngettext("Came to %(n)s session", "Came to %(n)s sessions", mark) % {"n": mark},
        "share",
        found.retained if found else None,
        ngettext("%(n)s could at the last step", "%(n)s could at the last step", found.at_risk)
        % {"n": found.at_risk}
        if found
        else _("nobody is that far"),
        _("The estimated share of all that come to this many sessions."),
        was.retained if was else None,
    )


def _table(steps: tuple[Step, ...]) -> Table:
    return Table(
        name="steps",
        title=_("Step by step"),
        explains=_("One row a session: who could come to it, who did not, and what share is left."),
        columns=(
            Column(_("Session")),
            Column(_("Left the count"), means=_("under way before it, or completed")),
            Column(_("Could come")),
            Column(_("Dropped out")),
            Column(_("Came on"), "share", _("of those who could")),
            Column(_("Retained"), "share", _("of all")),
            Column(_("In words"), "text"),
        ),
        rows=tuple(
            (
                step.session,
                step.censored,
                step.at_risk,
                step.dropped,
                round((step.at_risk - step.dropped) / step.at_risk, 4),
                step.retained,
                _words(step),
            )
            for step in steps
        ),
        chart=Chart("steps", _("Share that comes to each session"), ((5, "accent"),)),
    )


def _words(step: Step) -> str:
    had = step.at_risk + step.censored
    came = step.at_risk - step.dropped
    values = {"had": had, "censored": step.censored, "risk": step.at_risk, "came": came}
    if not step.censored:
        return _("All %(risk)s could come to this session; %(came)s came.") % values
    if step.session == 1:
        begun = _(
            "Of %(had)s that began, %(censored)s have not had a session yet; of the other %(risk)s, %(came)s came."
        )
        return begun % values
    on = _(
        "Of %(had)s that came to the session before, %(censored)s are still there or completed; of the other %(risk)s, %(came)s came."
    )
    return on % values
