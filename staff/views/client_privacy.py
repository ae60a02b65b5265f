"""A client's right to their data: all of it as a file, and its erasure."""

import uuid
from datetime import datetime
from typing import Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.services import record
from clients.models import Client
from clinics.access import Capability
from courses.convert import local_today
from courses.models import BOOKED_STATUSES
from reminders.models import LIVE_STATES
from reminders.services.erasing import erase_client
from reports.personal_data import ZIP_TYPE, archive, personal_data
from staff.access import StaffRequest, acting, staff_page
from staff.answers import attempt
from staff.client_forms import EraseForm
from staff.views.clients import find_client

_ERASE: Final = "staff/clients/erase.html"


@staff_page(write=Capability.MANAGE)
def export_client(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    """Send everything that is kept about a client, for the client."""
    client, now = find_client(request, code), timezone.now()
    record(
        "client.exported",
        at=now,
        by=acting(request),
        clinic_code=client.clinic.code,
        subject_kind="client",
        subject_code=client.code,
    )
    response = HttpResponse(archive(personal_data(client, now=now)), content_type=ZIP_TYPE)
    # The code, not the name: a file's name is seen in more places than the file.
    name = f"client-{client.code}-{local_today(client.clinic, now).isoformat()}.zip"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@staff_page(read=Capability.MANAGE, write=Capability.MANAGE)
def erase(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    """Say what goes and what stays, and erase once the name has been typed."""
    client, now = find_client(request, code), timezone.now()
    form = EraseForm(request.POST if request.method == "POST" else None, client=client)
    if request.method == "POST" and form.is_valid():
        with attempt(request, form):
            erase_client(client=client, by=acting(request), now=now)
        if not form.errors:
            messages.success(request, _("The client's data are erased."))
            return redirect("staff:client-list")
    context = {"form": form, "client": client, "ahead": _ahead(client, now=now)}
    return render(request, _ERASE, context, status=422 if form.errors else 200)


def _ahead(client: Client, *, now: datetime) -> list[str]:
    """Return what is still to come and would not: courses, sessions, messages."""
    courses = sum(course.is_open for course in client.courses.all())
    sessions = client.sessions.filter(status__in=BOOKED_STATUSES, starts_at__gt=now).count()
    waiting = client.reminders.filter(state__in=LIVE_STATES).count()
    said = (
        (courses, ngettext("%(n)s course is stopped", "%(n)s courses are stopped", courses)),
        (sessions, ngettext("%(n)s session is cancelled", "%(n)s sessions are cancelled", sessions)),
        (waiting, ngettext("%(n)s message is not sent", "%(n)s messages are not sent", waiting)),
    )
    return [words % {"n": number} for number, words in said if number]
