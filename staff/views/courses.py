"""Courses: how do they all do?"""

from datetime import date
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone, translation

from clinics.access import Capability
from clinics.models import ListPage
from courses.convert import local_today
from courses.errors import CourseError
from courses.models import Course
from courses.ribbons import load_ribbons
from courses.selectors import CourseFilter, filter_courses, next_bookings, open_flags, phases_in_force
from exports.core.choice import FORMATS, Choice
from staff import presenters
from staff.access import StaffRequest, may, staff_page
from staff.answers import show
from staff.forms import CourseFilterForm
from staff.paging import page_of
from staff.searches import go_to_found, searched
from staff.views.exports import answer_choice
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
            **views_context(request, ListPage.COURSES, form),
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
def export_courses(request: StaffRequest) -> HttpResponseBase:
    """Send exactly the courses that the list shows under the same address, or have them made into a file."""
    file_format = request.GET.get("format", "csv")
    if file_format not in FORMATS:
        raise BadRequest("There is no such format.")
    wanted = read_filter(CourseFilterForm(searched(request), clinic=request.staff_member.clinic))
    filters = {
        "show": wanted.show,
        "protocol": wanted.protocol_slug,
        "practitioner": str(wanted.practitioner.code) if wanted.practitioner else "",
        "order": wanted.order,
    }
    choice = Choice(
        table="courses",
        file_format=file_format,
        filters={name: value for name, value in filters.items() if value},
        search=wanted.q,
        language=translation.get_language() or "en",
    )
    try:
        return answer_choice(request, choice, now=timezone.now())
    except CourseError as error:
        messages.error(request, error.message)
        return redirect("staff:export-table", "courses")
