"""What the clinic holds about the client: a copy to take away, and the wish to have it erased."""

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.views.decorators.http import require_POST, require_safe

from audit.services import record
from clients.models import ErasureRequest
from clients.services import ask_for_erasure
from portal.access import may_press, not_found, portal_page, show, too_many
from portal.course_presenters import channel_name
from portal.courses import code_channel_of, held_course, lead_to_course
from reminders.services.answering import actor_of
from reports.personal_data import ZIP_TYPE, archive, personal_data


@portal_page
@require_safe
def show_records(request: HttpRequest, ref: str) -> HttpResponse:
    held = held_course(request, ref)
    if held is None:
        return not_found(request)
    client, clinic = held.link.client, held.link.clinic
    if client.erased_at is not None:
        return lead_to_course(held)
    asked = ErasureRequest.objects.filter(client=client, handled_at=None).first()
    with translation.override(client.language):
        channel = channel_name(code_channel_of(held))
    context: dict[str, Any] = {
        "clinic": clinic.sender_name or clinic.name,
        "phone": clinic.phone,
        "is_known": held.is_known,
        "asks_year": client.birth_on is not None,
        "code_channel": channel,
        "is_asked": asked is not None,
        "note": request.GET.get("note", ""),
        "ref": held.ref,
    }
    return show(request, "portal/records.html", context, language=client.language)


@portal_page
@require_POST
def download(request: HttpRequest, ref: str) -> HttpResponse:
    """Give the client a copy, on record; only to whoever has proved to be the client."""
    held = held_course(request, ref)
    if held is None:
        return not_found(request)
    if not held.is_known or held.link.client.erased_at is not None:
        return lead_to_course(held, page="records")
    if not may_press(held.link):
        return too_many(request)
    client, now = held.link.client, timezone.now()
    record(
        "client.copy_given",
        at=now,
        by=actor_of(client),
        clinic_code=held.link.clinic.code,
        subject_kind="client",
        subject_code=client.code,
    )
    with translation.override(client.language):
        content = archive(personal_data(held.course.client, now=now))
    response = HttpResponse(content, content_type=ZIP_TYPE)
    response["Content-Disposition"] = 'attachment; filename="my-data.zip"'
    return response


@portal_page
@require_POST
def ask_erasure(request: HttpRequest, ref: str) -> HttpResponse:
    held = held_course(request, ref)
    if held is None:
        return not_found(request)
    if not held.is_known:
        return lead_to_course(held, page="records")
    if not may_press(held.link):
        return too_many(request)
    try:
        ask_for_erasure(client=held.link.client, by=actor_of(held.link.client), now=timezone.now())
    except ValidationError:
        return lead_to_course(held)
    return lead_to_course(held, page="records")
