"""One visit: seeing changes nothing, the two buttons do."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django import forms
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clients.models import AccessLink, LinkPurpose
from courses.errors import CourseError
from courses.models import Pause, TreatmentSession
from portal.access import (
    follow_link,
    held_link,
    may_press,
    not_found,
    portal_page,
    ref_of,
    reminder_of,
    show,
    too_many,
)
from portal.presenters import BUSY, MOVED, VisitPage, present_visit
from reminders.models import Answer, AnswerVia
from reminders.services.answering import cancel_by_client, confirm_by_client


class CancelForm(forms.Form):
    reason = forms.CharField(label=_("Why? The clinic reads it."), max_length=200, required=False)


class Held(NamedTuple):
    """A link that works, and the visit it is about."""

    link: AccessLink
    session: TreatmentSession


@portal_page
@require_safe
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    return follow_link(request, token, LinkPurpose.SESSION, "portal:visit")


@portal_page
@require_safe
def show_visit(request: HttpRequest, ref: str) -> HttpResponse:
    held = _held(request, ref)
    if held is None:
        return not_found(request)
    return _show(request, held, "portal/visit.html", note=request.GET.get("note", ""))


@portal_page
@require_POST
def confirm(request: HttpRequest, ref: str) -> HttpResponse:
    held = _held(request, ref)
    if held is None:
        return not_found(request)
    return _press(request, held, confirm_by_client)


@portal_page
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest, ref: str) -> HttpResponse:
    held = _held(request, ref)
    if held is None:
        return not_found(request)
    form = CancelForm(request.POST if request.method == "POST" else None)
    with translation.override(held.link.client.language):
        is_whole = request.method == "POST" and form.is_valid()
    if is_whole:
        return _press(request, held, cancel_by_client, reason=form.cleaned_data["reason"])
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
    return _show(request, held, "portal/cancel.html", form=form, status=status)


def _held(request: HttpRequest, ref: str) -> Held | None:
    link = held_link(request, ref, LinkPurpose.SESSION)
    if link is None:
        return None
    session = (
        TreatmentSession.objects.select_related("clinic", "course__protocol")
        .filter(code=link.subject_key.removeprefix("session:"), client=link.client_id)
        .first()
    )
    return Held(link, session) if session else None


def _show(
    request: HttpRequest,
    held: Held,
    template: str,
    *,
    note: str = "",
    status: int = HTTPStatus.OK,
    **more: Any,
) -> HttpResponse:
    client = held.link.client
    with translation.override(client.language):
        page = _page(held, note)
    if template == "portal/cancel.html" and not page.can_cancel:
        # Meanwhile there is nothing left to cancel: the visit's page says why.
        return _back(held)
    context = {"page": page, "ref": ref_of(held.link), **more}
    return show(request, template, context, language=client.language, status=status)


def _page(held: Held, note: str) -> VisitPage:
    session = held.session
    pauses = Pause.objects.filter(course=session.course_id, from_on__lte=session.on)
    is_paused = pauses.filter(Q(to_on__isnull=True) | Q(to_on__gte=session.on)).exists()
    return present_visit(session, held.link.client, is_paused=is_paused, now=timezone.now(), note=note)


def _press(request: HttpRequest, held: Held, verb: Callable[..., Answer], **values: str) -> HttpResponse:
    """Run a verb of the client's and lead back to the visit, whose state says what became of it."""
    if not may_press(held.link):
        return too_many(request)
    version = request.POST.get("version", "")
    try:
        answer = verb(
            session=held.session,
            client=held.link.client,
            via=AnswerVia.LINK,
            reminder=reminder_of(held.link),
            now=timezone.now(),
            seen_version=int(version) if version.isdecimal() and len(version) < 10 else None,
            **values,
        )
    except CourseError as error:
        return _back(held, BUSY if error.code == "busy" else "")
    return _back(held, MOVED if answer.refusal == "session_moved" else "")


def _back(held: Held, note: str = "") -> HttpResponse:
    address = reverse("portal:visit", kwargs={"ref": ref_of(held.link)})
    return HttpResponseRedirect(f"{address}?{urlencode({'note': note})}" if note else address)
