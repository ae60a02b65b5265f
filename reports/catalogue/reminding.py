"""Reminders: do they bring clients here?"""

from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from reports.cells import Cell
from reports.core import Difference
from reports.selectors.missed import Outcomes
from reports.selectors.reminding import GROUPS, ReminderEffect, reminder_effect
from reports.selectors.scope import Scope
from reports.tables import Chart, Column, Figure, Report, Table

_NOBODY: Final = Outcomes()


def build(scope: Scope) -> Report:
    """Return who came by what they were sent and answered beforehand. Cost: two queries."""
    found, before = reminder_effect(scope), reminder_effect(scope.before)
    return Report(
        figures=(
            Figure(
                _("Came in all"),
                "share",
                found.all.rate,
                _("%(part)s of %(whole)s sessions") % {"part": found.all.part, "whole": found.all.whole},
                _("Of what was booked and not called off in time, whatever was sent."),
                before.all.rate,
            ),
            _effect(found),
        ),
        tables=(_groups(found, before), _comparison(found)),
        notes=(
            _(
                "Counted are sessions with a booked time that were attended, missed, or cancelled by the client too late. “Reminded” means that a reminder of this very time went out before it; one about a time that was moved since does not count."
            ),
            _(
                "Those who confirm come more often, but they would have anyway: whoever means to come also presses the button. So the first table describes, it proves nothing. Only the second compares groups that chance alone has made."
            ),
            _holdout_words(scope.clinic.reminder_holdout_percent),
        ),
        is_empty=not found.all.whole,
    )


def _holdout_words(percent: int) -> str:
    if not percent:
        return _(
            "No session is held out at present. An owner may choose a share under Settings, Reminder rules, How we write; after some weeks the comparison stands here."
        )
    return ngettext(
        "At present %(n)s session in a hundred is held out.", "At present %(n)s sessions in a hundred are held out.", percent
    ) % {"n": percent}  # fmt: skip


def _effect(found: ReminderEffect) -> Figure:
    difference = found.difference
    return Figure(
        _("More came by reminders"),
        "points",
        difference.by if difference else None,
        _bounds(difference),
        _("How many more in a hundred came of those reminded than of those whom chance left out."),
        has_before=False,
    )


def _bounds(difference: Difference | None) -> str:
    if difference is None:
        return _("nobody is held out to compare with")
    words = _("between %(least)s and %(most)s with 95 %% certainty") % {
        "least": _points(difference.least),
        "most": _points(difference.most),
    }
    return words if difference.is_certain else _("%(words)s: it may be chance") % {"words": words}


def _points(value: float) -> str:
    return f"{value * 100:+.1f}".replace("-", "−")


def _groups(found: ReminderEffect, before: ReminderEffect) -> Table:
    names = {
        "confirmed": _("Confirmed"),
        "reminded": _("Reminded, not confirmed"),
        "not_reminded": _("Not reminded, not confirmed"),
        "held_out": _("Held out, not confirmed"),
    }
    return Table(
        name="groups",
        title=_("By what was sent and answered"),
        explains=_("Each session is in one group: the first that fits."),
        columns=(
            Column(_("Group"), "text"),
            *_columns(),
            Column(_("Came before"), "share", _("in the period before")),
        ),
        rows=tuple(
            (names[name], *_cells(found.groups[name]), before.groups[name].attended_share.rate)
            for name in GROUPS
            if found.groups[name].whole or name != "held_out"
        ),
        chart=Chart("rows", _("Who came, by group"), ((2, "good"), (3, "serious"), (4, "warning"))),
    )


def _comparison(found: ReminderEffect) -> Table:
    rows = [(_("Reminded"), found.reminded), (_("Held out by chance"), found.held_out)]
    return Table(
        name="comparison",
        title=_("Reminded and held out"),
        explains=_(
            "The same sessions once more, confirmed or not: two groups that only chance made different."
        ),
        columns=(Column(_("Group"), "text"), *_columns()),
        rows=tuple((name, *_cells(outcomes)) for name, outcomes in rows) if found.held_out != _NOBODY else (),
        empty=_("Chance left out nobody in this period, so there is nothing to compare with."),
    )


def _columns() -> tuple[Column, ...]:
    return (
        Column(_("Sessions")),
        Column(_("Came")),
        Column(_("No-shows")),
        Column(_("Cancelled late")),
        Column(_("Came, share"), "share"),
    )


def _cells(outcomes: Outcomes) -> tuple[Cell, ...]:
    return (
        outcomes.whole,
        outcomes.attended,
        outcomes.no_show,
        outcomes.cancelled_late,
        outcomes.attended_share.rate,
    )
