"""Disruptions: who is hit when somebody is away or the clinic closes, and moving them all at once."""

import uuid
from typing import Any, Final

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from clinics.access import Capability
from courses.convert import local_today
from courses.models import DisruptedSession, Disruption, DisruptionStatus, Flag
from courses.services import (
    Outage,
    apply_disruption,
    choose_moves,
    foresee_drift,
    is_on_record,
    is_undoable,
    sessions_hit,
    start_disruption,
    undo_disruption,
)
from staff.access import StaffRequest, acting, staff_page
from staff.answers import attempt
from staff.disruption_forms import OutageForm, ReasonForm, read_choices
from staff.presenters import disruptions as shown
from staff.presenters import flag_chip
from staff.presenters.jobs import job_line

_LIST: Final = "staff/disruptions/disruption_list.html"
_DETAIL: Final = "staff/disruptions/disruption_detail.html"
# More are counted: who wants to read them all plans other times and pages through those.
_SHOWN: Final = 50
_RECENT: Final = 10
_PAGE: Final = 50
_DRIFT_SHOWN: Final = 20


@staff_page(read=Capability.BOOK, write=Capability.BOOK)
def disruption_list(request: StaffRequest) -> HttpResponse:
    clinic = request.staff_member.clinic
    if request.method != "POST":
        form = OutageForm(request.GET if "from_on" in request.GET else None, clinic=clinic)
        return _show_list(request, form, ReasonForm())
    form, reason = OutageForm(request.POST, clinic=clinic), ReasonForm(request.POST)
    if form.is_valid() and reason.is_valid():
        with attempt(request, form) as tried:
            disruption = start_disruption(
                outage=form.outage(), by=acting(request), now=timezone.now(), **reason.cleaned_data
            )
        if not tried.is_refused:
            return redirect("staff:disruption-detail", code=disruption.code)
    return _show_list(request, form, reason, status=422)


def _show_list(
    request: StaffRequest, form: OutageForm, reason: ReasonForm, *, status: int = 200
) -> HttpResponse:
    clinic, now = request.staff_member.clinic, timezone.now()
    today = local_today(clinic, now)
    recent = Disruption.objects.for_clinic(clinic).select_related("practitioner", "created_by", "job")
    context: dict[str, Any] = {
        "form": form,
        "reason": reason,
        "today": today,
        "recent": [shown.disruption_line(row, today=today) for row in recent[:_RECENT]],
    }
    if form.is_bound and form.is_valid():
        context |= _hit(form.outage(), today=today)
    return render(request, _LIST, context, status=status)


def _hit(outage: Outage, *, today: Any) -> dict[str, Any]:
    """Return what the page says of who would be hit.

    Cost: as foresee_drift(), and two queries.
    """
    now = timezone.now()
    sessions = sessions_hit(outage, now=now)
    drift = foresee_drift(outage, sessions, now=now)
    return {
        "outage": outage,
        "title": shown.outage_title(outage.practitioner),
        "is_on_record": is_on_record(outage),
        "hits": shown.hit_lines(sessions[:_SHOWN], drift, today=today),
        "more": max(0, len(sessions) - _SHOWN),
        "hit_words": shown.hit_words(sessions) if sessions else "",
        "drift_words": shown.drift_words(drift) if sessions else "",
    }


def _find(request: StaffRequest, code: uuid.UUID) -> Disruption:
    rows = Disruption.objects.for_clinic(request.staff_member.clinic)
    return get_object_or_404(rows.select_related("clinic", "practitioner", "created_by", "job"), code=code)


@staff_page(read=Capability.BOOK)
def disruption_detail(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    disruption = _find(request, code)
    return _show(request, disruption, page=request.GET.get("page", "1"))


def _show(request: StaffRequest, disruption: Disruption, *, page: str, status: int = 200) -> HttpResponse:
    today = local_today(disruption.clinic, timezone.now())
    is_hit = Q(is_hit=True)
    counts = disruption.sessions.aggregate(
        total=Count("pk", filter=is_hit),
        placed=Count("pk", filter=is_hit & Q(new_starts_at__isnull=False)),
        outside=Count("pk", filter=is_hit & Q(days_outside__gt=0)),
        unplaced=Count("pk", filter=is_hit & Q(new_starts_at=None)),
        joining=Count("pk", filter=Q(is_hit=False)),
    )
    summary = shown.PlanSummary(**counts)
    found = _page_of(disruption, page)
    context: dict[str, Any] = {
        "disruption": disruption,
        "line": shown.disruption_line(disruption, today=today),
        "job": job_line(disruption.job) if disruption.job else None,
        "summary": summary,
        "page": found,
        "rows": [shown.move_line(row, today=today) for row in found],
        "is_planned": disruption.status == DisruptionStatus.PLANNED,
        "is_over": disruption.status not in (DisruptionStatus.PLANNING, DisruptionStatus.PLANNED),
        "is_undone": disruption.status == DisruptionStatus.UNDONE,
        "is_stale": disruption.calendar_version != disruption.clinic.calendar_version,
        "again": _again(disruption),
    }
    if context["is_over"]:
        context |= _outcome(disruption)
    return render(request, _DETAIL, context, status=status)


def _page_of(disruption: Disruption, page: str) -> Page[DisruptedSession]:
    rows = disruption.sessions.select_related(
        "course__client", "practitioner", "room", "new_practitioner", "new_room"
    )
    # What was not moved comes first once it is over; until then the order is that of urgency.
    order: tuple[str, ...] = ("position",)
    if disruption.status == DisruptionStatus.APPLIED:
        rows = rows.annotate(is_settled=Q(outcome__in=("moved", "cancelled")))
        order = ("is_settled", "position")
    elif disruption.status == DisruptionStatus.UNDONE:
        rows = rows.annotate(is_settled=~Q(undone="kept"))
        order = ("is_settled", "position")
    return Paginator(rows.order_by(*order), _PAGE).get_page(page)


def _again(disruption: Disruption) -> dict[str, str]:
    """Return what a form posts that plans anew what is still hit."""
    person = disruption.practitioner
    return {
        "practitioner": str(person.code) if person else "",
        "from_on": disruption.from_on.isoformat(),
        "to_on": disruption.to_on.isoformat(),
        "reason": disruption.reason,
    }


def _outcome(disruption: Disruption) -> dict[str, Any]:
    """Return what became of the sessions, and what drift remains.

    Cost: two queries.
    """
    is_undone = disruption.status == DisruptionStatus.UNDONE
    what = "undone" if is_undone else "outcome"
    counts = dict(disruption.sessions.order_by().values_list(what).annotate(Count("pk")))
    flags = list(
        Flag.objects.filter(course__in=disruption.sessions.values("course"), resolved_at=None)
        .select_related("course__client")
        .order_by("-severity_rank", "since_on", "pk")
    )
    return {
        "counts": shown.undo_count_words(counts) if is_undone else shown.count_words(counts),
        "has_rest": not is_undone and any(counts.get(name) for name in ("left", "refused", "")),
        "can_undo": is_undoable(disruption),
        "remaining": shown.remaining_words(len(flags)),
        "flags": [(flag, flag_chip(flag)) for flag in flags[:_DRIFT_SHOWN]],
        "more_flags": max(0, len(flags) - _DRIFT_SHOWN),
    }


@staff_page(write=Capability.BOOK)
def choose(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    """Keep what was chosen on one page of the list, then show the page asked for."""
    disruption = _find(request, code)
    choose_moves(disruption=disruption, choices=read_choices(request.POST))
    address = reverse("staff:disruption-detail", args=[code])
    page = request.POST.get("page", "")
    return redirect(f"{address}?page={page}" if page.isdecimal() else address)


@staff_page(write=Capability.BOOK)
def apply(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    disruption = _find(request, code)
    choose_moves(disruption=disruption, choices=read_choices(request.POST))
    with attempt(request) as tried:
        apply_disruption(disruption=disruption, by=acting(request), now=timezone.now())
    if not tried.is_refused:
        messages.success(request, _("It is being applied. You may leave this page and come back."))
    return redirect("staff:disruption-detail", code=code)


@staff_page(write=Capability.BOOK)
def undo(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    disruption = _find(request, code)
    with attempt(request) as tried:
        undo_disruption(disruption=disruption, by=acting(request), now=timezone.now())
    if not tried.is_refused:
        messages.success(request, _("It is being taken back. You may leave this page and come back."))
    return redirect("staff:disruption-detail", code=code)
