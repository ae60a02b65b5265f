"""The client's pages on the home screen of a telephone: kept there by a link of its own, and what installs them."""

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from clients.links import make_kept_link, revoke_link
from portal.access import (
    forget_kept,
    keep_link,
    kept_link,
    may_press,
    not_found,
    portal_page,
    ref_of,
    too_many,
)
from portal.courses import held_course, lead_to_course
from portal.presenters import KEPT
from reminders.services.answering import actor_of


@portal_page
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Lead to the course that this telephone keeps, else say how to come here."""
    link = kept_link(request)
    if link is None:
        return render(request, "portal/home.html", status=HTTPStatus.OK)
    return HttpResponseRedirect(reverse("portal:course", kwargs={"ref": ref_of(link)}))


@portal_page
@require_POST
def keep(request: HttpRequest, ref: str) -> HttpResponse:
    """Keep a course on this telephone by a link of its own, which can be taken back without touching the messages."""
    held = held_course(request, ref)
    if held is None:
        return not_found(request)
    if held.link.client.erased_at is not None or kept_link(request) is not None:
        return lead_to_course(held)
    if not may_press(held.link):
        return too_many(request)
    token_hash = make_kept_link(
        client=held.link.client,
        subject_key=f"course:{held.course.code}",
        by=actor_of(held.link.client),
        now=timezone.now(),
    )
    response = lead_to_course(held, KEPT)
    keep_link(response, token_hash)
    return response


@portal_page
@require_POST
def forget(request: HttpRequest, ref: str) -> HttpResponse:
    """Forget the course on this telephone; the link that was kept works no more."""
    held = held_course(request, ref)
    if held is None:
        return not_found(request)
    link = kept_link(request)
    if link is not None:
        revoke_link(link, now=timezone.now())
    is_the_same = link is not None and link.pk == held.link.pk
    response = HttpResponseRedirect(reverse("portal:home")) if is_the_same else lead_to_course(held)
    forget_kept(response)
    return response


@require_safe
def manifest(request: HttpRequest) -> HttpResponse:
    """Tell a browser how the pages look on a home screen; nothing here is about anybody."""
    start = reverse("portal:home")
    icons: list[dict[str, Any]] = [
        {"src": static(f"img/visits-{size}.png"), "sizes": f"{size}x{size}", "type": "image/png"}
        for size in (192, 512)
    ]
    values = {
        "name": _("My visits"),
        "short_name": _("My visits"),
        "id": start,
        "start_url": start,
        "scope": start,
        "display": "standalone",
        "background_color": "#f7f6f4",
        "theme_color": "#12607a",
        "icons": [*icons, {**icons[1], "purpose": "maskable"}],
    }
    return JsonResponse(values, content_type="application/manifest+json")
