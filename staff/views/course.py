"""A course's page: what happened, and what comes next."""

import uuid
from datetime import date
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from audit.models import AuditEvent
from clinics.access import Capability
from clinics.models import ApiToken, StaffMember
from courses.convert import assess_facts, load_facts, local_today
from courses.models import Course, RecordedContraindication, TreatmentSession
from courses.ribbons import ribbon_of
from courses.selectors import clinic_courses, course_calls, noted_flags, open_flags, telephones
from reminders.selectors import course_messages
from staff import course_history, presenters
from staff import course_presenters as shown
from staff.access import StaffRequest, may, staff_page
from staff.answers import show, vary_on_htmx
from staff.presenters.messages import MessageLine, message_line
from staff.undo import say_done
from staff.views.messages import open_channels

SHOWN_CHANGES = 40
SHOWN_NOTES = 20
SHOWN_REMINDERS = 60
# What of a long table is seen at once; the rest is one click away.
SHOWN_AHEAD = 8
SHOWN_BEHIND = 10
SHOWN_MESSAGES = 6
_PAGE = "staff/course/course.html"
_PART = "staff/course/_course.html"


@staff_page(read=Capability.READ)
def show_course(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    return show(request, _PAGE, _PART, course_context(request, find_course(request, code)))


def find_course(request: StaffRequest, code: uuid.UUID) -> Course:
    """Return a course of the reader's clinic, else answer 404."""
    courses = clinic_courses(request.staff_member.clinic).prefetch_related(
        telephones("client__contact_points")
    )
    return get_object_or_404(courses, code=code)


def held_course(request: StaffRequest, code: uuid.UUID) -> QuerySet[Course]:
    """Return what `undisturbed` holds while a decision on a course is compared with how it stands."""
    return Course.objects.for_clinic(request.staff_member.clinic).filter(code=code).select_for_update()


def course_context(request: StaffRequest, course: Course) -> dict[str, Any]:
    """Return everything the page shows, as it is now.

    Cost: about twenty-five queries, whatever the length of the course.
    """
    now = timezone.now()
    today = local_today(course.clinic, now)
    facts = load_facts([course])[course.pk]
    assessment = assess_facts(facts, today=today)
    ribbon = ribbon_of(course, facts, assessment, now=now)
    pauses = list(course.pauses.all())
    actions = shown.course_actions(course, facts, assessment, request.staff_member)
    can_book = may(request, Capability.BOOK) and course.is_open
    ahead, behind = shown.session_rows(
        list(_sessions(course)),
        ribbon,
        assessment,
        today=today,
        can_book=can_book,
        can_record=may(request, Capability.RECORD),
    )
    bookings = [row.session for row in ahead if row.session.is_booked]
    return {
        "course": course,
        "today": today,
        "badge": presenters.course_badge(course),
        "protocol": presenters.protocol_name(course),
        "phone": presenters.telephone(course.client),
        "client_url": presenters.client_url(course.client),
        "sentences": shown.state_sentences(course, assessment, pauses=pauses, bookings=bookings, today=today),
        "flags": shown.flag_cards(open_flags([course.pk]).get(course.pk, []), actions, today=today),
        "ribbon": ribbon,
        "ahead": shown.split(ahead, SHOWN_AHEAD),
        "behind": shown.split(behind, SHOWN_BEHIND),
        "phases": shown.phase_lines(facts, assessment),
        "measures": shown.measure_rows(assessment, today=today),
        "pauses": shown.pause_rows(pauses, longest_days=course.clinic.longest_pause_days, today=today),
        "conditions": _conditions(request, course, today=today),
        "reminders": shown.split(_messages(course, today=today), SHOWN_MESSAGES),
        "notes": course_history.note_rows(
            list(course_calls(course)[:SHOWN_NOTES]), list(noted_flags(course)[:SHOWN_NOTES]), today=today
        ),
        "changes": _changes(course, today=today),
        "actions": actions,
        "can_book": can_book,
        "may_export": may(request, Capability.EXPORT),
    }


def _sessions(course: Course) -> QuerySet[TreatmentSession]:
    return course.sessions.select_related("practitioner", "room", "reaction_report").order_by(
        "on", "starts_at", "pk"
    )


def _messages(course: Course, *, today: date) -> list[MessageLine]:
    """Return the messages about the course: those ahead with the next on top, then the others, the latest first."""
    channels = open_channels(course.clinic)
    rows = list(course_messages(course)[:SHOWN_REMINDERS])
    ahead = [row for row in reversed(rows) if row.is_live]
    return [
        message_line(row, today=today, channels=channels)
        for row in [*ahead, *(row for row in rows if not row.is_live)]
    ]


def _conditions(request: StaffRequest, course: Course, *, today: Any) -> list[shown.ConditionRow]:
    language = get_language() or "en"
    known = {
        row.condition: (row.name_in(language), row.strength)
        for row in course.protocol.contraindications.all()
    }
    return shown.condition_rows(
        list(RecordedContraindication.objects.filter(client=course.client_id).order_by("-from_on", "pk")),
        known,
        dict(course.contraindication_overrides.values_list("condition", "reason")),
        may_override=may(request, Capability.PRESCRIBE) and course.is_open,
        today=today,
    )


def _changes(course: Course, *, today: Any) -> list[course_history.ChangeRow]:
    events = list(
        AuditEvent.objects.filter(subject_code=course.code, clinic_code=course.clinic.code).order_by(
            "-at", "-pk"
        )[:SHOWN_CHANGES]
    )
    codes = {event.actor_code for event in events if event.actor_code}
    people = StaffMember.objects.for_clinic(course.clinic).filter(code__in=codes)
    programs = ApiToken.objects.for_clinic(course.clinic).filter(code__in=codes)
    names = dict(people.values_list("code", "display_name")) | dict(programs.values_list("code", "name"))
    return course_history.change_rows(events, names, today=today)


# ---------------------------------------------------------------- answers of everything done on the page


def course_url(course: Course) -> str:
    return reverse("staff:course-detail", args=[course.code])


def answer_course(request: StaffRequest, course: Course, said: str = "", slip: str = "") -> HttpResponse:
    """Answer what was done: the whole course anew to htmx, since all of it can have changed; else its page."""
    if said:
        say_done(request, said, slip)
    if not request.htmx:
        return redirect(course_url(course))
    course = find_course(request, course.code)
    body = render_to_string(_PART, course_context(request, course), request=request)
    toasts = render_to_string("components/toasts_oob.html", {}, request=request)
    response = HttpResponse(body + toasts)
    # A form in the panel names the panel as its place; what was done shows in all of the course.
    response["HX-Retarget"] = "#course"
    response["HX-Reswap"] = "outerHTML"
    return vary_on_htmx(response)


def show_panel(
    request: StaffRequest, course: Course, panel: str, context: dict[str, Any], *, is_refused: bool = False
) -> HttpResponse:
    """Show a form about the course: in its panel to htmx, else as a page of its own."""
    context = {
        "course": course,
        "panel": panel,
        "back": course_url(course),
        "back_label": _("Back to the course"),
        "badge": presenters.course_badge(course),
        "protocol": presenters.protocol_name(course),
    } | context
    template = (
        panel if request.htmx and not request.htmx.history_restore_request else "staff/course/panel_page.html"
    )
    return vary_on_htmx(render(request, template, context, status=422 if is_refused else 200))
