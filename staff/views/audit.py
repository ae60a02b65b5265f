"""The audit log: who did what, when, and what it was before."""

from typing import Final

from django.core.paginator import Paginator
from django.http import HttpResponse, StreamingHttpResponse
from django.utils import timezone, translation
from django.utils.http import content_disposition_header

from audit.services import record
from clinics.access import Capability
from courses.convert import local_today
from reports.writers import CSV_TYPE, csv_lines
from staff.access import StaffRequest, acting, may, staff_page
from staff.answers import show
from staff.audit_events import AuditExporter, audit_lines, filter_events
from staff.audit_forms import AuditFilterForm
from staff.streams import in_language

PAGE_SIZE: Final = 50
_LIST: Final = "staff/audit/audit_list.html"


@staff_page(read=Capability.MANAGE)
def audit_list(request: StaffRequest) -> HttpResponse:
    clinic = request.staff_member.clinic
    today = local_today(clinic, timezone.now())
    form = AuditFilterForm(request.GET, clinic=clinic)
    wanted = form.wanted()
    page = Paginator(filter_events(clinic, wanted), PAGE_SIZE).get_page(request.GET.get("page"))
    lines = audit_lines(clinic, list(page.object_list), today=today)
    context = {
        "form": form,
        "wanted": wanted,
        "page": page,
        "lines": lines,
        "about": next((line.about for line in lines if wanted.about), ""),
        "today": today,
        "zone": clinic.time_zone,
        "may_export": may(request, Capability.EXPORT),
    }
    return show(request, _LIST, f"{_LIST}#events", context)


@staff_page(read=Capability.MANAGE)
def export_audit(request: StaffRequest) -> StreamingHttpResponse:
    """Send exactly the events that the log shows under the same address, as CSV."""
    clinic, now = request.staff_member.clinic, timezone.now()
    today = local_today(clinic, now)
    wanted = AuditFilterForm(request.GET, clinic=clinic).wanted()
    # Up to the last event there is: the export's own comes behind it.
    events = filter_events(clinic, wanted)
    count, last = events.count(), events.values_list("pk", flat=True).order_by("-pk").first()
    record(
        "audit.exported",
        at=now,
        by=acting(request),
        clinic_code=clinic.code,
        subject_kind="clinic",
        subject_code=clinic.code,
        new={"format": "csv", "count": count},
    )
    exporter = AuditExporter(clinic, events.filter(pk__lte=last or 0), today=today)
    lines = in_language(csv_lines(exporter), translation.get_language() or "en")
    response = StreamingHttpResponse(lines, content_type=CSV_TYPE)
    name = f"{exporter.name}-{today.isoformat()}.csv"
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name) or ""
    return response
