"""No more messages over one channel, and messages again: by a form, or by a mail program's own button."""

from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clients.models import AccessLink, Channel, Consent, LinkPurpose
from courses.errors import CourseError
from portal.access import (
    find_or_count,
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
from reminders.models import Answer, AnswerVia
from reminders.services.answering import start_channel, stop_channel


# Mail programs press without a cookie of ours; the token in the address is what they prove themselves with.
@csrf_exempt
@portal_page
@require_http_methods(["GET", "HEAD", "POST"])
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    if request.method == "POST":
        return _stop_in_one_click(request, token)
    return follow_link(request, token, LinkPurpose.UNSUBSCRIBE, "portal:channel")


@portal_page
@require_safe
def show_channel(request: HttpRequest, ref: str) -> HttpResponse:
    link = held_link(request, ref, LinkPurpose.UNSUBSCRIBE)
    if link is None:
        return not_found(request)
    channel = _channel_of(link)
    consents = Consent.objects.filter(client=link.client, channel=channel, withdrawn_at=None)
    with translation.override(link.client.language):
        name = str(Channel(channel).label)
    context = {
        "clinic": link.clinic.sender_name or link.clinic.name,
        "phone": link.clinic.phone,
        "channel": name,
        "is_on": consents.exists(),
        "is_erased": link.client.erased_at is not None,
        "note": request.GET.get("note", ""),
        "ref": ref,
    }
    return show(request, "portal/channel.html", context, language=link.client.language)


@portal_page
@require_POST
def stop(request: HttpRequest, ref: str) -> HttpResponse:
    return _press(request, ref, lambda link: _stop(link, AnswerVia.LINK))


@portal_page
@require_POST
def start(request: HttpRequest, ref: str) -> HttpResponse:
    return _press(request, ref, _start)


def _press(request: HttpRequest, ref: str, verb: Callable[[AccessLink], Answer]) -> HttpResponse:
    """Run a verb of the client's and lead back to the page, which says how it stands now."""
    link = held_link(request, ref, LinkPurpose.UNSUBSCRIBE)
    if link is None:
        return not_found(request)
    if not may_press(link):
        return too_many(request)
    address = reverse("portal:channel", kwargs={"ref": ref_of(link)})
    try:
        refusal = verb(link).refusal
    except CourseError as error:
        refusal = error.code
    return HttpResponseRedirect(f"{address}?{urlencode({'note': refusal})}" if refusal else address)


def _stop_in_one_click(request: HttpRequest, token: str) -> HttpResponse:
    """Stop at once, without a page and without leading on, as RFC 8058 asks; pressing again changes nothing."""
    link = find_or_count(request, token, LinkPurpose.UNSUBSCRIBE)
    if not isinstance(link, AccessLink):
        return link
    if request.POST.get("List-Unsubscribe") != "One-Click":
        return _plain("Send List-Unsubscribe=One-Click.", HTTPStatus.BAD_REQUEST)
    if not may_press(link):
        return too_many(request)
    try:
        _stop(link, AnswerVia.UNSUBSCRIBE)
    except CourseError:
        # Somebody was changing the same; mail programs try again.
        return _plain("Try again.", HTTPStatus.SERVICE_UNAVAILABLE)
    return _plain("Unsubscribed.", HTTPStatus.OK)


def _start(link: AccessLink) -> Answer:
    return start_channel(
        client=link.client, channel=_channel_of(link), via=AnswerVia.LINK, now=timezone.now()
    )


def _stop(link: AccessLink, via: AnswerVia) -> Answer:
    return stop_channel(
        client=link.client,
        channel=_channel_of(link),
        via=via,
        reminder=reminder_of(link),
        now=timezone.now(),
    )


def _channel_of(link: AccessLink) -> str:
    return link.subject_key.removeprefix("channel:")


def _plain(text: str, status: int) -> HttpResponse:
    return HttpResponse(text, content_type="text/plain; charset=utf-8", status=status)
