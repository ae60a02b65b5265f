"""The reports there are, in the order in which they are shown: what each asks, and what makes it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from reports.catalogue import adherence, drift, forecast, load, missed, reminding, retention
from reports.selectors.scope import Scope
from reports.tables import Report


@dataclass(frozen=True, slots=True)
class Entry:
    """One report. `period` names the usual period it begins with; a forecast has none and looks ahead instead."""

    slug: str
    icon: str
    title: str | Promise
    question: str | Promise
    empty: str | Promise
    build: Callable[[Scope], Report]
    period: str = "thirty"


CATALOGUE: Final = {
    entry.slug: entry
    for entry in (
        Entry(
            "adherence",
            "target",
            _("Adherence"),
            _("Do sessions come when they should?"),
            _(
                "As soon as a session of a course is recorded as attended, it is compared with its window and counted here."
            ),
            adherence.build,
        ),
        Entry(
            "retention",
            "stairs-up",
            _("Retention"),
            _("How far do clients come?"),
            _(
                "Courses that begin in the period are followed session by session here, however long that takes. A year shows most."
            ),
            retention.build,
            period="twelve",
        ),
        Entry(
            "no-shows",
            "user-x",
            _("No-shows"),
            _("When do clients not come?"),
            _(
                "Booked sessions with an outcome are laid out by weekday and hour here, on the clinic's clock."
            ),
            missed.build,
        ),
        Entry(
            "drift",
            "flag",
            _("Findings"),
            _("What goes off course, why, and for how long?"),
            _(
                "What Needs attention shows is counted here from the day on which it began, and timed until it no longer holds."
            ),
            drift.build,
        ),
        Entry(
            "reminders",
            "bell",
            _("Effect of reminders"),
            _("Do reminders bring clients here?"),
            _("Booked sessions with an outcome are counted here by what went out before them."),
            reminding.build,
        ),
        Entry(
            "forecast",
            "calendar-stats",
            _("Maintenance ahead"),
            _("How many visits will be asked for?"),
            _(
                "Courses with a maintenance phase are carried forward here, week by week. None runs at present."
            ),
            forecast.build,
            period="",
        ),
        Entry(
            "load",
            "users",
            _("Workload"),
            _("How full is whose time?"),
            _("Whoever treats clients is shown here with hours, bookings and visits. Nobody does so far."),
            load.build,
        ),
    )
}

__all__ = ["CATALOGUE", "Entry"]
