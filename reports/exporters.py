"""One exporter per report: a name, a head and rows; the writers make files of them."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Protocol

from django.db.models import QuerySet
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from courses.convert import zone_of
from courses.models import Course, FlagKind, TreatmentSession
from courses.selectors import next_bookings, open_flags, phases_in_force
from reports.cells import Cell
from reports.core import Period, Share
from reports.selectors import PeriodFigures

CHUNK = 1000


class Exporter(Protocol):
    """Rows in the order of the head; `name` starts the name of the file."""

    name: str

    def head(self) -> Sequence[str]: ...

    def rows(self) -> Iterator[Sequence[Cell]]: ...


class CourseExporter:
    """The courses of a list, one a row, in the list's order.

    Cost: five queries a thousand courses; memory does not grow with their number.
    """

    name = "courses"

    def __init__(self, courses: QuerySet[Course], *, today: date) -> None:
        self._courses = courses
        self._today = today

    def head(self) -> Sequence[str]:
        return (
            _("Course"),
            _("Given name"),
            _("Family name"),
            _("Protocol"),
            _("Status"),
            _("State"),
            _("Started on"),
            _("Phase"),
            _("Attended"),
            _("Sessions at least"),
            _("Sessions at most"),
            _("Target"),
            _("Due from"),
            _("Due by"),
            _("Next booking"),
            _("Attendance rate"),
            _("On time rate"),
            _("Days late in all"),
            _("Projected end"),
            _("Practitioner"),
            _("Findings"),
        )

    def rows(self) -> Iterator[Sequence[Cell]]:
        for chunk in _chunks(self._courses):
            ids = [course.pk for course in chunk]
            phases, flags = phases_in_force(ids), open_flags(ids)
            bookings = next_bookings(ids, today=self._today)
            for course in chunk:
                kinds = " ".join(sorted(flag.kind for flag in flags.get(course.pk, [])))
                yield self._row(course, phases.get(course.pk, []), bookings.get(course.pk), kinds)

    def _row(
        self,
        course: Course,
        phases: Sequence[dict[str, Cell]],
        booking: TreatmentSession | None,
        kinds: str,
    ) -> Sequence[Cell]:
        phase = phases[course.phase_position] if course.phase_position is not None else {}
        return (
            str(course.code),
            course.client.given_name,
            course.client.family_name,
            course.protocol.slug,
            course.status,
            course.state,
            course.start_on,
            phase.get("kind"),
            course.attended_count,
            phase.get("sessions_min"),
            phase.get("sessions_max"),
            phase.get("target"),
            course.due_from_on,
            course.due_by_on,
            _local(booking, course),
            course.attendance_rate,
            course.on_time_rate,
            course.slippage_days,
            course.projected_end_on,
            course.practitioner.display_name if course.practitioner else None,
            kinds,
        )


def _local(booking: TreatmentSession | None, course: Course) -> datetime | None:
    return booking.starts_at.astimezone(zone_of(course.clinic)) if booking and booking.starts_at else None


def _chunks(courses: QuerySet[Course]) -> Iterator[list[Course]]:
    chunk: list[Course] = []
    for course in courses.iterator(chunk_size=CHUNK):
        chunk.append(course)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


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
