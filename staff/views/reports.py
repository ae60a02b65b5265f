"""Reports: does the treatment hold?"""

from urllib.parse import urlencode

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from audit.services import record
from clinics.access import Capability
from courses.convert import local_today
from reports.core import Period, usual_periods
from reports.exporters import FigureExporter
from reports.selectors import period_figures
from reports.writers import CSV_TYPE, csv_lines
from staff.access import StaffRequest, acting, staff_page
from staff.presenters import reports as shown
from staff.report_forms import PeriodForm
from staff.streams import in_language


@staff_page(read=Capability.EXPORT)
def report_list(request: StaffRequest) -> HttpResponse:
    clinic = request.staff_member.clinic
    today = local_today(clinic, timezone.now())
    form = PeriodForm(request.GET, today=today)
    period = form.period()
    figures = period_figures(clinic, period, today=today)
    names = {
        "thirty": _("Last 30 days"),
        "month": _("This month"),
        "last_month": _("Last month"),
        "year": _("This year"),
    }
    usual = usual_periods(today)
    context = {
        "form": form,
        "period": period,
        "today": today,
        "links": [(names[name], _address(one), one == period) for name, one in usual.items()],
        "cards": shown.figure_cards(figures),
        "findings": shown.finding_rows(figures),
        "has_any": bool(figures.ran or figures.attendance.whole),
        "query": _query(period),
    }
    return render(request, "staff/reports/report_list.html", context, status=422 if form.errors else 200)


def _query(period: Period) -> str:
    return urlencode({"from_on": period.from_on.isoformat(), "to_on": period.to_on.isoformat()})


def _address(period: Period) -> str:
    return f"{reverse('staff:report-list')}?{_query(period)}"


@staff_page(read=Capability.EXPORT)
def export_figures(request: StaffRequest) -> StreamingHttpResponse:
    """Send the figures that the page shows under the same address, as CSV."""
    clinic, now = request.staff_member.clinic, timezone.now()
    today = local_today(clinic, now)
    period = PeriodForm(request.GET, today=today).period()
    exporter = FigureExporter(period_figures(clinic, period, today=today), period)
    record(
        "figures.exported",
        at=now,
        by=acting(request),
        clinic_code=clinic.code,
        subject_kind="clinic",
        subject_code=clinic.code,
        new={"from_on": period.from_on.isoformat(), "to_on": period.to_on.isoformat()},
    )
    lines = in_language(csv_lines(exporter), translation.get_language() or "en")
    response = StreamingHttpResponse(lines, content_type=CSV_TYPE)
    name = f"{exporter.name}-{period.from_on.isoformat()}-{period.to_on.isoformat()}.csv"
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name) or ""
    return response
