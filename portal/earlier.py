"""The page of a visit, and an earlier time for it: asking to be told, no longer asking, and taking one that has become free."""

from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.text import capfirst
from django.views.decorators.http import require_POST, require_safe

from courses.errors import CourseError
from courses.models import EarlierOutcome, EarlierSlot, Waiting
from courses.services import stop_waiting, wait_for_earlier
from portal.access import may_press, not_found, portal_page, reminder_of, too_many
from portal.presenters import BUSY, DONE, GONE, named_time
from portal.visits import Held, held_visit, lead_to_visit, show_held
from reminders.models import AnswerVia
from reminders.services.answering import actor_of, take_earlier_by_client
from reminders.texts.dates import day_text


class Offered(NamedTuple):
    """An earlier time that can be taken, in words, and where to press for it."""

    when: str
    url: str


def offered_for(held: Held) -> list[Offered]:
    """Return the earlier times that are open to a visit, the earliest first, in the client's language; one query."""
    session, client, zone = held.session, held.link.client, ZoneInfo(held.link.clinic.time_zone)
    offers = EarlierSlot.objects.filter(
        waiting__session=session, outcome=EarlierOutcome.OPEN, expires_at__gt=timezone.now()
    )
    found = []
    for offer in offers.select_related("freed").order_by("freed__starts_at"):
        at = offer.freed.starts_at
        if session.starts_at is None or at >= session.starts_at:
            continue
        with translation.override(client.language):
            when = f"{day_text(at.astimezone(zone).date(), client.language)}, {named_time(at, client, zone)}"
        url = reverse("portal:visit-earlier", kwargs={**held.parts, "offer": offer.code})
        found.append(Offered(capfirst(when), url))
    return found


@portal_page
@require_safe
def show_visit(request: HttpRequest, ref: str, code: UUID | None = None) -> HttpResponse:
    """Show a visit, with the earlier times that are open to it."""
    held = held_visit(request, ref, code)
    if held is None:
        return not_found(request)
    waits = Waiting.objects.filter(session=held.session, ended_at=None).exists()
    offers = offered_for(held) if waits else []
    note = request.GET.get("note", "")
    return show_held(request, held, "portal/visit.html", note=note, waits=waits, offers=offers)


@portal_page
@require_POST
def wait(request: HttpRequest, ref: str, code: UUID | None = None) -> HttpResponse:
    return _press(
        request,
        held_visit(request, ref, code),
        lambda held: wait_for_earlier(
            session=held.session, by=actor_of(held.link.client), now=timezone.now()
        ),
    )


@portal_page
@require_POST
def end_wait(request: HttpRequest, ref: str, code: UUID | None = None) -> HttpResponse:
    return _press(
        request,
        held_visit(request, ref, code),
        lambda held: stop_waiting(session=held.session, by=actor_of(held.link.client), now=timezone.now()),
    )


def _press(request: HttpRequest, held: Held | None, verb: Callable[[Held], object]) -> HttpResponse:
    if held is None or held.link.client.erased_at is not None:
        return not_found(request)
    if not may_press(held.link):
        return too_many(request)
    try:
        verb(held)
    except CourseError as error:
        return lead_to_visit(held, BUSY if error.code == "busy" else "")
    return lead_to_visit(held)


@portal_page
@require_POST
def take(request: HttpRequest, ref: str, offer: UUID, code: UUID | None = None) -> HttpResponse:
    held = held_visit(request, ref, code)
    if held is None:
        return not_found(request)
    if not may_press(held.link):
        return too_many(request)
    offers = EarlierSlot.objects.select_related("freed__practitioner", "freed__room")
    found = offers.select_related("waiting__session__course__clinic").filter(
        code=offer, waiting__session=held.session
    )
    chosen = found.first()
    if chosen is None:
        return not_found(request)
    try:
        answer = take_earlier_by_client(
            offer=chosen,
            client=held.link.client,
            via=AnswerVia.LINK,
            reminder=reminder_of(held.link),
            now=timezone.now(),
        )
    except CourseError as error:
        return lead_to_visit(held, BUSY if error.code == "busy" else "")
    return lead_to_visit(held, GONE if answer.refusal else DONE)
