"""Courses: how do they all do?"""

from datetime import date
from typing import Any

from django.core.exceptions import BadRequest
from django.http import FileResponse, HttpResponse, StreamingHttpResponse
from django.utils import timezone, translation
from django.utils.http import content_disposition_header

from audit.services import record
from clinics.access import Capability
from clinics.models import Clinic, ListPage
from courses.convert import local_today
from courses.models import Course
from courses.ribbons import load_ribbons
from courses.selectors import CourseFilter, filter_courses, next_bookings, open_flags, phases_in_force
from reports.exporters import CourseExporter
from reports.writers import CSV_TYPE, XLSX_TYPE, csv_lines, xlsx_file
from staff import presenters
from staff.access import StaffRequest, acting, may, staff_page
from staff.answers import show
from staff.forms import CourseFilterForm
from staff.paging import page_of
from staff.searches import go_to_found, searched
from staff.streams import in_language
from staff.views.saved_views import views_context

PAGE_SIZE = 25


@staff_page(read=Capability.READ, write=Capability.READ)
def course_list(request: StaffRequest) -> HttpResponse:
    clinic, now = request.staff_member.clinic, timezone.now()
    today = local_today(clinic, now)
    form = CourseFilterForm(searched(request), clinic=clinic)
    if request.method == "POST":
        return go_to_found(request, names=form.fields)
    wanted = read_filter(form)
    page = page_of(filter_courses(clinic, wanted), request.GET.get("page"), size=PAGE_SIZE)
    page_name = "staff/courses/course_list.html"
    return show(
        request,
        page_name,
        f"{page_name}#courses",
        {
            "form": form,
            "page": page,
            "lines": course_lines(list(page.object_list), today=today),
            "today": today,
            "columns": presenters.sort_columns(wanted.order or "due"),
            "wanted": wanted,
            "may_export": may(request, Capability.EXPORT),
            "may_prescribe": may(request, Capability.PRESCRIBE),
            **views_context(request, ListPage.COURSES),
        },
    )


def read_filter(form: CourseFilterForm) -> CourseFilter:
    """Return what the address asks for; a value that does not exist asks for nothing."""
    form.is_valid()
    chosen: dict[str, Any] = form.cleaned_data
    protocol = chosen.get("protocol")
    return CourseFilter(
        q=chosen.get("q", ""),
        show=chosen.get("show", ""),
        protocol_slug=protocol.slug if protocol else "",
        practitioner=chosen.get("practitioner"),
        order=chosen.get("order", ""),
    )


def course_lines(courses: list[Course], *, today: date) -> list[presenters.CourseLine]:
    """Return courses as lines with their ribbons.

    Cost: eleven queries, whatever their number.
    """
    ids = [course.pk for course in courses]
    phases, flags, bookings = phases_in_force(ids), open_flags(ids), next_bookings(ids, today=today)
    ribbons = load_ribbons(courses, now=timezone.now(), phases=phases)
    return [
        presenters.course_line(
            course,
            phases=phases[course.pk],
            flags=flags.get(course.pk, []),
            ribbon=ribbons[course.pk],
            booking=bookings.get(course.pk),
            today=today,
        )
        for course in courses
    ]


@staff_page(read=Capability.EXPORT)
def export_courses(request: StaffRequest) -> HttpResponse | StreamingHttpResponse | FileResponse:
    """Send exactly the courses that the list shows under the same address, as CSV or XLSX."""
    clinic, now = request.staff_member.clinic, timezone.now()
    file_format = request.GET.get("format", "csv")
    if file_format not in ("csv", "xlsx"):
        raise BadRequest("The format is csv or xlsx.")
    wanted = read_filter(CourseFilterForm(searched(request), clinic=clinic))
    courses = filter_courses(clinic, wanted)
    today = local_today(clinic, now)
    _record_export(request, clinic, wanted, file_format=file_format, count=courses.count())
    exporter = CourseExporter(courses, today=today)
    name = f"{exporter.name}-{today.isoformat()}.{file_format}"
    if file_format == "xlsx":
        return FileResponse(xlsx_file(exporter), as_attachment=True, filename=name, content_type=XLSX_TYPE)
    lines = in_language(csv_lines(exporter), translation.get_language() or "en")
    response = StreamingHttpResponse(lines, content_type=CSV_TYPE)
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name) or ""
    return response


def _record_export(
    request: StaffRequest, clinic: Clinic, wanted: CourseFilter, *, file_format: str, count: int
) -> None:
    record(
        "courses.exported",
        at=timezone.now(),
        by=acting(request),
        clinic_code=clinic.code,
        subject_kind="clinic",
        subject_code=clinic.code,
        # The searched text may be a name, so only whether there was one is kept.
        new={
            "format": file_format,
            "count": count,
            "show": wanted.show,
            "protocol": wanted.protocol_slug,
            "practitioner": str(wanted.practitioner.code) if wanted.practitioner else None,
            "is_searched": bool(wanted.q),
        },
    )
