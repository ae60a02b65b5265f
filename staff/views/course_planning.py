"""Booking the next session of a course, moving one, and planning the rest anew."""

import uuid
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from clinics.access import Capability
from clinics.core import to_utc
from clinics.models import Room, StaffMember
from courses import services
from courses.convert import local_today
from courses.errors import CourseError
from courses.models import Course, PlanPolicy
from courses.selectors import booked_days
from staff import planning_presenters as shown
from staff.access import StaffRequest, acting, staff_page
from staff.answers import add_refusal, attempt
from staff.calendar_forms import calendar_address
from staff.course_forms import MoveForm, NextSlotForm, ReplanForm
from staff.course_presenters import split
from staff.overtaken import undisturbed
from staff.undo import say_done, session_slip
from staff.views.course import answer_course, course_url, find_course, held_course, show_panel

SHOWN_LINES = 10


@staff_page(read=Capability.BOOK, write=Capability.BOOK)
def book_next(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    """Offer slots, those inside the window first; book the one chosen or typed."""
    with undisturbed(request, held_course(request, code)):
        course, now = find_course(request, code), timezone.now()
        today = local_today(course.clinic, now)
        form = NextSlotForm(
            request.POST or None,
            clinic=course.clinic,
            booked=booked_days(course, today=today),
            today=today,
            auto_id="slot-%s",
        )
        if request.method == "POST" and form.is_valid():
            with attempt(request, form):
                services.book_session(course=course, by=acting(request), now=now, **form.slot())
            if not form.errors:
                return answer_course(request, course, _("The session is booked."))
    return _show_offers(request, course, form, now=now)


def _show_offers(request: StaffRequest, course: Course, form: NextSlotForm, *, now: datetime) -> HttpResponse:
    today = local_today(course.clinic, now)
    context: dict[str, Any] = {"form": form, "action": request.path, "today": today}
    try:
        offers = services.offer_slots(course=course, now=now)
    except CourseError as error:
        context |= {"refusal": error.message}
    else:
        form.initial.setdefault("minutes", offers.minutes)
        people, rooms = _names(course)
        context |= {
            "window": shown.window_sentence(offers, today=today),
            "days": shown.offer_days(offers, people, rooms, today=today),
        }
    return show_panel(request, course, "staff/course/_book_panel.html", context, is_refused=bool(form.errors))


def _names(course: Course) -> tuple[dict[str, str], dict[str, str]]:
    people = StaffMember.objects.for_clinic(course.clinic).filter(is_treating=True)
    rooms = Room.objects.for_clinic(course.clinic)
    return (
        {str(code): name for code, name in people.values_list("code", "display_name")},
        {str(code): name for code, name in rooms.values_list("code", "name")},
    )


@staff_page(read=Capability.BOOK, write=Capability.BOOK)
def move_session(request: StaffRequest, code: uuid.UUID, session_code: uuid.UUID) -> HttpResponse:
    # The query of the calendar that the form was opened from; None when it was the course.
    kept = (request.POST or request.GET).get("calendar")
    with undisturbed(request, held_course(request, code)):
        course, now = find_course(request, code), timezone.now()
        sessions = course.sessions.select_related("course__clinic", "practitioner", "room")
        session = get_object_or_404(sessions, code=session_code)
        form = MoveForm(
            request.POST or None, clinic=course.clinic, initial=shown.slot_initial(session), auto_id="move-%s"
        )
        if request.method == "POST" and form.is_valid():
            with attempt(request, form):
                after = services.move_session(session=session, by=acting(request), now=now, **form.slot())
            if not form.errors:
                back = course_url(course) if kept is None else _calendar(course, kept, now=now)
                slip = session_slip(session, after, acted_at=now, back=back, is_booking=True)
                return _answer_moved(request, course, kept, slip)
    context = {
        "form": form,
        "action": request.path,
        "calendar": kept,
        "title": _("Move the session of %(moment)s")
        % {"moment": shown.moment(session, today=local_today(course.clinic, now))},
    }
    if kept is not None:
        context |= {"back": _calendar(course, kept, now=now), "back_label": _("Calendar")}
    return show_panel(request, course, "staff/course/_move_panel.html", context, is_refused=bool(form.errors))


def _answer_moved(request: StaffRequest, course: Course, kept: str | None, slip: str) -> HttpResponse:
    """Go back to where the move began: the course, or the calendar as it was seen."""
    said = _("The session was moved.")
    if kept is None:
        return answer_course(request, course, said, slip)
    say_done(request, said, slip)
    return redirect(_calendar(course, kept, now=timezone.now()))


def _calendar(course: Course, kept: str, *, now: datetime) -> str:
    return calendar_address(kept[:400], clinic=course.clinic, today=local_today(course.clinic, now))


@staff_page(read=Capability.BOOK, write=Capability.BOOK)
def replan(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    """Show the rest of the course as it is and as it would be; apply exactly what was shown."""
    course, now = find_course(request, code), timezone.now()
    asked = request.POST or request.GET
    form = ReplanForm(asked if "policy" in asked else {"policy": PlanPolicy.SHIFT}, auto_id="replan-%s")
    proposal = _propose(request, course, form, now=now)
    if request.method == "POST" and proposal is not None:
        if proposal.digest != form.cleaned_data["digest"]:
            form.add_error(None, _("The course or the calendar has changed since. Look at the new proposal."))
        else:
            with attempt(request, form):
                services.apply_plan(course=course, proposal=proposal, by=acting(request), now=now)
            if not form.errors:
                return answer_course(request, course, _("The new plan is booked."))
    today = local_today(course.clinic, now)
    context: dict[str, Any] = {"form": form, "action": request.path, "today": today}
    if proposal is not None:
        people, rooms = _names(course)
        context |= {
            "proposal": proposal,
            "comparison": split(shown.compare(proposal, people, rooms, today=today), SHOWN_LINES),
            "notes": shown.note_sentences(proposal.plan, today=today),
        }
    is_refused = bool(form.errors) and request.method == "POST"
    return show_panel(request, course, "staff/course/_replan_panel.html", context, is_refused=is_refused)


def _propose(
    request: StaffRequest, course: Course, form: ReplanForm, *, now: datetime
) -> services.PlanProposal | None:
    """Return the proposal asked for; a refusal becomes an error of the form."""
    if not form.is_valid():
        return None
    not_before_on = form.cleaned_data["not_before_on"]
    zone = ZoneInfo(course.clinic.time_zone)
    not_before = to_utc(not_before_on, time(), zone) if not_before_on else None
    try:
        return services.propose_plan(
            course=course, now=now, policy=form.cleaned_data["policy"], not_before=not_before
        )
    except CourseError as error:
        add_refusal(form, error)
        return None
