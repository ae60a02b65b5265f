"""A client's right to their data: all of it as a file, and its erasure."""

import uuid

from django.http import HttpResponse
from django.utils import timezone

from audit.services import record
from clinics.access import Capability
from courses.convert import local_today
from reports.personal_data import ZIP_TYPE, archive, personal_data
from staff.access import StaffRequest, acting, staff_page
from staff.views.clients import find_client


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
