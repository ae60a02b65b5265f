"""My course: what comes next, how far it is, and the next visit to book."""

from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clients.models import AccessLink, LinkPurpose
from courses.errors import CourseError
from courses.models import BOOKED_STATUSES, Course, EarlierOutcome, EarlierSlot, TreatmentSession
from courses.ribbons import load_ribbons
from courses.services import may_report, offer_slots
from portal.access import (
    follow_link,
    held_link,
    is_known,
    kept_link,
    make_known,
    may_press,
    not_found,
    portal_page,
    ref_of,
    reminder_of,
    show,
    too_many,
)
from portal.course_presenters import CoursePage, VisitLine, channel_name, present_course, visit_line
from portal.limits import WRONG_YEARS, give_back, may_try
from portal.presenters import BUSY, DONE, TAKEN
from portal.slot_presenters import present_slots
from portal.slots import read_slot
from portal.visits import courses_of
from reminders.convert import load_course_details, shows_treatment
from reminders.models import AnswerVia
from reminders.services.answering import book_by_client
from reminders.services.codes import code_channel, is_code, send_code
from reminders.services.ticking import wake_senders

MANAGING = (LinkPurpose.SESSION, LinkPurpose.COURSE)
# What the last press came to, in the address.
WRONG = "wrong"
TOO_OFTEN = "too-often"
SENT = "sent"
WRONG_CODE = "wrong-code"


class HeldCourse(NamedTuple):
    """A link that works and the course that it opens; `is_known`: its holder has proved to be the client."""

    link: AccessLink
    course: Course
    is_known: bool

    @property
    def ref(self) -> str:
        return ref_of(self.link)

    @property
    def is_shown(self) -> bool:
        """Whether the page may say what the treatment is and how it goes."""
        return self.is_known or shows_treatment(self.link.client, self.link.clinic)


def held_course(request: HttpRequest, ref: str) -> HeldCourse | None:
    """Return the course of a remembered link, while the link works; two queries."""
    link = held_link(request, ref, *MANAGING)
    if link is None:
        return None
    courses = courses_of(link).select_related("clinic", "client__clinic", "protocol", "practitioner")
    course = courses.first()
    return HeldCourse(link, course, is_known(request, link)) if course else None


@portal_page
@require_safe
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    return follow_link(request, token, LinkPurpose.COURSE, "portal:course")


@portal_page
@require_safe
def show_course(request: HttpRequest, ref: str) -> HttpResponse:
    held = held_course(request, ref)
    if held is None:
        return not_found(request)
    language = held.link.client.language
    with translation.override(language):
        page = _page(held)
        ribbon = load_ribbons([held.course], now=timezone.now())[held.course.pk] if page.has_ribbon else None
        last = _last_visit(held)
    context = {
        "page": page,
        "ribbon": ribbon,
        "last": last,
        "has_earlier": _has_earlier(page),
        "code_channel": channel_name(code_channel_of(held)) if not page.is_shown else "",
        "keeps": kept_link(request) is not None,
        "note": request.GET.get("note", ""),
        "ref": held.ref,
    }
    return show(request, "portal/course.html", context, language=language)


def _has_earlier(page: CoursePage) -> bool:
    """Return whether an earlier time is open to the next visit; its page says which."""
    if page.next is None or page.next_code is None or not page.next.can_cancel:
        return False
    offers = EarlierSlot.objects.filter(waiting__session__code=page.next_code, expires_at__gt=timezone.now())
    return offers.filter(outcome=EarlierOutcome.OPEN).exists()


def _last_visit(held: HeldCourse) -> VisitLine | None:
    """Return the latest visit of which the client can say how it was, and has not yet."""
    now = timezone.now()
    past = TreatmentSession.objects.filter(course=held.course, starts_at__lte=now, reaction_report=None)
    last = past.order_by("-starts_at").first()
    if last is None or held.link.client.erased_at is not None or not may_report(last, now=now):
        return None
    return visit_line(last, held.link.client, held.ref)


def _page(held: HeldCourse) -> CoursePage:
    """Return what the page of a course shows.

    Cost: four queries.
    """
    now = timezone.now()
    booked = TreatmentSession.objects.filter(course=held.course, status__in=BOOKED_STATUSES, ends_at__gt=now)
    return present_course(
        held.course,
        held.link.client,
        ref=held.ref,
        sessions=list(booked.order_by("starts_at")),
        pauses=list(held.course.pauses.all()),
        details=load_course_details([held.course], now=now)[held.course.pk],
        is_shown=held.is_shown,
        now=now,
    )


@portal_page
@require_POST
def say_year(request: HttpRequest, ref: str) -> HttpResponse:
    """Show more to whoever knows the client's year of birth; wrong years are counted by client, not by link."""
    held = held_course(request, ref)
    if held is None:
        return not_found(request)
    client, page = held.link.client, _page_after(request)
    if client.birth_on is None or client.erased_at is not None:
        return lead_to_course(held)
    if not may_try(WRONG_YEARS, str(client.code)):
        return lead_to_course(held, TOO_OFTEN, page=page)
    if request.POST.get("year", "").strip() != str(client.birth_on.year):
        return lead_to_course(held, WRONG, page=page)
    give_back(WRONG_YEARS, str(client.code))
    response = lead_to_course(held, page=page)
    make_known(request, response, held.link)
    return response


def code_channel_of(held: HeldCourse) -> str:
    """Return over which channel a code can go to a client whose birth date nobody knows; else an empty text."""
    if held.is_known or held.link.client.birth_on is not None or held.link.client.erased_at is not None:
        return ""
    reminder = reminder_of(held.link)
    return code_channel(held.link.client, but=reminder.channel if reminder else "")


@portal_page
@require_POST
def ask_code(request: HttpRequest, ref: str) -> HttpResponse:
    """Send a code to another of the client's addresses."""
    held = held_course(request, ref)
    if held is None:
        return not_found(request)
    if not code_channel_of(held):
        return lead_to_course(held)
    if not may_press(held.link):
        return too_many(request)
    reminder, now = reminder_of(held.link), timezone.now()
    is_sent = send_code(
        client=held.link.client, course=held.course, but=reminder.channel if reminder else "", now=now
    )
    if is_sent:
        wake_senders(now=now)
    return lead_to_course(held, SENT if is_sent else TOO_OFTEN, page=_page_after(request))


@portal_page
@require_POST
def say_code(request: HttpRequest, ref: str) -> HttpResponse:
    """Show more to whoever types the code; wrong ones count as wrong years do."""
    held = held_course(request, ref)
    if held is None:
        return not_found(request)
    client, page = held.link.client, _page_after(request)
    if not code_channel_of(held):
        return lead_to_course(held)
    if not may_try(WRONG_YEARS, str(client.code)):
        return lead_to_course(held, TOO_OFTEN, page=page)
    if not is_code(client, request.POST.get("code", ""), now=timezone.now()):
        return lead_to_course(held, WRONG_CODE, page=page)
    give_back(WRONG_YEARS, str(client.code))
    response = lead_to_course(held, page=page)
    make_known(request, response, held.link)
    return response


def _page_after(request: HttpRequest) -> str:
    return "records" if request.POST.get("next") == "records" else "course"


@portal_page
@require_http_methods(["GET", "HEAD", "POST"])
def book(request: HttpRequest, ref: str) -> HttpResponse:
    """Offer times for the next visit, those that keep the prescription first; book the one pressed."""
    held = held_course(request, ref)
    if held is None:
        return not_found(request)
    if request.method == "POST":
        return _take_slot(request, held)
    client = held.link.client
    with translation.override(client.language):
        page = _page(held)
        if not page.can_book:
            return lead_to_course(held)
        offers = offer_slots(course=held.course, now=timezone.now(), day_count=6)
        days = present_slots(offers, about=_about(held), version=0, client=client)
    context = {"page": page, "days": days, "note": request.GET.get("note", ""), "ref": held.ref}
    return show(request, "portal/book.html", context, language=client.language)


def _take_slot(request: HttpRequest, held: HeldCourse) -> HttpResponse:
    if not may_press(held.link):
        return too_many(request)
    again = f"{reverse('portal:course-book', kwargs={'ref': held.ref})}?{urlencode({'note': TAKEN})}"
    taken = read_slot(request.POST.get("slot", ""), about=_about(held), clinic=held.link.clinic)
    if taken is None:
        return HttpResponseRedirect(again)
    try:
        answer = book_by_client(
            course=held.course,
            client=held.link.client,
            slot=taken.slot,
            via=AnswerVia.LINK,
            reminder=reminder_of(held.link),
            now=timezone.now(),
        )
    except CourseError as error:
        return lead_to_course(held, BUSY if error.code == "busy" else "")
    if answer.refusal in ("", "already_booked", "course_not_open", "client_erased"):
        return lead_to_course(held, "" if answer.refusal else DONE)
    return HttpResponseRedirect(again)


def _about(held: HeldCourse) -> str:
    return f"{held.ref}:{held.course.code}"


def lead_to_course(held: HeldCourse, note: str = "", *, page: str = "course") -> HttpResponse:
    """Lead back to the course, or to another of its pages, which says how it stands now."""
    address = reverse(f"portal:{page}", kwargs={"ref": held.ref})
    query = f"?{urlencode({'note': note})}" if note else ""
    return HttpResponseRedirect(address + query, status=HTTPStatus.FOUND)
