"""One exporter per report: a name, a head and rows; the writers make files of them."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from courses.models import FlagKind
from reports.cells import Cell
from reports.core import Period, Share
from reports.selectors import PeriodFigures

CHUNK = 1000


class Exporter(Protocol):
    """Rows in the order of the head; `name` starts the name of the file."""

    name: str

    def head(self) -> Sequence[str]: ...

    def rows(self) -> Iterator[Sequence[Cell]]: ...


class FigureExporter:
    """The figures of a period as the page shows them, one a row."""

    name = "figures"

    def __init__(self, figures: PeriodFigures, period: Period) -> None:
        self._figures = figures
        self._period = period

    def head(self) -> Sequence[str]:
        return (_("From"), _("To"), _("Figure"), _("Number"), _("Of"), _("Rate"))

    def rows(self) -> Iterator[Sequence[Cell]]:
        figures = self._figures
        for name, share in (
            (_("Came to what was booked"), figures.attendance),
            (_("On time"), figures.on_time),
        ):
            yield self._row(name, share.part, share.whole, share.rate)
        for name, number in ((_("Early"), figures.early), (_("Late"), figures.late)):
            yield self._row(name, number, figures.on_time.whole, Share(number, figures.on_time.whole).rate)
        yield self._row(_("Courses that ran"), figures.ran)
        yield self._row(_("Courses that began"), figures.began)
        for row in figures.findings:
            named = {"finding": capfirst(str(FlagKind(row.kind).label))}
            yield self._row(_("%(finding)s: began") % named, row.opened)
            yield self._row(_("%(finding)s: open now") % named, row.open_now)

    def _row(
        self, name: str, number: int, whole: int | None = None, rate: float | None = None
    ) -> Sequence[Cell]:
        return (self._period.from_on, self._period.to_on, name, number, whole, rate)
