"""Today: who comes, and what must be done now."""

import uuid
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from clinics.access import Capability
from clinics.models import Role, StaffMember
from courses import services
from courses.convert import local_today
from courses.errors import CourseError
from courses.models import (
    Pause,
    PauseReason,
    ProtocolContraindication,
    Reaction,
    SessionStatus,
    TreatmentSession,
)
from courses.selectors import (
    clinic_sessions,
    day_counts,
    day_sessions,
    open_flags,
    phases_in_force,
    treating_members,
    unrecorded_sessions,
)
from reminders.selectors import latest_confirmations, latest_decisions
from staff import presenters
from staff.access import StaffRequest, acting, may, staff_page
from staff.answers import answer, attempt, show
from staff.forms import AttendanceForm, DayForm, PauseForm, ScreeningForm
from staff.presenters.from_clients import HEALING_DAYS
from staff.presenters.messages import session_message_words
from staff.undo import say_done, session_slip
from staff.views.undo import say_taken

UNRECORDED_SHOWN = 25
_ROW = "staff/today/_session_row.html"


def _today(request: StaffRequest) -> date:
    return local_today(request.staff_member.clinic, timezone.now())


@staff_page(read=Capability.READ)
def show_day(request: StaffRequest) -> HttpResponse:
    clinic, today = request.staff_member.clinic, _today(request)
    form = DayForm(request.GET, clinic=clinic)
    chosen = form.cleaned_data if form.is_valid() else {}
    treating = list(treating_members(clinic))
    # Where there is nobody else, what has no practitioner yet is theirs as well.
    own = _own_day(request) if len(treating) > 1 else None
    on = chosen.get("on") or today
    practitioner = chosen.get("practitioner") if "practitioner" in request.GET else own
    sessions = list(day_sessions(clinic, on, today=today))
    old = list(unrecorded_sessions(clinic, today=today)[: UNRECORDED_SHOWN + 1]) if on == today else []
    if practitioner:
        old = [session for session in old if session.practitioner_id == practitioner.pk]
    lines = _lines(request, [*old, *sessions], today=today)
    shown = [
        line for line in lines[len(old) :] if not practitioner or line.session.practitioner == practitioner
    ]
    return show(
        request,
        "staff/today/today.html",
        "staff/today/today.html",
        {
            "on": on,
            "today": today,
            "yesterday": on - timedelta(days=1),
            "tomorrow": on + timedelta(days=1),
            "practitioner": practitioner,
            # Everybody's day is asked for by name where one's own is what comes first.
            "everybody": "" if own else None,
            "people": presenters.people_of_day(treating, sessions),
            "session_count": len(sessions),
            "summary": presenters.day_summary(day_counts(clinic, on)),
            "unrecorded": lines[: len(old)][:UNRECORDED_SHOWN],
            "has_more_unrecorded": len(old) > UNRECORDED_SHOWN,
            "lines": shown,
            "first_ahead": presenters.first_ahead(shown, timezone.now()) if on == today else None,
        },
    )


def _own_day(request: StaffRequest) -> StaffMember | None:
    """Return the reader where their own sessions are what they came for: who treats, and does nothing else here."""
    member = request.staff_member
    return member if member.role == Role.PRACTITIONER and member.is_treating else None


def _lines(
    request: StaffRequest, sessions: list[TreatmentSession], *, today: date
) -> list[presenters.SessionLine]:
    ids = {session.course_id for session in sessions}
    phases, flags = phases_in_force(ids), open_flags(ids)
    keys = [session.pk for session in sessions]
    decisions, confirmations = latest_decisions(keys), latest_confirmations(keys)
    return [
        presenters.session_line(
            session,
            phases=phases[session.course_id],
            flags=flags.get(session.course_id, []),
            member=request.staff_member,
            today=today,
            told=session_message_words(decisions.get(session.pk), confirmations.get(session.pk), today=today),
        )
        for session in sessions
    ]


# ---------------------------------------------------------------- one session


def _find(request: StaffRequest, code: uuid.UUID) -> TreatmentSession:
    sessions = clinic_sessions(request.staff_member.clinic, today=_today(request))
    return get_object_or_404(sessions, code=code)


def _day_looked_at(request: StaffRequest) -> date | None:
    """Return the past or coming day whose page a line is changed on, nothing where that is no such page."""
    query = QueryDict(urlsplit(request.htmx.current_url or "").query) if request.htmx else QueryDict()
    form = DayForm(query, clinic=request.staff_member.clinic)
    return form.cleaned_data["on"] if form.is_valid() else None


def _answer_row(
    request: StaffRequest,
    code: uuid.UUID,
    *,
    is_refused: bool = False,
    panel: str = "",
    panel_url: str = "",
    **context: Any,
) -> HttpResponse:
    """Answer with the session's line as it is now, a panel open in it, and the day's summary."""
    session, today = _find(request, code), _today(request)
    day = _day_url(session, today)
    context |= {
        "line": _lines(request, [session], today=today)[0],
        "today": today,
        "on": _day_looked_at(request),
        "panel": f"staff/today/_panel_{panel}.html" if panel else "",
        "is_answer": True,
        "summary": presenters.day_summary(day_counts(request.staff_member.clinic, session.on)),
        "summary_on": session.on,
    }
    if not request.htmx and panel and (is_refused or request.method == "GET"):
        # Without script an open panel is a page of its own.
        page = "staff/today/panel_page.html"
        return show(request, page, page, context | {"back": day}, status=422 if is_refused else 200)
    return answer(
        request, _ROW, context, redirect_to=panel_url or f"{day}#session-row-{code}", is_refused=is_refused
    )


def _say(request: StaffRequest, session: TreatmentSession, words: str) -> None:
    messages.success(request, f"{session.client.name}: {words}")


def _say_done(
    request: StaffRequest,
    session: TreatmentSession,
    after: TreatmentSession,
    words: str,
    *,
    now: datetime,
    is_booking: bool = False,
) -> None:
    """Say what was done to a session, with a button that makes it again what it was."""
    back = f"{_day_url(session, _today(request))}#session-row-{session.code}"
    slip = session_slip(session, after, acted_at=now, back=back, is_booking=is_booking)
    say_done(request, f"{session.client.name}: {words}", slip)


def _day_url(session: TreatmentSession, today: date) -> str:
    return reverse("staff:today") + ("" if session.on == today else f"?on={session.on.isoformat()}")


@staff_page(write=Capability.RECORD)
def arrive(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    session, now = _find(request, code), timezone.now()
    with attempt(request) as tried:
        after = services.record_arrival(session=session, by=acting(request), now=now)
    if tried.is_refused:
        return _answer_row(request, code, is_refused=True)
    _say_done(request, session, after, _("is here."), now=now)
    asked = _asked_at_arrival(session)
    if not asked:
        return _answer_row(request, code)
    form = ScreeningForm(asked=asked, today=_today(request), auto_id=f"screen-%s-{code}")
    url = reverse("staff:session-screen", args=[code])
    return _answer_row(request, code, panel="screen", panel_url=url, form=form)


def _asked_at_arrival(session: TreatmentSession) -> list[ProtocolContraindication]:
    return list(session.course.protocol.contraindications.filter(strength="temporary"))


@staff_page(read=Capability.RECORD, write=Capability.RECORD)
def screen(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    """Ask what speaks against a session today; what holds is recorded and proposes a pause."""
    session, today = _find(request, code), _today(request)
    asked = _asked_at_arrival(session)
    form = ScreeningForm(
        request.POST if request.method == "POST" else None,
        asked=asked,
        today=today,
        auto_id=f"screen-%s-{code}",
    )
    if request.method != "POST":
        return _answer_row(request, code, panel="screen", form=form)
    if not form.is_valid():
        return _answer_row(request, code, panel="screen", form=form, is_refused=True)
    conditions, to_on = form.cleaned_data["conditions"], form.cleaned_data["to_on"]
    if not conditions:
        return _answer_row(request, code)
    with attempt(request, form) as tried, transaction.atomic():
        for condition in conditions:
            services.record_contraindication(
                client=session.client,
                condition=condition,
                from_on=today,
                to_on=to_on,
                by=acting(request),
                now=timezone.now(),
            )
    if tried.is_refused:
        return _answer_row(request, code, panel="screen", form=form, is_refused=True)
    _say(request, session, _("recorded."))
    reason = presenters.pause_reason_for(conditions)
    return _answer_row(request, code, **_pause_panel(request, session, reason=reason, to_on=to_on))


def _pause_panel(
    request: StaffRequest, session: TreatmentSession, *, reason: str, to_on: date
) -> dict[str, Any]:
    initial = {"reason": reason, "to_on": to_on}
    form = PauseForm(initial=initial, today=_today(request), auto_id=f"pause-%s-{session.code}")
    may_pause = may(request, Capability.BOOK)
    url = f"{reverse('staff:session-pause', args=[session.code])}?{urlencode(initial)}" if may_pause else ""
    return {"panel": "pause", "panel_url": url, "form": form, "may_pause": may_pause}


@staff_page(read=Capability.RECORD, write=Capability.RECORD)
def attend(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    session, now = _find(request, code), timezone.now()
    form = AttendanceForm(
        request.POST if request.method == "POST" else None,
        initial={"minutes": presenters.booked_minutes(session)},
        auto_id=f"attend-%s-{code}",
    )
    if request.method != "POST":
        return _answer_row(request, code, panel="attend", form=form)
    if form.is_valid():
        with attempt(request, form):
            after = services.record_attendance(
                session=session, by=acting(request), now=now, **form.cleaned_data
            )
    if form.errors:
        return _answer_row(request, code, panel="attend", form=form, is_refused=True)
    _say_done(request, session, after, _("treated."), now=now)
    return _answer_row(request, code, **_after_attendance(request, session, form))


def _after_attendance(request: StaffRequest, session: TreatmentSession, form: forms.Form) -> dict[str, Any]:
    """Propose what an attendance asks for: the end of a pause it fell into, or a pause until bruises heal."""
    is_paused = Pause.objects.filter(course=session.course, from_on__lte=session.on).exclude(
        to_on__lt=session.on
    )
    if is_paused.exists():
        may_pause = may(request, Capability.BOOK)
        url = reverse("staff:session-resume", args=[session.code]) if may_pause else ""
        return {"panel": "resume", "panel_url": url, "may_pause": may_pause}
    if form.cleaned_data["reaction"] == Reaction.BRUISES:
        to_on = max(session.on, _today(request)) + timedelta(days=HEALING_DAYS)
        return _pause_panel(request, session, reason=PauseReason.BRUISES, to_on=to_on)
    return {}


@staff_page(read=Capability.BOOK, write=Capability.BOOK)
def pause(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    session, today = _find(request, code), _today(request)
    form = PauseForm(
        request.POST if request.method == "POST" else None,
        initial=request.GET.dict(),
        today=today,
        auto_id=f"pause-%s-{code}",
    )
    if request.method != "POST":
        return _answer_row(request, code, panel="pause", form=form, may_pause=True)
    if form.is_valid():
        # The day of a session that took place is no paused day.
        from_on = today + timedelta(days=1) if session.status == SessionStatus.ATTENDED else today
        with attempt(request, form):
            services.pause_course(
                course=session.course,
                from_on=from_on,
                by=acting(request),
                now=timezone.now(),
                **form.cleaned_data,
            )
    if form.errors:
        return _answer_row(request, code, panel="pause", form=form, may_pause=True, is_refused=True)
    _say(request, session, _("the course is paused."))
    return _answer_row(request, code)


@staff_page(read=Capability.BOOK, write=Capability.BOOK)
def resume(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    session = _find(request, code)
    if request.method != "POST":
        return _answer_row(request, code, panel="resume", may_pause=True)
    with attempt(request) as tried:
        services.resume_course(course=session.course, on=session.on, by=acting(request), now=timezone.now())
    if not tried.is_refused:
        _say(request, session, _("the pause has ended."))
    return _answer_row(request, code, is_refused=tried.is_refused)


@staff_page(write=Capability.RECORD)
def miss(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    session, now = _find(request, code), timezone.now()
    with attempt(request) as tried:
        after = services.record_no_show(session=session, by=acting(request), now=now)
    if not tried.is_refused:
        _say_done(request, session, after, _("did not come."), now=now)
    return _answer_row(request, code, is_refused=tried.is_refused)


@staff_page(write=Capability.BOOK)
def cancel(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    session, now = _find(request, code), timezone.now()
    with attempt(request) as tried:
        after = services.cancel_session(
            session=session, whose=request.POST.get("whose", ""), by=acting(request), now=now
        )
    if not tried.is_refused:
        _say_done(request, session, after, _("cancelled."), now=now, is_booking=True)
    return _answer_row(request, code, is_refused=tried.is_refused)


@staff_page(write=Capability.BOOK)
def confirm(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    session, now = _find(request, code), timezone.now()
    with attempt(request) as tried:
        after = services.confirm_session(session=session, by=acting(request), now=now)
    if not tried.is_refused:
        _say_done(request, session, after, _("confirmed."), now=now, is_booking=True)
    return _answer_row(request, code, is_refused=tried.is_refused)


@staff_page(write=Capability.RECORD)
def undo(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    session = _find(request, code)
    try:
        services.correct_session(
            session=session, status=SessionStatus.BOOKED, by=acting(request), now=timezone.now()
        )
    except CourseError as error:
        say_taken(request, session, error)
        return _answer_row(request, code, is_refused=True)
    _say(request, session, _("back to booked."))
    return _answer_row(request, code)
