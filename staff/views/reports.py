"""Reports: does the treatment hold?"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import FileResponse, Http404, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import content_disposition_header

from audit.services import record
from clinics.access import Capability
from courses.convert import local_today
from reports.catalogue import CATALOGUE, Entry
from reports.exporters import Exporter, FigureExporter
from reports.pdf import PdfError, render_pdf
from reports.selectors import Scope, period_figures, uncounted_courses
from reports.tables import Report, TableExporter
from reports.writers import CSV_TYPE, XLSX_TYPE, csv_lines, xlsx_file
from staff.access import StaffRequest, acting, staff_page
from staff.presenters import reports as shown
from staff.report_forms import PeriodForm, ReportForm
from staff.streams import in_language

PDF_TYPE = "application/pdf"


@staff_page(read=Capability.EXPORT)
def report_list(request: StaffRequest) -> HttpResponse:
    clinic = request.staff_member.clinic
    today = local_today(clinic, timezone.now())
    form = PeriodForm(request.GET, today=today)
    scope = Scope(clinic, form.period(), today)
    figures = period_figures(scope)
    context = {
        "form": form,
        "period": scope.period,
        "today": today,
        "links": shown.period_links(scope, reverse("staff:report-list")),
        "cards": shown.figure_cards(figures, period_figures(scope.before)),
        "findings": shown.finding_rows(figures),
        "has_any": bool(figures.ran or figures.attendance.whole),
        "query": urlencode(shown.period_query(scope.period)),
        "entries": shown.entry_links(scope.period),
        "uncounted": uncounted_courses(clinic),
    }
    return render(request, "staff/reports/report_list.html", context, status=422 if form.errors else 200)


@staff_page(read=Capability.EXPORT)
def export_figures(request: StaffRequest) -> HttpResponseBase:
    """Send the figures that the first page shows under the same address, as CSV or XLSX."""
    clinic = request.staff_member.clinic
    today = local_today(clinic, timezone.now())
    period = PeriodForm(request.GET, today=today).period()
    file_format = _asked_format(request, "csv", "xlsx")
    exporter = FigureExporter(period_figures(Scope(clinic, period, today)), period)
    new = {"from_on": period.from_on.isoformat(), "to_on": period.to_on.isoformat(), "format": file_format}
    _record(request, "figures.exported", new)
    return _send([exporter], shown.file_name(exporter.name, period, file_format), file_format)


@staff_page(read=Capability.EXPORT)
def report_detail(request: StaffRequest, report: str) -> HttpResponse:
    entry = _entry(report)
    form, scope = _asked(request, entry)
    found = entry.build(scope)
    context = {
        "entry": entry,
        "form": form,
        "page": shown.report_page(entry, found, scope),
        "uncounted": uncounted_courses(scope.clinic),
    }
    return render(request, "staff/reports/report_detail.html", context, status=422 if form.errors else 200)


@staff_page(read=Capability.EXPORT)
def export_report(request: StaffRequest, report: str) -> HttpResponseBase:
    """Send the report that the page shows under the same address: one table as CSV, all as XLSX, the whole as PDF."""
    entry = _entry(report)
    _form, scope = _asked(request, entry)
    file_format = _asked_format(request, "csv", "xlsx", "pdf")
    found = entry.build(scope)
    chosen = found.table(request.GET.get("table", "")) or found.tables[0]
    new = {"report": entry.slug, "format": file_format, **shown.scope_query(scope, entry)}
    if file_format == "pdf":
        return _send_pdf(request, entry, found, scope, new)
    tables = [chosen] if file_format == "csv" else list(found.tables)
    name = f"{entry.slug}-{chosen.name}" if file_format == "csv" else entry.slug
    _record(request, "report.exported", new | ({"table": chosen.name} if file_format == "csv" else {}))
    file_name = shown.file_name(name, shown.period_shown(entry, scope), file_format)
    return _send([TableExporter(table) for table in tables], file_name, file_format)


def _entry(slug: str) -> Entry:
    if slug not in CATALOGUE:
        raise Http404
    return CATALOGUE[slug]


def _asked(request: StaffRequest, entry: Entry) -> tuple[ReportForm, Scope]:
    clinic = request.staff_member.clinic
    form = ReportForm(request.GET, clinic=clinic, entry=entry, today=local_today(clinic, timezone.now()))
    return form, form.scope()


def _asked_format(request: StaffRequest, *allowed: str) -> str:
    file_format = request.GET.get("format", "csv")
    if file_format not in allowed:
        raise BadRequest(f"The format is one of {', '.join(allowed)}.")
    return file_format


def _record(request: StaffRequest, action: str, new: Mapping[str, Any]) -> None:
    clinic = request.staff_member.clinic
    record(
        action,
        at=timezone.now(),
        by=acting(request),
        clinic_code=clinic.code,
        subject_kind="clinic",
        subject_code=clinic.code,
        new=dict(new),
    )


def _send(exporters: list[Exporter], name: str, file_format: str) -> HttpResponseBase:
    if file_format == "xlsx":
        return FileResponse(xlsx_file(*exporters), as_attachment=True, filename=name, content_type=XLSX_TYPE)
    lines = in_language(csv_lines(exporters[0]), translation.get_language() or "en")
    response = StreamingHttpResponse(lines, content_type=CSV_TYPE)
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name) or ""
    return response


def _send_pdf(
    request: StaffRequest, entry: Entry, found: Report, scope: Scope, new: Mapping[str, Any]
) -> HttpResponse:
    """Send the report as a PDF, made at once: it has a page or two. Where that fails, the page prints instead."""
    page = shown.report_page(entry, found, scope)
    context = {"page": page, "entry": entry, "clinic": scope.clinic, "printed_on": timezone.now()}
    try:
        content = render_pdf(render_to_string("staff/reports/report_print.html", context))
    except PdfError as error:
        messages.error(request, f"{error} {shown.print_instead()}")
        return HttpResponseRedirect(page.address)
    _record(request, "report.exported", new)
    response = HttpResponse(content, content_type=PDF_TYPE)
    name = shown.file_name(entry.slug, shown.period_shown(entry, scope), "pdf")
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name) or ""
    return response
