"""What is decided on a course's page; each action is one verb of courses.services."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from clinics.access import Capability
from courses import services
from courses.convert import assess_facts, load_facts, local_today
from courses.models import Course
from staff.access import StaffRequest, acting, staff_page
from staff.answers import attempt
from staff.course_forms import (
    ConditionForm,
    CorrectionForm,
    CoursePauseForm,
    DecisionForm,
    EndPhaseForm,
    OverrideForm,
    ReasonForm,
    TargetForm,
)
from staff.overtaken import undisturbed
from staff.templatetags.interface import day
from staff.views.course import answer_course, find_course, held_course, show_panel

_PANEL = "staff/course/_form_panel.html"


@dataclass(frozen=True)
class _Words:
    """What a form's panel says: title, an explanation, the button, and what is said when it is done."""

    title: str
    lead: str
    button: str
    done: str
    is_grave: bool = False


def _decide(
    request: StaffRequest,
    course: Course,
    form: forms.Form,
    words: _Words,
    verb: Callable[..., Any],
    /,
    **known: Any,
) -> HttpResponse:
    """Show a form, or carry out its verb with what was typed; a refusal comes back with everything typed."""
    if request.method == "POST" and form.is_valid():
        with attempt(request, form):
            verb(by=acting(request), now=timezone.now(), **known, **form.cleaned_data)
        if not form.errors:
            return answer_course(request, course, words.done)
    context = {"form": form, "words": words, "action": request.path}
    return show_panel(request, course, _PANEL, context, is_refused=bool(form.errors))


def _today(course: Course) -> date:
    return local_today(course.clinic, timezone.now())


@staff_page(read=Capability.RECORD, write=Capability.RECORD)
def correct_session(request: StaffRequest, code: uuid.UUID, session_code: uuid.UUID) -> HttpResponse:
    with undisturbed(request, held_course(request, code)):
        course = find_course(request, code)
        sessions = course.sessions.select_related("clinic", "course__clinic", "practitioner", "room")
        session = get_object_or_404(sessions, code=session_code)
        if not session.has_outcome:
            messages.error(request, _("Nothing is recorded of this session yet."))
            return answer_course(request, course)
        form = CorrectionForm(
            request.POST or None, session=session, today=_today(course), auto_id="correct-%s"
        )
        words = _Words(
            _("Correct the session of %(day)s") % {"day": day(session.on, _today(course))},
            _("Findings, the plan and messages follow at once. The reason stays with the session."),
            _("Correct"),
            _("The session is corrected."),
        )
        return _decide(request, course, form, words, services.correct_session, session=session)


@staff_page(read=Capability.BOOK, write=Capability.BOOK)
def pause(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    course = find_course(request, code)
    form = CoursePauseForm(request.POST or None, initial={"from_on": _today(course)}, auto_id="pause-%s")
    words = _Words(
        _("Pause the course"),
        _("Paused days never count as lateness. Bookings inside the pause are shown for replanning."),
        _("Pause"),
        _("The course is paused."),
    )
    return _decide(request, course, form, words, services.pause_course, course=course)


@staff_page(write=Capability.BOOK)
def resume(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    course = find_course(request, code)
    with attempt(request) as tried:
        services.resume_course(course=course, on=_today(course), by=acting(request), now=timezone.now())
    return answer_course(request, course, "" if tried.is_refused else _("The pause has ended."))


@staff_page(write=Capability.BOOK)
def remove_pause(request: StaffRequest, code: uuid.UUID, pause_code: uuid.UUID) -> HttpResponse:
    course = find_course(request, code)
    found = get_object_or_404(course.pauses.select_related("course__clinic", "clinic"), code=pause_code)
    with attempt(request) as tried:
        services.remove_pause(pause=found, by=acting(request), now=timezone.now())
    return answer_course(request, course, "" if tried.is_refused else _("The pause was removed."))


@staff_page(read=Capability.RECORD, write=Capability.RECORD)
def record_condition(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    course = find_course(request, code)
    known = list(course.protocol.contraindications.all())
    initial = {"from_on": _today(course)}
    form = ConditionForm(request.POST or None, known=known, initial=initial, auto_id="condition-%s")
    words = _Words(
        _("Record a condition"),
        _("On the days given, nothing is booked for the client's courses that it speaks against."),
        _("Record"),
        _("The condition is recorded."),
    )
    return _decide(request, course, form, words, services.record_contraindication, client=course.client)


@staff_page(read=Capability.PRESCRIBE, write=Capability.PRESCRIBE)
def override_condition(request: StaffRequest, code: uuid.UUID, condition: str) -> HttpResponse:
    course = find_course(request, code)
    known = get_object_or_404(course.protocol.contraindications, condition=condition)
    form = OverrideForm(request.POST or None, auto_id="override-%s")
    words = _Words(
        _("Set aside: %(condition)s") % {"condition": known.name_in(get_language() or "en")},
        _("Your name and the reason stay on record with the course."),
        _("Set aside"),
        _("The condition no longer stops this course."),
        is_grave=True,
    )
    verb = services.override_contraindication
    return _decide(request, course, form, words, verb, course=course, condition=condition)


@staff_page(read=Capability.PRESCRIBE, write=Capability.PRESCRIBE)
def set_target(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    with undisturbed(request, held_course(request, code)):
        course = find_course(request, code)
        facts = load_facts([course])[course.pk]
        position = assess_facts(facts, today=_today(course)).phase
        phase = None if position is None else facts.prescription.phases[position]
        if phase is None or not phase.sessions_min or phase.sessions_min == phase.sessions_max:
            messages.error(request, _("This phase has no number of sessions to decide."))
            return answer_course(request, course)
        form = TargetForm(
            request.POST or None,
            least=phase.sessions_min,
            most=phase.sessions_max or phase.sessions_min,
            initial={"target": phase.target, "phase": position},
            auto_id="target-%s",
        )
        words = _Words(
            _("Decide the number of sessions"),
            _("The prescription gives a range; this says how many this client gets in the present phase."),
            _("Decide"),
            _("The number of sessions is decided."),
        )
        return _decide(request, course, form, words, services.set_target, course=course)


@staff_page(read=Capability.PRESCRIBE, write=Capability.PRESCRIBE)
def end_phase(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    course = find_course(request, code)
    facts = load_facts([course])[course.pk]
    initial = {"on": _today(course), "phase": assess_facts(facts, today=_today(course)).phase}
    form = EndPhaseForm(request.POST or None, initial=initial, auto_id="end-%s")
    words = _Words(
        _("End this phase"),
        _("The next phase counts from that day; after the last phase the course is completed."),
        _("End the phase"),
        _("The phase has ended."),
    )
    return _decide(request, course, form, words, services.end_phase, course=course)


@staff_page(read=Capability.PRESCRIBE, write=Capability.PRESCRIBE)
def restart(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    course = find_course(request, code)
    form = DecisionForm(request.POST or None, initial={"on": _today(course)}, auto_id="restart-%s")
    words = _Words(
        _("Restart the course"),
        _("Windows count anew from that day; what was attended still counts towards the amount."),
        _("Restart"),
        _("The course restarts."),
    )
    return _decide(request, course, form, words, services.restart_course, course=course)


@staff_page(read=Capability.PRESCRIBE, write=Capability.PRESCRIBE)
def discontinue(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    course = find_course(request, code)
    form = ReasonForm(request.POST or None, auto_id="stop-%s")
    words = _Words(
        _("Stop the course for good"),
        _("Bookings ahead are cancelled and the client is no longer reminded. The record stays."),
        _("Stop the course"),
        _("The course was stopped."),
        is_grave=True,
    )
    return _decide(request, course, form, words, services.discontinue_course, course=course)
