"""Reports in words: figures with what they mean, tables with what stands in each cell, charts beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.formats import number_format
from django.utils.text import capfirst
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from clinics.dates import month_and_year
from clinics.models import Weekday
from courses.models import FlagKind
from reports.catalogue import CATALOGUE, Entry
from reports.cells import Cell
from reports.core import Period, Share, heat_level, usual_periods, weeks_ahead
from reports.drawing import Drawing, Series, draw
from reports.selectors import PeriodFigures, Scope
from reports.tables import Chart, Column, Figure, Kind, Report, Table
from staff.templatetags.interface import day

_NONE: Final = "–"
# Fewer say nothing: such a field of the heat map stays pale.
_LEAST: Final = 5


@dataclass(frozen=True, slots=True)
class FigureCard:
    """One figure: its name, what it is, from what, how it is counted, and what it was before."""

    name: str
    value: str
    of: str
    means: str
    before: str = ""


@dataclass(frozen=True, slots=True)
class ShownCell:
    """One cell: its words, the number behind them for a chart, empty where there is none, and its column's title."""

    text: str
    value: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class ShownRow:
    head: ShownCell
    cells: Sequence[ShownCell]


@dataclass(frozen=True, slots=True)
class ShownColumn:
    title: str
    means: str
    is_number: bool


@dataclass(frozen=True, slots=True)
class HeatField:
    """One field of the map: the share, of how many, and how warm it is; blank where nothing was booked."""

    text: str = ""
    of: str = ""
    tone: str = "none"


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Hours down, weekdays across; each weekday in full and short, for where its column is narrow."""

    weekdays: Sequence[tuple[str, str]]
    rows: Sequence[tuple[str, Sequence[HeatField]]]


@dataclass(frozen=True, slots=True)
class ShownTable:
    name: str
    title: str
    explains: str
    columns: Sequence[ShownColumn]
    rows: Sequence[ShownRow]
    chart: Chart | None
    series: str
    heat: HeatMap | None
    csv_url: str
    empty: str

    @property
    def drawing(self) -> Drawing | None:
        """The chart as it is printed, from the same cells as the one that a script draws on the page."""
        if self.chart is None or not self.rows:
            return None
        series = [
            Series(
                str(self.columns[number].title),
                tone,
                [
                    float(row.cells[number - 1].value) if row.cells[number - 1].value else None
                    for row in self.rows
                ],
            )
            for number, tone in self.chart.series
        ]
        words = _percent_mark if self.chart.kind == "steps" else _mark
        return draw(self.chart.kind, [self._name(row) for row in self.rows], series, words=words)

    def _name(self, row: ShownRow) -> str:
        label = self.chart.label if self.chart else 0
        return f"{row.head.text} · {row.cells[label - 1].text}" if label else row.head.text


@dataclass(frozen=True, slots=True)
class Link:
    name: str
    url: str
    is_here: bool = False


@dataclass(frozen=True, slots=True)
class ReportPage:
    """A whole page. `days`: the period it is about; `before`: the one it is compared with, blank where with none."""

    title: str
    question: str
    days: str
    before: str
    filters: str
    figures: Sequence[FigureCard]
    tables: Sequence[ShownTable]
    notes: Sequence[str]
    is_empty: bool
    empty: str
    links: Sequence[Link]
    others: Sequence[Link]
    address: str
    xlsx_url: str
    pdf_url: str


# ---------------------------------------------------------------- addresses


def period_query(period: Period) -> dict[str, str]:
    return {"from_on": period.from_on.isoformat(), "to_on": period.to_on.isoformat()}


def scope_query(scope: Scope, entry: Entry) -> dict[str, str]:
    """Return what an address asks for: the period or the weeks, and the filters that are set."""
    found = period_query(scope.period) if entry.period else {"weeks": str(scope.weeks)}
    if scope.protocol:
        found["protocol"] = scope.protocol.slug
    if scope.practitioner:
        found["practitioner"] = str(scope.practitioner.code)
    return found


def period_links(scope: Scope, address: str, others: Mapping[str, str] | None = None) -> list[Link]:
    """Return the usual periods as links, with the other filters kept."""
    names = {
        "thirty": _("Last 30 days"),
        "month": _("This month"),
        "last_month": _("Last month"),
        "year": _("This year"),
        "twelve": _("Last 12 months"),
    }
    usual = usual_periods(scope.today)
    # At a month's end two names mean the same days: the reader is at the first of them.
    here = next((name for name, one in usual.items() if one == scope.period), "")
    return [
        Link(names[name], f"{address}?{urlencode({**period_query(one), **(others or {})})}", name == here)
        for name, one in usual.items()
    ]


def entry_links(period: Period) -> list[dict[str, Any]]:
    """Return every report with its question, asked for the same period where it is about one."""
    return [
        {
            "entry": entry,
            "url": reverse("staff:report-detail", args=[entry.slug])
            + (f"?{urlencode(period_query(period))}" if entry.period == "thirty" else ""),
        }
        for entry in CATALOGUE.values()
    ]


def file_name(name: str, period: Period, file_format: str) -> str:
    return f"{name}-{period.from_on.isoformat()}-{period.to_on.isoformat()}.{file_format}"


def period_shown(entry: Entry, scope: Scope) -> Period:
    """Return the days that a report is about: its period, or the weeks ahead."""
    return scope.period if entry.period else weeks_ahead(scope.today, scope.weeks)


def print_instead() -> str:
    return _("Print the page instead: the browser can save that as a PDF.")


# ---------------------------------------------------------------- a report


def report_page(entry: Entry, report: Report, scope: Scope) -> ReportPage:
    """Return a report as its page shows it."""
    query = scope_query(scope, entry)
    address = reverse("staff:report-detail", args=[entry.slug])
    export = reverse("staff:report-table", args=[entry.slug])
    period = period_shown(entry, scope)
    filters = {name: value for name, value in query.items() if name in ("protocol", "practitioner")}
    return ReportPage(
        title=str(entry.title),
        question=str(entry.question),
        days=_days(period, scope.today),
        before=_days(scope.period.before, scope.today) if entry.period else "",
        filters=_filter_words(scope),
        figures=[_card(figure) for figure in report.figures],
        tables=[_table(table, f"{export}?{urlencode(query)}", scope) for table in report.tables],
        notes=report.notes,
        is_empty=report.is_empty,
        empty=str(entry.empty),
        links=period_links(scope, address, filters) if entry.period else [],
        others=_other_reports(entry, query),
        address=f"{address}?{urlencode(query)}",
        xlsx_url=f"{export}?{urlencode({**query, 'format': 'xlsx'})}",
        pdf_url=f"{export}?{urlencode({**query, 'format': 'pdf'})}",
    )


def _days(period: Period, today: date) -> str:
    return f"{day(period.from_on, today)} – {day(period.to_on, today)}"


def _filter_words(scope: Scope) -> str:
    names = [scope.protocol.name_in(get_language() or "en")] if scope.protocol else []
    return ", ".join([*names, scope.practitioner.display_name] if scope.practitioner else names)


def _other_reports(here: Entry, query: Mapping[str, str]) -> list[Link]:
    """Return the reports as links; the period and the filters go along to those that are about a period too."""
    found = []
    for entry in CATALOGUE.values():
        kept = query if bool(entry.period) == bool(here.period) else {
            name: value for name, value in query.items() if name in ("protocol", "practitioner")
        }  # fmt: skip
        address = reverse("staff:report-detail", args=[entry.slug])
        link = f"{address}?{urlencode(kept)}" if kept else address
        found.append(Link(str(entry.title), link, entry is here))
    return found


def _card(figure: Figure) -> FigureCard:
    return FigureCard(
        figure.name,
        cell_words(figure.value, figure.kind),
        figure.of,
        figure.means,
        _before_words(figure) if figure.has_before else "",
    )


def _before_words(figure: Figure) -> str:
    if figure.before is None:
        return _("Nothing to compare with in the period before.")
    words = {"before": cell_words(figure.before, figure.kind)}
    if figure.value is None:
        return _("%(before)s in the period before.") % words
    change = figure.value - figure.before
    kind: Kind = "points" if figure.kind == "share" else figure.kind
    if cell_words(abs(change), kind) == cell_words(0, kind):
        return _("%(before)s in the period before, as now.") % words
    sign = "" if kind == "points" else ("+" if change > 0 else "−")
    shown = cell_words(change if kind == "points" else abs(change), kind)
    return _("%(before)s in the period before: %(change)s.") % (
        # In one piece: a number without its unit says nothing.
        words | {"change": f"{sign}{shown}".replace(" ", "\u00a0")}
    )


def _table(table: Table, export: str, scope: Scope) -> ShownTable:
    return ShownTable(
        name=table.name,
        title=table.title,
        explains=table.explains,
        columns=[ShownColumn(column.title, column.means, column.kind != "text") for column in table.columns],
        rows=[_row(row, table.columns, scope.today) for row in table.rows],
        chart=table.chart,
        series=" ".join(f"{number}:{tone}" for number, tone in table.chart.series) if table.chart else "",
        heat=_heat_map(table) if table.is_heat else None,
        csv_url=f"{export}&{urlencode({'format': 'csv', 'table': table.name})}",
        empty=table.empty or _("Nothing to show in this table."),
    )


def _row(row: Sequence[Cell], columns: Sequence[Column], today: date) -> ShownRow:
    head, *cells = (
        ShownCell(cell_words(cell, column.kind, today=today), _value(cell, column.kind), str(column.title))
        for cell, column in zip(row, columns, strict=True)
    )
    return ShownRow(head, cells)


def _value(cell: Cell, kind: Kind) -> str:
    """Return the number that a chart draws: a share in per cent, minutes in hours."""
    if not isinstance(cell, int | float):
        return ""
    if kind in ("share", "points"):
        return str(round(cell * 100, 2))
    return str(round(cell / 60, 2)) if kind == "minutes" else str(cell)


def cell_words(cell: Cell, kind: Kind, *, today: date | None = None) -> str:
    """Return a cell as a page says it; a dash for nothing."""
    if cell is None:
        return _NONE
    if isinstance(cell, str):
        return cell
    if isinstance(cell, date):
        return month_and_year(cell) if kind == "month" else day(cell, today)
    if not isinstance(cell, int | float):
        return str(cell)
    return _number_words(cell, kind)


def _number_words(number: float, kind: Kind) -> str:
    if kind == "share":
        return _percent(number)
    if kind == "points":
        sign = "+" if number > 0 else "−" if number < 0 else ""
        points = number_format(abs(number) * 100, 1)
        return _("%(points)s points") % {"points": f"{sign}{points}"}
    if kind == "minutes":
        hours, minutes = divmod(int(number), 60)
        return _("%(hours)s h %(minutes)s min") % {
            "hours": number_format(hours, use_l10n=True, force_grouping=True),
            "minutes": f"{minutes:02}",
        }
    if kind == "hour":
        return f"{int(number):02}:00"
    if kind == "weekday":
        return capfirst(str(Weekday(int(number)).label))
    if number != int(number):
        return number_format(number, 1)
    return number_format(int(number), force_grouping=True)


def _mark(number: float) -> str:
    return number_format(int(number), force_grouping=True)


def _percent_mark(number: float) -> str:
    return _percent(number / 100)


def _percent(rate: float) -> str:
    return _("%(percent)s %%") % {"percent": round(rate * 100)}


def _heat_map(table: Table) -> HeatMap:
    """Return hours down and weekdays across, each field with the share of no-shows."""
    found = {(row[0], row[1]): row for row in table.rows}
    hours = sorted({hour for _weekday, hour in found if isinstance(hour, int)})
    weekdays = sorted({weekday for weekday, _hour in found if isinstance(weekday, int)})
    return HeatMap(
        weekdays=[
            (capfirst(str(Weekday(weekday).label)), capfirst(str(WEEKDAYS_ABBR[weekday - 1])))
            for weekday in weekdays
        ],
        rows=[
            (f"{hour:02}:00", [_heat_field(found.get((weekday, hour))) for weekday in weekdays])
            for hour in hours
        ],
    )


def _heat_field(row: Sequence[Any] | None) -> HeatField:
    if row is None:
        return HeatField()
    _weekday, _hour, whole, _came, no_shows, _late, _rate = row
    share = Share(no_shows, whole)
    level = heat_level(share, least=_LEAST)
    return HeatField(
        rate_words(share),
        ngettext("of %(n)s", "of %(n)s", whole) % {"n": whole},
        "few" if level is None else str(level),
    )


# ---------------------------------------------------------------- the first page


def figure_cards(figures: PeriodFigures, before: PeriodFigures) -> list[FigureCard]:
    attendance = Figure(
        _("Came to what was booked"),
        "share",
        figures.attendance.rate,
        _("%(part)s of %(whole)s sessions") % _said(figures.attendance),
        _(
            "Attended sessions, of those attended, missed, or cancelled by the client too late. What was moved or cancelled in time does not count."
        ),
        before.attendance.rate,
    )
    on_time = Figure(
        _("On time"),
        "share",
        figures.on_time.rate,
        _("%(part)s of %(whole)s attended; %(early)s early, %(late)s late")
        % (_said(figures.on_time) | {"early": figures.early, "late": figures.late}),
        _(
            "Attended sessions inside their window, of all that were prescribed. Paused and closed days make nobody late."
        ),
        before.on_time.rate,
    )
    ran = Figure(
        _("Courses that ran"),
        "count",
        figures.ran,
        ngettext("%(n)s of them began", "%(n)s of them began", figures.began) % {"n": figures.began},
        _("Courses that had begun by the last day and had not ended before the first, paused ones too."),
        before.ran,
    )
    return [_card(figure) for figure in (attendance, on_time, ran)]


def rate_words(share: Share) -> str:
    """Return a share in per cent; a dash where there is nothing to divide by."""
    return _NONE if share.rate is None else _percent(share.rate)


def _said(share: Share) -> dict[str, int]:
    return {"part": share.part, "whole": share.whole}


def finding_rows(figures: PeriodFigures) -> list[tuple[str, int, int]]:
    """Return the kinds of findings with how many began in the period and how many are open now."""
    return [(capfirst(str(FlagKind(row.kind).label)), row.opened, row.open_now) for row in figures.findings]
