"""Prescribe: is this plan right? A preview saves nothing; prescribing saves and books all of it in one act."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import NON_FIELD_ERRORS
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

from clients.models import Client
from clinics.access import Capability
from clinics.models import StaffMember
from courses import services
from courses.convert import load_calendar, load_facts, local_today, phase_spec
from courses.core.types import PhaseSpec
from courses.errors import CourseError
from courses.models import Course, Protocol
from courses.prescription_words import prescription_words
from courses.selectors import search_words
from staff import prescribe_presenters as shown
from staff.access import StaffRequest, acting, may, staff_page
from staff.answers import add_refusal, attempt, vary_on_htmx
from staff.course_forms import ReasonForm
from staff.overtaken import undisturbed
from staff.prescribe_forms import (
    KEPT,
    NEW_PHASE,
    PhaseForm,
    PrescribeForm,
    is_same,
    kept_fields,
    minutes_of,
    phase_forms,
    phase_initial,
    posted_phases,
    unsent_phase_forms,
)
from staff.views.course import course_url, find_course, held_course

FOUND_CLIENTS = 8
SHOWN_SESSIONS = 18
_PAGE = "staff/course/prescribe.html"


@dataclass
class _Writing:
    """A prescription as it is being written."""

    form: PrescribeForm
    phases: list[PhaseForm]
    overrides: dict[str, str] = field(default_factory=dict)
    # The protocol whose phases were taken over last, and what stood there before if that was typed by hand.
    taken: str = ""
    kept: list[dict[str, Any]] = field(default_factory=list)
    # What the course will be called, so that a page sent twice makes one course; None is for a new one.
    code: uuid.UUID | None = None
    # What a file said that is not in the sentence; None when nothing was read.
    notes: list[str] | None = None

    def is_valid(self) -> bool:
        """Whether all fields are filled in well; what a service refused is no fault of a field."""
        # Every one is checked, so that all that is wrong is named at once.
        sheets = (self.form, *self.phases)
        wrong = [set(sheet.errors) - {NON_FIELD_ERRORS} for sheet in sheets]
        return bool(self.phases) and all(sheet.is_bound for sheet in sheets) and not any(wrong)


@staff_page(read=Capability.PRESCRIBE, write=Capability.PRESCRIBE)
def prescribe(request: StaffRequest) -> HttpResponse:
    now = timezone.now()
    if request.method != "POST":
        writing = _start(request, now=now)
        return _show(request, writing, now=now, is_checked=bool(writing.phases) and writing.form.is_bound)
    todo = request.POST.get("do", "preview")
    writing = _posted(request, todo)
    if todo == "prescribe" and writing.is_valid():
        saved = _save(request, writing, now=now)
        if saved is not None:
            return saved
    is_refused = todo == "prescribe"
    return _show(
        request, writing, now=now, is_checked=todo in ("preview", "prescribe"), is_refused=is_refused
    )


def _start(request: StaffRequest, *, now: datetime) -> _Writing:
    """Return an empty sheet, or one with the client and protocol that the address names."""
    clinic = request.staff_member.clinic
    asked = {name: request.GET.get(name, "") for name in ("client", "protocol")}
    form = PrescribeForm(
        initial=asked | {"start_on": local_today(clinic, now)}, clinic=clinic, auto_id="prescribe-%s"
    )
    phases = _phases_of(_protocol(request, asked["protocol"]))
    return _Writing(form, unsent_phase_forms(phases), taken=asked["protocol"] if phases else "")


def show_filled(
    request: StaffRequest, initial: dict[str, Any], phases: list[dict[str, Any]], notes: list[str]
) -> HttpResponse:
    """Show the sheet with what came from elsewhere and what is to be known about it, and its dates if nothing lacks."""
    now, clinic = timezone.now(), request.staff_member.clinic
    is_whole = bool(initial["client"] and initial["protocol"])
    data = initial | {"phase_count": len(phases)}
    for index, phase in enumerate(phases):
        data |= {f"phases-{index}-{name}": "" if value is None else value for name, value in phase.items()}
    # What nobody has typed yet is not called wrong.
    typed: dict[str, Any] = {"data": data} if is_whole else {"initial": initial}
    form = PrescribeForm(**typed, clinic=clinic, auto_id="prescribe-%s")
    sheets = phase_forms(data) if is_whole else unsent_phase_forms(phases)
    return _show(request, _Writing(form, sheets, notes=notes), now=now, is_checked=is_whole)


def _protocol(request: StaffRequest, code: str) -> Protocol | None:
    wanted = _code_in(code)
    if wanted is None:
        return None
    return Protocol.objects.for_clinic(request.staff_member.clinic).filter(code=wanted).first()


def _code_in(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _phases_of(protocol: Protocol | None) -> list[dict[str, Any]]:
    if protocol is None:
        return []
    rows = protocol.phases.order_by("position")
    return [phase_initial(phase_spec(row), row.minutes_by_session) for row in rows]


def _posted(request: StaffRequest, todo: str) -> _Writing:
    """Return what was typed, with the phase added, removed or taken from the protocol as asked."""
    data, clinic = request.POST, request.staff_member.clinic
    is_step = todo not in ("preview", "prescribe")
    typed = {name: data.get(name, "") for name in ("client", "protocol", "start_on", "practitioner")}
    if is_step:
        form = PrescribeForm(initial=typed, clinic=clinic, auto_id="prescribe-%s")
    else:
        form = PrescribeForm(data, clinic=clinic, auto_id="prescribe-%s")
    overrides = {
        name.removeprefix("override-"): str(text)
        for name, text in data.items()
        if name.startswith("override-")
    }
    phases = unsent_phase_forms(_stepped(request, todo)) if is_step else phase_forms(data)
    writing = _Writing(
        form,
        phases,
        overrides,
        taken=data.get("taken", ""),
        kept=posted_phases(data, KEPT),
        code=_code_in(data.get("code", "")),
    )
    if todo == "protocol":
        _take_phases(request, writing)
    elif todo == "put-back":
        writing.phases, writing.kept, writing.taken = unsent_phase_forms(writing.kept), [], ""
    return writing


def _take_phases(request: StaffRequest, writing: _Writing) -> None:
    """Take over the phases of the protocol chosen; what was typed by hand is kept, to be put back."""
    chosen = request.POST.get("protocol", "")
    phases = _phases_of(_protocol(request, chosen))
    if not phases:
        return
    typed = posted_phases(request.POST)
    before = _phases_of(_protocol(request, writing.taken))
    if typed and not is_same(typed, before) and not is_same(typed, phases):
        writing.kept = typed
    writing.phases, writing.taken = unsent_phase_forms(phases), chosen


def _stepped(request: StaffRequest, todo: str) -> list[dict[str, Any]]:
    values = posted_phases(request.POST)
    if todo == "add":
        return [*values, dict(NEW_PHASE)]
    gone = todo.removeprefix("remove-")
    return [one for index, one in enumerate(values) if str(index) != gone]


def _draft(request: StaffRequest, writing: _Writing) -> services.CourseDraft:
    values = writing.form.cleaned_data
    return services.CourseDraft(
        clinic=request.staff_member.clinic,
        client=values["client"],
        protocol=values["protocol"],
        start_on=values["start_on"],
        phases=tuple(phase.spec() for phase in writing.phases),
        practitioner=values["practitioner"],
        overrides=writing.overrides,
        minutes_by_session=minutes_of(writing.phases),
    )


def _save(request: StaffRequest, writing: _Writing, *, now: datetime) -> HttpResponse | None:
    """Prescribe and book, all or nothing and once for each page; None with the refusal in the form."""
    draft, code, by = _draft(request, writing), writing.code, acting(request)
    if code is None:
        writing.form.add_error(None, _out_of_date())
        return None
    again = services.find_prescribed(draft)
    if again is not None:
        # A press of the button on a page that was gone back to; a browser may have loaded it anew.
        return _leave(request, again, _("This course is prescribed and booked already."))
    with attempt(request, writing.form):
        try:
            with transaction.atomic():
                course = services.prescribe_course(draft=draft, by=by, now=now, code=code)
                proposal = services.propose_plan(course=course, now=now)
                services.apply_plan(course=course, proposal=proposal, by=by, now=now)
        except CourseError as error:
            if error.code != "code_taken":
                raise
            return _answer_taken(request, writing, draft, code)
        return _leave(request, course, _("Prescribed and booked."))
    return None


def _answer_taken(
    request: StaffRequest, writing: _Writing, draft: services.CourseDraft, code: uuid.UUID
) -> HttpResponse | None:
    """Go to the course that the same press made a moment ago, or let another one have a code of its own."""
    course = services.find_prescribed(draft)
    if course is not None:
        return _leave(request, course, _("This course is prescribed and booked already."))
    is_own = Course.objects.for_clinic(draft.clinic).filter(code=code).exists()
    changed = _("A course was prescribed from this page before. Press once more if this is another one.")
    # Nobody learns from the answer whether another clinic has a course of that code.
    writing.form.add_error(None, changed if is_own else _out_of_date())
    writing.code = None
    return None


def _out_of_date() -> str:
    return _("This page is out of date. Look it over and press once more.")


# ---------------------------------------------------------------- showing


def _show(
    request: StaffRequest, writing: _Writing, *, now: datetime, is_checked: bool, is_refused: bool = False
) -> HttpResponse:
    context = _sheet(request, writing, now=now) | {
        "preview": _preview(request, writing, now=now) if is_checked else None,
        "is_checked": is_checked,
    }
    status = 422 if is_refused else 200
    if not request.htmx or request.htmx.history_restore_request:
        template = _PAGE
    elif request.htmx.target == "preview":
        template = "staff/course/_preview.html"
    else:
        template = "staff/course/_sheet.html"
    return vary_on_htmx(HttpResponse(render_to_string(template, context, request=request), status=status))


def _sheet(request: StaffRequest, writing: _Writing, *, now: datetime) -> dict[str, Any]:
    clinic = request.staff_member.clinic
    chosen = _chosen_client(clinic, writing.form["client"].value())
    text = request.POST.get("client_q", "")
    return {
        "form": writing.form,
        "code": writing.code or uuid.uuid4(),
        "is_read": writing.notes is not None,
        "notes": writing.notes,
        "has_protocols": Protocol.objects.for_clinic(clinic).filter(is_current=True).exists(),
        "may_manage": may(request, Capability.MANAGE),
        "phases": shown.phase_rows(writing.phases),
        "taken": writing.taken,
        "kept": kept_fields(writing.kept),
        "kept_count": len(writing.kept),
        "client": chosen,
        "client_q": text,
        "found": [] if chosen else _found_clients(clinic, text),
        "today": local_today(clinic, now),
    }


def _chosen_client(clinic: Any, code: Any) -> Client | None:
    try:
        return Client.objects.for_clinic(clinic).filter(code=uuid.UUID(str(code)), erased_at=None).first()
    except ValueError:
        return None


def _found_clients(clinic: Any, text: str) -> list[Client]:
    clients = Client.objects.for_clinic(clinic).filter(erased_at=None)
    for word in search_words(text):
        clients = clients.filter(search_text__contains=word)
    return list(clients[:FOUND_CLIENTS])


def _preview(request: StaffRequest, writing: _Writing, *, now: datetime) -> Mapping[str, Any]:
    """Return the whole plan of what was typed, or why there is none."""
    if not writing.is_valid():
        return {
            "problem": _("The dates appear here as soon as everything is filled in."),
            "wrong": shown.wrong_fields(writing.form, writing.phases),
        }
    draft = _draft(request, writing)
    clinic = draft.clinic
    today = local_today(clinic, now)
    objections = shown.objection_rows(
        services.find_objections(draft, on=draft.start_on),
        list(draft.protocol.contraindications.all()),
        writing.overrides,
        today=today,
    )
    known = {"sentence": shown.sentence(draft.phases), "objections": objections}
    try:
        # The dates are worth seeing while the reason against a condition is still to be written.
        reasons = dict.fromkeys((row.condition for row in objections), "?") | dict(draft.overrides)
        reasons = {condition: text.strip() or "?" for condition, text in reasons.items()}
        preview = services.preview_course(draft=replace(draft, overrides=reasons), now=now)
    except CourseError as error:
        if not writing.form.errors:
            add_refusal(writing.form, error)
        return known | {"problem": error.message}
    people = (
        StaffMember.objects.for_clinic(clinic).filter(is_treating=True).values_list("code", "display_name")
    )
    names = {str(code): name for code, name in people}
    return known | shown.preview_parts(
        draft, preview, load_calendar(clinic), names, today=today, most=SHOWN_SESSIONS
    )


# ---------------------------------------------------------------- changing a prescription


@staff_page(read=Capability.PRESCRIBE, write=Capability.PRESCRIBE)
def change_prescription(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    """Put a new revision of a running course in force, with its reason; the plan is looked at afterwards."""
    with undisturbed(request, held_course(request, code)):
        return _change_prescription(request, find_course(request, code))


def _change_prescription(request: StaffRequest, course: Course) -> HttpResponse:
    todo = request.POST.get("do", "change") if request.method == "POST" else "start"
    reason = {"reason": request.POST.get("reason", "")}
    form = ReasonForm(request.POST if todo == "change" else None, initial=reason, auto_id="change-%s")
    facts = load_facts([course])[course.pk]
    before = facts.prescription.phases
    revision = str(course.revisions.count())
    if todo == "start":
        lengths = [limits.by_session for limits in facts.limits]
        phases = unsent_phase_forms(list(map(phase_initial, before, lengths)))
    elif todo != "change":
        phases = unsent_phase_forms(_stepped(request, todo))
    else:
        phases = phase_forms(request.POST)
        if request.POST.get("seen", revision) != revision:
            form.add_error(None, _prescribed_meanwhile(before))
        if all([form.is_valid(), *(phase.is_valid() for phase in phases)]):
            with attempt(request, form):
                services.change_prescription(
                    course=course,
                    phases=shown.with_targets(phases, before),
                    minutes_by_session=minutes_of(phases),
                    by=acting(request),
                    now=timezone.now(),
                    **form.cleaned_data,
                )
            if not form.errors:
                return _leave(
                    request, course, _("The prescription is changed. Replan to move the bookings with it.")
                )
    context = {
        "course": course,
        "form": form,
        "phases": shown.phase_rows(phases),
        "back": course_url(course),
        "revision": revision,
    }
    template = "staff/course/_change_sheet.html" if request.htmx else "staff/course/change.html"
    body = render_to_string(template, context, request=request)
    return vary_on_htmx(HttpResponse(body, status=422 if todo == "change" else 200))


def _prescribed_meanwhile(phases: Sequence[PhaseSpec]) -> str:
    said = _(
        "Somebody has meanwhile changed the prescription to “%(value)s”. Compare, then put yours in force."
    )
    return said % {"value": prescription_words(phases)}


def _leave(request: StaffRequest, course: Course, said: str) -> HttpResponse:
    """Go to the course's page with the news."""
    messages.success(request, said)
    target = course_url(course)
    return HttpResponseClientRedirect(target) if request.htmx else redirect(target)
