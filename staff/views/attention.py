"""Needs attention: whose treatment is slipping, and why."""

import uuid
from collections.abc import Collection
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from clinics.access import Capability
from clinics.models import Clinic, ListPage
from courses import services
from courses.convert import local_today
from courses.models import Course, Flag
from courses.ribbons import load_ribbons
from courses.selectors import clinic_flags, is_awake, next_bookings
from reminders.services.nudging import nudge_client
from staff import presenters
from staff.access import StaffRequest, acting, may, staff_page
from staff.answers import answer, attempt, kept_query, show
from staff.forms import AttentionFilterForm, CallForm, PauseForm, SelectedFlagsForm, SnoozeForm
from staff.paging import page_of
from staff.undo import flags_slip, say_done
from staff.views.from_clients import lines_from_clients
from staff.views.saved_views import views_context

PAGE_SIZE = 25
_ROW = "staff/attention/_flag_row.html"
# What the worklist's address may hold.
LIST_NAMES = ("show", "severity", "kind", "cause", "practitioner", "page")


def _today(request: StaffRequest) -> date:
    return local_today(request.staff_member.clinic, timezone.now())


@staff_page(read=Capability.READ)
def worklist(request: StaffRequest) -> HttpResponse:
    return show_list(request, request.GET)


def show_list(
    request: StaffRequest,
    query: QueryDict,
    *,
    form: SelectedFlagsForm | None = None,
    selected: Collection[str] = (),
) -> HttpResponse:
    """Show the worklist of an address; with the form of a refused act on several, that and what was selected."""
    clinic, today = request.staff_member.clinic, _today(request)
    filters = AttentionFilterForm(query, clinic=clinic)
    chosen = filters.cleaned_data if filters.is_valid() else {}
    flags = filter_flags(clinic, chosen, today=today)
    page = page_of(flags, query.get("page"), size=PAGE_SIZE)
    page_name = "staff/attention/worklist.html"
    return show(
        request,
        page_name,
        f"{page_name}#worklist",
        {
            "form": filters,
            "page": page,
            "lines": _lines(request, list(page.object_list), today=today),
            "today": today,
            "is_filtered": any(chosen.values()),
            "kept": _hand_on(kept_query(query, LIST_NAMES)),
            "bulk": form or SelectedFlagsForm(today=today),
            "selected": selected,
            "may_export": may(request, Capability.EXPORT),
            "may_book": may(request, Capability.BOOK),
            **views_context(request, ListPage.ATTENTION, filters),
            "has_courses": bool(page.object_list) or Course.objects.for_clinic(clinic).exists(),
            "may_prescribe": may(request, Capability.PRESCRIBE),
            "from_clients": [] if request.htmx else lines_from_clients(clinic, today=today),
            "may_record": may(request, Capability.RECORD),
        },
        status=422 if form and form.errors else 200,
    )


def filter_flags(clinic: Clinic, chosen: dict[str, Any], *, today: date) -> QuerySet[Flag]:
    """Return the worklist: what is open and not put off, narrowed by what is chosen."""
    flags = clinic_flags(clinic)
    if chosen.get("show") == "snoozed":
        flags = flags.exclude(is_awake(today))
    else:
        flags = flags.filter(is_awake(today))
    if chosen.get("show") == "new":
        flags = flags.filter(acknowledged_at__isnull=True)
    for name in ("severity", "kind", "cause"):
        if chosen.get(name):
            flags = flags.filter(**{name: chosen[name]})
    if chosen.get("practitioner"):
        flags = flags.filter(course__practitioner=chosen["practitioner"])
    return flags


def _lines(request: StaffRequest, flags: list[Flag], *, today: date) -> list[presenters.FlagLine]:
    courses = list({flag.course_id: flag.course for flag in flags}.values())
    ribbons = load_ribbons(courses, now=timezone.now())
    bookings = next_bookings([course.pk for course in courses], today=today)
    can_act = may(request, Capability.BOOK)
    return [
        presenters.flag_line(
            flag,
            ribbon=ribbons[flag.course_id],
            booking=bookings.get(flag.course_id),
            today=today,
            can_act=can_act,
        )
        for flag in flags
    ]


# ---------------------------------------------------------------- one flag


def _find(request: StaffRequest, code: uuid.UUID) -> Flag:
    return get_object_or_404(clinic_flags(request.staff_member.clinic), code=code)


def list_query(request: StaffRequest) -> str:
    """Return the filters and the page of the list that the reader came from.

    Only what stood behind its question mark is handed on, never a path: no link can lead elsewhere.
    """
    return kept_query(QueryDict(request.GET.get("list", "")), LIST_NAMES)


def list_address(kept: str) -> str:
    """Return the address of the list with its filters and its page."""
    return reverse("staff:attention") + (f"?{kept}" if kept else "")


def _hand_on(kept: str) -> str:
    """Return the end of an action's address that hands the list's filters and page on to it."""
    return f"?{urlencode({'list': kept})}" if kept else ""


def _answer_row(
    request: StaffRequest,
    flag: Flag,
    *,
    is_refused: bool = False,
    panel: str = "",
    form: forms.Form | None = None,
) -> HttpResponse:
    """Answer with the flag's line as it is now, a form open in it if one is asked for."""
    fresh = clinic_flags(request.staff_member.clinic).filter(pk=flag.pk)
    today = _today(request)
    kept = list_query(request)
    back = list_address(kept)
    context = {
        "line": _lines(request, list(fresh) or [flag], today=today)[0],
        "today": today,
        "panel": f"staff/attention/_panel_{panel}.html" if panel else "",
        "form": form,
        "back": back,
        "kept": _hand_on(kept),
    }
    if panel and not request.htmx:
        page = "staff/attention/panel_page.html"
        return show(request, page, page, context, status=422 if is_refused else 200)
    return answer(request, _ROW, context, redirect_to=f"{back}#flag-row-{flag.code}", is_refused=is_refused)


def _say(request: StaffRequest, flag: Flag, words: str) -> None:
    messages.success(request, f"{flag.course.client.name}: {words}")


def _say_done(request: StaffRequest, flag: Flag, words: str, *, now: datetime) -> None:
    """Say what was done about a flag, with a button that puts it back as it was."""
    back = f"{list_address(list_query(request))}#flag-row-{flag.code}"
    slip = flags_slip([(flag, Flag.objects.get(pk=flag.pk))], acted_at=now, back=back)
    say_done(request, f"{flag.course.client.name}: {words}", slip)


@staff_page(write=Capability.BOOK)
def acknowledge(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    flag, now = _find(request, code), timezone.now()
    with attempt(request) as tried:
        services.acknowledge_flag(flag=flag, by=acting(request), now=now)
    if not tried.is_refused:
        _say_done(request, flag, _("acknowledged."), now=now)
    return _answer_row(request, flag, is_refused=tried.is_refused)


@staff_page(write=Capability.BOOK)
def release(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    """Put a flag that somebody took care of, or put off, back on the list."""
    flag = _find(request, code)
    with attempt(request) as tried:
        services.release_flag(flag=flag, by=acting(request), now=timezone.now())
    if not tried.is_refused:
        _say(request, flag, _("on the list again."))
    return _answer_row(request, flag, is_refused=tried.is_refused)


@staff_page(read=Capability.BOOK, write=Capability.BOOK)
def snooze(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    flag, now = _find(request, code), timezone.now()
    is_post = request.method == "POST"
    form = SnoozeForm(request.POST if is_post else None, today=_today(request), auto_id=f"snooze-%s-{code}")
    if is_post and form.is_valid():
        with attempt(request, form):
            services.snooze_flag(flag=flag, by=acting(request), now=now, **form.cleaned_data)
    if not is_post or form.errors:
        return _answer_row(request, flag, panel="snooze", form=form, is_refused=is_post)
    _say_done(request, flag, _("put off."), now=now)
    return _answer_row(request, flag)


@staff_page(read=Capability.BOOK, write=Capability.BOOK)
def call(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    flag = _find(request, code)
    is_post = request.method == "POST"
    form = CallForm(request.POST if is_post else None, today=_today(request), auto_id=f"call-%s-{code}")
    if is_post and form.is_valid():
        with attempt(request, form):
            services.record_call(flag=flag, by=acting(request), now=timezone.now(), **form.cleaned_data)
    if not is_post or form.errors:
        return _answer_row(request, flag, panel="call", form=form, is_refused=is_post)
    _say(request, flag, _("the call is on record."))
    return _answer_row(request, flag)


@staff_page(read=Capability.BOOK, write=Capability.BOOK)
def pause(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    flag, today = _find(request, code), _today(request)
    is_post = request.method == "POST"
    form = PauseForm(request.POST if is_post else None, today=today, auto_id=f"pause-%s-{code}")
    if is_post and form.is_valid():
        with attempt(request, form):
            services.pause_course(
                course=flag.course, from_on=today, by=acting(request), now=timezone.now(), **form.cleaned_data
            )
    if not is_post or form.errors:
        return _answer_row(request, flag, panel="pause", form=form, is_refused=is_post)
    _say(request, flag, _("the course is paused."))
    return _answer_row(request, flag)


@staff_page(write=Capability.BOOK)
def message(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    flag = _find(request, code)
    with attempt(request) as tried:
        nudge_client(course=flag.course, by=acting(request), now=timezone.now())
    if not tried.is_refused:
        _say(request, flag, _("the message goes out in a moment."))
    return _answer_row(request, flag, is_refused=tried.is_refused)
