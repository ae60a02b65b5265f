"""One visit: seeing changes nothing, the buttons confirm it, cancel it and move it."""

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clients.models import AccessLink, LinkPurpose
from courses.errors import CourseError
from courses.models import (
    BOOKED_STATUSES,
    CANCELLED_STATUSES,
    Course,
    Pause,
    ReactionReport,
    TreatmentSession,
)
from courses.services import offer_moves
from portal.access import (
    follow_link,
    held_link,
    is_known,
    may_press,
    not_found,
    portal_page,
    ref_of,
    reminder_of,
    show,
    too_many,
)
from portal.presenters import BUSY, DONE, LATE, MOVED, TAKEN, VisitPage, present_visit
from portal.slot_presenters import present_slots
from portal.slots import read_slot
from reminders.models import Answer, AnswerVia
from reminders.services.answering import cancel_by_client, confirm_by_client, move_by_client

# What the last press came to, by the refusal of its answer; any other that concerns the slot means that it is gone.
_NOTES = {"": "", "session_moved": MOVED, "notice_passed": LATE}
_ABOUT_THE_VISIT = ("client_erased", "session_cancelled", "session_over", "session_begun", "course_not_open")


class CancelForm(forms.Form):
    reason = forms.CharField(label=_("Why? The clinic reads it."), max_length=200, required=False)


class Held(NamedTuple):
    """A link that works, the visit it is about or leads on to, and the parts of the visit's addresses."""

    link: AccessLink
    session: TreatmentSession
    parts: dict[str, Any]
    is_known: bool


@portal_page
@require_safe
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    return follow_link(request, token, LinkPurpose.SESSION, "portal:visit")


@portal_page
@require_POST
def confirm(request: HttpRequest, ref: str, code: UUID | None = None) -> HttpResponse:
    held = held_visit(request, ref, code)
    if held is None:
        return not_found(request)
    return _press(request, held, confirm_by_client)


@portal_page
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest, ref: str, code: UUID | None = None) -> HttpResponse:
    held = held_visit(request, ref, code)
    if held is None:
        return not_found(request)
    form = CancelForm(request.POST if request.method == "POST" else None)
    with translation.override(held.link.client.language):
        is_whole = request.method == "POST" and form.is_valid()
    if is_whole:
        return _press(request, held, cancel_by_client, reason=form.cleaned_data["reason"])
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
    return show_held(request, held, "portal/cancel.html", form=form, status=status)


@portal_page
@require_http_methods(["GET", "HEAD", "POST"])
def move(request: HttpRequest, ref: str, code: UUID | None = None) -> HttpResponse:
    """Offer other times, those that keep the prescription first; move the visit to the one pressed."""
    held = held_visit(request, ref, code)
    if held is None:
        return not_found(request)
    if request.method == "POST":
        return _take_slot(request, held)
    with translation.override(held.link.client.language):
        page = page_of(held, "")
        if not page.can_move:
            return lead_to_visit(held, LATE if page.can_cancel else "")
        offers = offer_moves(session=held.session, now=timezone.now())
        days = present_slots(
            offers, about=_about(held), version=held.session.version, client=held.link.client
        )
    context = {"page": page, "days": days, "note": request.GET.get("note", ""), **addresses_of(held)}
    return show(request, "portal/move.html", context, language=held.link.client.language)


def _take_slot(request: HttpRequest, held: Held) -> HttpResponse:
    if not may_press(held.link):
        return too_many(request)
    taken = read_slot(request.POST.get("slot", ""), about=_about(held), clinic=held.session.clinic)
    if taken is None:
        # Shown more than an hour ago: what is free by now stands on the page.
        return HttpResponseRedirect(f"{reverse('portal:visit-move', kwargs=held.parts)}?note={TAKEN}")
    try:
        answer = move_by_client(
            session=held.session,
            client=held.link.client,
            slot=taken.slot,
            via=AnswerVia.LINK,
            reminder=reminder_of(held.link),
            now=timezone.now(),
            seen_version=taken.seen_version,
        )
    except CourseError as error:
        return lead_to_visit(held, BUSY if error.code == "busy" else "")
    if answer.refusal in _NOTES:
        return lead_to_visit(held, _NOTES[answer.refusal] or DONE)
    if answer.refusal in _ABOUT_THE_VISIT:
        return lead_to_visit(held)
    return HttpResponseRedirect(f"{reverse('portal:visit-move', kwargs=held.parts)}?note={TAKEN}")


def _about(held: Held) -> str:
    """Return what a slot is offered for: this visit, to whoever holds this link."""
    return f"{ref_of(held.link)}:{held.session.code}"


def held_visit(request: HttpRequest, ref: str, code: UUID | None) -> Held | None:
    """Return a link with its visit, or with another visit of the course that it opens."""
    purposes = (LinkPurpose.SESSION,) if code is None else (LinkPurpose.SESSION, LinkPurpose.COURSE)
    link = held_link(request, ref, *purposes)
    if link is None:
        return None
    sessions = TreatmentSession.objects.select_related("clinic", "practitioner", "room", "course__protocol")
    sessions = sessions.select_related("course__clinic", "course__client", "course__practitioner")
    sessions = sessions.filter(client=link.client_id)
    parts: dict[str, Any] = {"ref": ref_of(link)}
    if code is None:
        sessions = sessions.filter(code=link.subject_key.removeprefix("session:"))
    else:
        sessions = sessions.filter(code=code, course__in=courses_of(link))
        parts["code"] = code
    session = sessions.first()
    return Held(link, session, parts, is_known(request, link)) if session else None


def courses_of(link: AccessLink) -> Any:
    """Return the course that a link opens: its own, or that of its visit."""
    kind, _colon, code = link.subject_key.partition(":")
    courses = Course.objects.filter(client=link.client_id).exclude(status="draft")
    return courses.filter(code=code) if kind == "course" else courses.filter(sessions__code=code)


def show_held(
    request: HttpRequest,
    held: Held,
    template: str,
    *,
    note: str = "",
    status: int = HTTPStatus.OK,
    **more: Any,
) -> HttpResponse:
    """Show a page about a visit as it stands now."""
    client = held.link.client
    with translation.override(client.language):
        page = page_of(held, note)
    if template == "portal/cancel.html" and not page.can_cancel:
        # Meanwhile there is nothing left to cancel: the visit's page says why.
        return lead_to_visit(held)
    context = {"page": page, **addresses_of(held), **more}
    return show(request, template, context, language=client.language, status=status)


def addresses_of(held: Held) -> dict[str, str]:
    """Return the addresses of the visit's pages and acts, and that of its course."""
    names = (
        *("visit", "visit-confirm", "visit-cancel", "visit-move", "visit-feel"),
        *("visit-wait", "visit-wait-end"),
    )
    found = {name.replace("-", "_"): reverse(f"portal:{name}", kwargs=held.parts) for name in names}
    for name in ("course", "course-book"):
        found[name.replace("-", "_")] = reverse(f"portal:{name}", kwargs={"ref": held.parts["ref"]})
    return found


def page_of(held: Held, note: str) -> VisitPage:
    """Return what the page of a visit shows, in the language in force.

    Cost: two queries at most, four for a visit that was cancelled.
    """
    session, now = held.session, timezone.now()
    pauses = Pause.objects.filter(course=session.course_id, from_on__lte=session.on)
    is_paused = pauses.filter(Q(to_on__isnull=True) | Q(to_on__gte=session.on)).exists()
    return present_visit(
        session,
        held.link.client,
        is_paused=is_paused,
        is_known=held.is_known,
        can_book=session.status in CANCELLED_STATUSES and can_book(session.course, now=now),
        report=ReactionReport.objects.filter(session=session).first() if session.starts_at else None,
        now=now,
        note=note,
    )


def can_book(course: Course, *, now: datetime) -> bool:
    """Return whether the client may book the next visit: the course goes on and nothing is booked; two queries."""
    today = now.astimezone(ZoneInfo(course.clinic.time_zone)).date()
    pauses = Pause.objects.filter(Q(to_on__isnull=True) | Q(to_on__gte=today), from_on__lte=today)
    booked = TreatmentSession.objects.filter(status__in=BOOKED_STATUSES, ends_at__gt=now)
    is_taken = pauses.filter(course=course).exists() or booked.filter(course=course).exists()
    return course.is_open and not is_taken


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
        return lead_to_visit(held, BUSY if error.code == "busy" else "")
    return lead_to_visit(held, MOVED if answer.refusal == "session_moved" else "")


def lead_to_visit(held: Held, note: str = "") -> HttpResponse:
    """Lead back to the visit, whose page says how it stands now."""
    address = reverse("portal:visit", kwargs=held.parts)
    return HttpResponseRedirect(f"{address}?{urlencode({'note': note})}" if note else address)
