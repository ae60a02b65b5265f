"""Background jobs: what is being done, how far it is, and stopping it or letting it go on."""

import uuid
from typing import Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from clinics.access import Capability
from clinics.jobs import cancel_job, retry_job
from clinics.models import BackgroundJob
from staff.access import StaffRequest, acting, staff_page
from staff.presenters.jobs import job_line

_PAGE: Final = 25
# htmx then asks no more.
_STOP_POLLING: Final = 286


@staff_page(read=Capability.BOOK)
def job_list(request: StaffRequest) -> HttpResponse:
    jobs = BackgroundJob.objects.for_clinic(request.staff_member.clinic).select_related("started_by")
    page = Paginator(jobs, _PAGE).get_page(request.GET.get("page"))
    return render(
        request, "staff/jobs/job_list.html", {"page": page, "lines": [job_line(job) for job in page]}
    )


def _find(request: StaffRequest, code: uuid.UUID) -> BackgroundJob:
    return get_object_or_404(BackgroundJob.objects.for_clinic(request.staff_member.clinic), code=code)


@staff_page(read=Capability.BOOK)
def progress(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    """Show how far a job is; once it has ended, the page that asks is loaded anew to show what came of it."""
    job = _find(request, code)
    response = render(request, "staff/jobs/_progress.html", {"job": job_line(job)})
    if job.has_ended:
        response.status_code = _STOP_POLLING
        response.headers["HX-Refresh"] = "true"
    return response


@staff_page(write=Capability.BOOK)
def stop(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    job = cancel_job(job=_find(request, code), by=acting(request), now=timezone.now())
    messages.success(request, _("It is stopped. What was done until then stays done."))
    return redirect(job_line(job).url or "staff:job-list")


@staff_page(write=Capability.BOOK)
def retry(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    job = retry_job(job=_find(request, code), by=acting(request), now=timezone.now())
    messages.success(request, _("It goes on where it stopped."))
    return redirect(job_line(job).url or "staff:job-list")
