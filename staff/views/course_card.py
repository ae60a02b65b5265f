"""The course card: one course on paper, as a PDF."""

import uuid
from typing import Any, Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.http import content_disposition_header

from audit.services import record
from clinics.access import Capability
from courses.models import Course
from reports.pdf import PdfError, render_pdf
from staff.access import StaffRequest, acting, staff_page
from staff.presenters.course_card import printed_ribbon
from staff.views.course import course_context, find_course

# What a sheet holds beside the rest; of more it is said that there are more.
_SESSIONS_MOST: Final = 30


@staff_page(read=Capability.READ)
def show_card(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    course = find_course(request, code)
    try:
        content = render_pdf(render_to_string("staff/course/card.html", card_context(request, course)))
    except PdfError as error:
        messages.error(request, str(error))
        return redirect("staff:course-detail", code)
    record(
        "course.card_made",
        at=timezone.now(),
        by=acting(request),
        clinic_code=course.clinic.code,
        subject_kind="course",
        subject_code=course.code,
    )
    # By the day and not by a name: it lies among others' downloads.
    name = f"course-{timezone.localdate().isoformat()}.pdf"
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name) or ""
    return response


def card_context(request: StaffRequest, course: Course) -> dict[str, Any]:
    """Return what the sheet shows: the course's page without what can be done there."""
    context = course_context(request, course)
    ahead, behind = ([*context[name].seen, *context[name].folded] for name in ("ahead", "behind"))
    return {
        **context,
        "clinic": course.clinic,
        "now": timezone.now(),
        "figure": printed_ribbon(context["ribbon"]),
        "ahead": ahead[:_SESSIONS_MOST],
        "behind": behind[:_SESSIONS_MOST],
        "left_out": max(0, len(ahead) - _SESSIONS_MOST) + max(0, len(behind) - _SESSIONS_MOST),
    }
