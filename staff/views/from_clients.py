"""What clients ask of a person through their own pages: read, acted on, and taken off the worklist."""

import uuid
from datetime import date

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import ErasureRequest
from clients.services import close_erasure_request
from clinics.access import Capability
from clinics.models import Clinic
from courses import services
from courses.models import Pause, ReactionReport
from courses.selectors import open_reports
from staff.access import StaffRequest, acting, staff_page
from staff.answers import attempt
from staff.presenters.from_clients import FromClient, erasure_line, report_line

SHOWN_MOST = 25


def lines_from_clients(clinic: Clinic, *, today: date) -> list[FromClient]:
    """Return what waits for a person, wishes to be erased first.

    Cost: two queries, one more where there are reports.
    """
    wishes = ErasureRequest.objects.for_clinic(clinic).filter(handled_at=None).select_related("client")
    reports = list(open_reports(clinic)[:SHOWN_MOST])
    paused: set[int] = set()
    if reports:
        courses = {report.session.course_id for report in reports}
        pauses = Pause.objects.filter(Q(to_on=None) | Q(to_on__gte=today), course__in=courses)
        paused = set(pauses.values_list("course_id", flat=True))
    return [
        *(erasure_line(wish, today=today) for wish in wishes.order_by("asked_at")[:SHOWN_MOST]),
        *(
            report_line(report, today=today, is_paused=report.session.course_id in paused)
            for report in reports
        ),
    ]


@staff_page(write=Capability.RECORD)
def close_report(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    reports = ReactionReport.objects.for_clinic(request.staff_member.clinic)
    report = get_object_or_404(reports.select_related("clinic", "session__course__client"), code=code)
    with attempt(request) as tried:
        services.close_report(report=report, by=acting(request), now=timezone.now())
    if not tried.is_refused:
        messages.success(request, _("Taken off the list."))
    return redirect("staff:attention")


@staff_page(write=Capability.BOOK)
def close_erasure(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    wishes = ErasureRequest.objects.for_clinic(request.staff_member.clinic).filter(client__code=code)
    wish = wishes.order_by("-asked_at").first()
    if wish is None:
        raise Http404
    close_erasure_request(request=wish, by=acting(request), now=timezone.now())
    messages.success(request, _("Taken off the list."))
    return redirect("staff:attention")
