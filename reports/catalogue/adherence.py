"""Adherence: do sessions come when they should?"""

from collections.abc import Hashable, Iterable
from typing import Final, TypeVar

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from reports.catalogue.naming import Names
from reports.cells import Cell
from reports.selectors.adherence import VerdictRow, VerdictTally, by_key, verdict_tallies
from reports.selectors.scope import Scope
from reports.tables import Chart, Column, Figure, Report, Table, Tone

K = TypeVar("K", bound=Hashable)
# Columns on time, early and late.
_STACK: Final[tuple[tuple[int, Tone], ...]] = ((2, "good"), (3, "notice"), (4, "warning"))


def build(scope: Scope) -> Report:
    """Return verdicts in all, by month, protocol and practitioner. Cost: four queries."""
    now, before = verdict_tallies(scope), verdict_tallies(scope.before)
    names = Names(scope.clinic)
    return Report(
        figures=_figures(_total(now), _total(before)),
        tables=(
            _months(now),
            _table(
                "protocols",
                _("By protocol"),
                _("Every version of a protocol counts as that protocol."),
                Column(_("Protocol"), "text"),
                [
                    (names.protocol(key), tally, was)
                    for key, tally, was in _with_before(
                        [(names.slug(row.protocol), row.tally) for row in now],
                        [(names.slug(row.protocol), row.tally) for row in before],
                    )
                ],
            ),
            _table(
                "practitioners",
                _("By practitioner"),
                _(
                    "Who gave the session. It says whose clients come on time, not who is to blame when they do not."
                ),
                Column(_("Practitioner"), "text"),
                [
                    (names.person(key), tally, was)
                    for key, tally, was in _with_before(
                        [(row.practitioner, row.tally) for row in now],
                        [(row.practitioner, row.tally) for row in before],
                    )
                ],
            ),
        ),
        notes=(
            _(
                "Counted are attended sessions that the prescription asked for, each against its own window: the days from the first on which it may come to the last. Sessions beyond the prescription are not counted, nor is a session that did not take place."
            ),
            _(
                "Paused and closed days make nobody late: days late are days on which the clinic was open and the client not paused. Nothing forgives what comes too early, because rest is real time."
            ),
            _("The verdict of a course that is over stays as it was at its end."),
        ),
        is_empty=not _total(now).judged,
    )


def _total(rows: Iterable[VerdictRow]) -> VerdictTally:
    return sum((row.tally for row in rows), VerdictTally())


def _figures(now: VerdictTally, before: VerdictTally) -> tuple[Figure, ...]:
    def share(part: int, whole: int) -> float | None:
        return round(part / whole, 4) if whole else None

    of = ngettext("of %(n)s session with a window", "of %(n)s sessions with a window", now.judged) % {
        "n": now.judged
    }
    return (
        Figure(
            _("On time"), "share", now.on_time_share.rate, f"{now.on_time} {of}",
            _("Attended inside the window."), before.on_time_share.rate,
        ),
        Figure(
            _("Early"), "share", share(now.early, now.judged), f"{now.early} {of}",
            _("Attended before the window began: no harm, but less effect."), share(before.early, before.judged),
        ),
        Figure(
            _("Late"), "share", share(now.late, now.judged), f"{now.late} {of}",
            _("Attended after the window, with at least one day in between on which the client could have come."),
            share(before.late, before.judged),
        ),
        Figure(
            _("Days late in all"), "days", now.late_days,
            ngettext("by %(n)s late session", "by %(n)s late sessions", now.late) % {"n": now.late},
            _("The slippage: the lateness of every late session, added up."), before.late_days,
        ),
    )  # fmt: skip


def _with_before(
    now: list[tuple[K, VerdictTally]], before: list[tuple[K, VerdictTally]]
) -> list[tuple[K, VerdictTally, VerdictTally]]:
    """Return each key of now with its tally and that of before, those with most sessions first."""
    tallies, were = by_key(now), by_key(before)
    ordered = sorted(tallies.items(), key=lambda item: (-item[1].judged, str(item[0])))
    return [(key, tally, were.get(key, VerdictTally())) for key, tally in ordered]


def _months(rows: list[VerdictRow]) -> Table:
    tallies = sorted(by_key((row.month, row.tally) for row in rows).items())
    return Table(
        name="months",
        title=_("By month"),
        explains=_(
            "The month in which the session was attended; the first and the last may be cut by the period."
        ),
        columns=(Column(_("Month"), "month"), *_columns()),
        rows=tuple((month, *_cells(tally)) for month, tally in tallies),
        chart=Chart("stack", _("Sessions by month"), _STACK),
    )


def _table(
    name: str,
    title: str,
    explains: str,
    first: Column,
    rows: list[tuple[str, VerdictTally, VerdictTally]],
) -> Table:
    return Table(
        name=name,
        title=title,
        explains=explains,
        columns=(
            first,
            *_columns(),
            Column(_("On time before"), "share", _("the same of the period before")),
        ),
        rows=tuple((label, *_cells(tally), was.on_time_share.rate) for label, tally, was in rows),
        chart=Chart("rows", title, _STACK),
    )


def _columns() -> tuple[Column, ...]:
    return (
        Column(_("Sessions")),
        Column(_("On time")),
        Column(_("Early")),
        Column(_("Late")),
        Column(_("On time, share"), "share"),
        Column(_("Days late"), "days", _("in all")),
        Column(_("Days per late session"), "days"),
    )


def _cells(tally: VerdictTally) -> tuple[Cell, ...]:
    per_late = round(tally.late_days / tally.late, 1) if tally.late else None
    return (
        tally.judged,
        tally.on_time,
        tally.early,
        tally.late,
        tally.on_time_share.rate,
        tally.late_days,
        per_late,
    )
