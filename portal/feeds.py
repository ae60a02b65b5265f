"""A client's visits for the client's own calendar, by a secret address that is shown once and can be taken back."""

import hashlib
from collections import defaultdict
from datetime import date, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils import timezone
from django.utils.http import parse_etags
from django.views.decorators.http import require_POST, require_safe

from clients.links import make_feed, note_use, revoke_links
from clients.models import AccessLink, Client, LinkPurpose
from courses.models import BOOKED_STATUSES, CANCELLED_STATUSES, Pause, SessionStatus, TreatmentSession
from portal.access import find_or_count, may_press, not_found, portal_page, show, too_many
from portal.courses import HeldCourse, held_course, lead_to_course
from reminders.calendar import FEED_MEDIA_TYPE, Visit, write_calendar
from reminders.services.answering import actor_of

# What lies further back has been seen.
_KEPT: Final = timedelta(days=90)


@portal_page
@require_safe
def show_calendar(request: HttpRequest, ref: str) -> HttpResponse:
    held = held_course(request, ref)
    if held is None:
        return not_found(request)
    if held.link.client.erased_at is not None:
        return lead_to_course(held)
    return _show(request, held)


# Not led on to another page: only the hash of an address is kept, so it can be shown in this answer alone.
@portal_page
@require_POST
def make(request: HttpRequest, ref: str) -> HttpResponse:
    """Make a new address, which takes the place of the one before; so a second press shows the one that works."""
    held = held_course(request, ref)
    if held is None:
        return not_found(request)
    client = held.link.client
    if client.erased_at is not None:
        return lead_to_course(held)
    if not may_press(held.link):
        return too_many(request)
    token = make_feed(client=client, by=actor_of(client), now=timezone.now())
    return _show(request, held, address=f"{settings.BASE_URL}/c/f/{token}.ics")


@portal_page
@require_POST
def end(request: HttpRequest, ref: str) -> HttpResponse:
    held = held_course(request, ref)
    if held is None:
        return not_found(request)
    if not may_press(held.link):
        return too_many(request)
    client = held.link.client
    revoke_links(client=client, purpose=LinkPurpose.FEED, by=actor_of(client), now=timezone.now())
    return lead_to_course(held, page="calendar")


def _show(request: HttpRequest, held: HeldCourse, *, address: str = "") -> HttpResponse:
    client, clinic = held.link.client, held.link.clinic
    feeds = AccessLink.objects.filter(
        client=client, purpose=LinkPurpose.FEED, revoked_at=None, expires_at__gt=timezone.now()
    )
    context: dict[str, Any] = {
        "clinic": clinic.sender_name or clinic.name,
        "phone": clinic.phone,
        "address": address,
        "program_address": f"webcal://{address.partition('://')[2]}" if address else "",
        "has_feed": bool(address) or feeds.exists(),
        "ref": held.ref,
    }
    return show(request, "portal/calendar.html", context, language=client.language)


@portal_page
@require_safe
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """Answer a calendar program with all visits; what has not changed since it asked last is not sent again."""
    link = find_or_count(request, token, LinkPurpose.FEED)
    if not isinstance(link, AccessLink):
        return link
    client, now = link.client, timezone.now()
    if client.erased_at is not None:
        return not_found(request)
    if request.method == "GET":
        note_use(link, now=now)
    visits = _visits(client, now=now)
    etag = _etag(visits, client)
    if etag in parse_etags(request.headers.get("if-none-match", "")):
        answer: HttpResponse = HttpResponseNotModified()
    else:
        content = write_calendar(visits, clinic=link.clinic, language=client.language, now=now, is_feed=True)
        answer = HttpResponse(content, content_type=FEED_MEDIA_TYPE, status=HTTPStatus.OK)
    answer["ETag"] = etag
    return answer


def _visits(client: Client, *, now: datetime) -> list[Visit]:
    """Return the client's visits by time; those cancelled or put on hold are there as cancelled.

    Cost: two queries.
    """
    rows = TreatmentSession.objects.filter(
        client=client,
        starts_at__gt=now - _KEPT,
        status__in=(*BOOKED_STATUSES, *CANCELLED_STATUSES, SessionStatus.ATTENDED),
    )
    pauses: defaultdict[int, list[tuple[date, date | None]]] = defaultdict(list)
    for course_id, from_on, to_on in Pause.objects.filter(course__client=client).values_list(
        "course_id", "from_on", "to_on"
    ):
        pauses[course_id].append((from_on, to_on))
    found = []
    for row in rows.order_by("starts_at", "pk"):
        is_paused = any(
            first <= row.on and (last is None or row.on <= last) for first, last in pauses[row.course_id]
        )
        is_gone = row.status in CANCELLED_STATUSES or (row.is_booked and is_paused)
        assert row.starts_at is not None, "it was selected by its start"
        found.append(Visit(row.code, row.version, row.starts_at, row.ends_at, is_gone))
    return found


def _etag(visits: list[Visit], client: Client) -> str:
    """Return a mark that changes with everything a calendar shows; weak, as each file says when it was written."""
    clinic = client.clinic
    shown = (
        *(clinic.name, clinic.sender_name, clinic.address, clinic.phone, clinic.time_zone, client.language),
        *(clinic.reply_to_email, urlsplit(settings.BASE_URL).hostname),
    )
    return f'W/"{hashlib.sha256(repr((visits, shown)).encode()).hexdigest()[:32]}"'
