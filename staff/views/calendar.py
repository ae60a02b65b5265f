"""The calendar: where is room, and moving a session there."""

import uuid
from datetime import date, timedelta
from math import gcd
from typing import Any, Final

from django.contrib import messages
from django.db.models import Prefetch, Q
from django.http import HttpResponse, JsonResponse, QueryDict
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _

from clinics.access import Capability
from clinics.models import Absence, Closure, OpeningHours, PractitionerHours, Room, StaffMember
from courses import services
from courses.convert import local_today
from courses.models import CANCELLED_STATUSES, Course, TreatmentSession
from courses.selectors import treating_members
from staff.access import StaffRequest, acting, may, staff_page
from staff.answers import answer, attempt, show
from staff.calendar_forms import CalendarFilter, CalendarForm, DropForm
from staff.planning_words import span_words
from staff.presenters import calendar as shown
from staff.templatetags.interface import full_day
from staff.undo import say_done, session_slip

_PAGE = "staff/calendar/calendar.html"
_PART = "staff/calendar/_calendar.html"


@staff_page(read=Capability.READ)
def show_calendar(request: StaffRequest) -> HttpResponse:
    return show(request, _PAGE, _PART, _context(request, request.GET))


def _context(request: StaffRequest, query: QueryDict) -> dict[str, Any]:
    """Return what the page of an address shows.

    Cost: ten queries at most, whatever the number of sessions.
    """
    clinic, now = request.staff_member.clinic, timezone.now()
    today = local_today(clinic, now)
    wanted = CalendarForm(query, clinic=clinic).filter(today=today)
    week = shown.week_of(wanted.on)
    days = week if wanted.is_week else [wanted.on]
    owners: list[StaffMember | Room] = (
        list(Room.objects.for_clinic(clinic).filter(is_active=True))
        if wanted.by_room
        else list(treating_members(clinic))
    )
    rows = _rows(request, wanted, days[0], days[-1])
    may_book = may(request, Capability.BOOK)
    # Hours begin on the hour or half past it; what is dropped lands on a step from there.
    snap = gcd(clinic.slot_step_minutes, 30)
    page = wanted.query(today=today)
    book = shown.CalendarBook(rows, by_room=wanted.by_room, may_book=may_book, now=now, snap=snap, page=page)
    context: dict[str, Any] = {
        "wanted": wanted,
        "today": today,
        "title": span_words(week[0], week[-1], today=today) if wanted.is_week else full_day(wanted.on),
        "links": _links(wanted, today=today, step=len(days)),
        "people": [(owner, _alone(wanted, owner, today=today)) for owner in owners],
        "has_hours": bool(rows.opening),
        "has_owners": bool(owners),
        "may_manage": may(request, Capability.MANAGE),
        "may_book": may_book,
        "query": page,
        "snap": snap,
        "unplaced": sum(row.starts_at is None and row.on >= today for row in rows.sessions),
    }
    chosen = wanted.chosen
    columns = [chosen] if chosen else [*owners, *_others(book, owners, rows)]
    if not wanted.is_week:
        context["grid"] = shown.day_grid(book, columns, wanted.on)
    elif chosen:
        context["grid"] = shown.week_grid(book, chosen, days)
    else:
        context |= {
            "board": shown.week_board(book, columns, days),
            "heads": [
                (on, book.closed_note(on), wanted.address(today=today, on=on, is_week=False)) for on in days
            ],
        }
    return context


def _links(wanted: CalendarFilter, *, today: date, step: int) -> dict[str, str]:
    """Return the addresses of the pages beside this one; what else is chosen stays."""
    changes: dict[str, dict[str, Any]] = {
        "before": {"on": wanted.on - timedelta(days=step)},
        "after": {"on": wanted.on + timedelta(days=step)},
        "today": {"on": today},
        "day": {"is_week": False},
        "week": {"is_week": True},
        "by_practitioner": {"by_room": False},
        "by_room": {"by_room": True},
        "everybody": {"room": None} if wanted.by_room else {"practitioner": None},
        "cancelled": {"has_cancelled": not wanted.has_cancelled},
    }
    return {name: wanted.address(today=today, **change) for name, change in changes.items()}


def _alone(wanted: CalendarFilter, owner: StaffMember | Room, *, today: date) -> str:
    """Return the address of one person's or room's calendar."""
    return wanted.address(today=today, **{"room" if wanted.by_room else "practitioner": owner})


# Of a session and its surroundings; a week of a large clinic has hundreds.
_SHOWN: Final = (
    *("code", "status", "on", "starts_at", "ends_at", "version", "confirmed_at", "arrived_at"),
    *("cancel_reason", "course_id", "practitioner_id", "room_id"),
)
_COURSE_SHOWN: Final = ("code", "status", "client__given_name", "client__family_name")


def _rows(request: StaffRequest, wanted: CalendarFilter, first: date, last: date) -> shown.CalendarRows:
    clinic = request.staff_member.clinic
    sessions = (
        TreatmentSession.objects.for_clinic(clinic)
        .filter(on__gte=first, on__lte=last)
        .only(*_SHOWN)
        # Each once, by its key: joins would read whole tables for a week of a large clinic.
        .prefetch_related(
            Prefetch("course", Course.objects.select_related("client").only(*_COURSE_SHOWN)),
            Prefetch("practitioner", StaffMember.objects.only("code", "display_name", "position")),
            Prefetch("room", Room.objects.only("code", "name", "position")),
        )
        .order_by("on", "starts_at", "pk")
    )
    if wanted.chosen:
        sessions = sessions.filter(**{"room" if wanted.by_room else "practitioner": wanted.chosen})
    if not wanted.has_cancelled:
        sessions = sessions.exclude(status__in=CANCELLED_STATUSES)
    meets = Q(from_on__lte=last, to_on__gte=first)
    return shown.CalendarRows(
        sessions=list(sessions),
        opening=list(OpeningHours.objects.for_clinic(clinic)),
        closures=list(Closure.objects.for_clinic(clinic).filter(meets).select_related("clinic")),
        absences=list(Absence.objects.for_clinic(clinic).filter(meets)),
        own_hours=list(PractitionerHours.objects.for_clinic(clinic)),
    )


def _others(
    book: shown.CalendarBook, owners: list[StaffMember | Room], rows: shown.CalendarRows
) -> list[StaffMember | Room | None]:
    """Return who is in use no more, or nobody, yet has sessions here."""
    missing = book.owners() - {owner.pk for owner in owners}
    found: dict[int, StaffMember | Room] = {}
    for session in rows.sessions:
        owner = session.room if book.by_room else session.practitioner
        if owner is not None and owner.pk in missing:
            found[owner.pk] = owner
    return [*found.values(), *([None] if None in missing else [])]


@staff_page(read=Capability.BOOK)
def show_window(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    """Say on which days a session may lie, for the page to light them while it is dragged."""
    session, now = _find(request, code), timezone.now()
    found = services.window_for_move(session=session, now=now)
    if found.window is None:
        words = _("Nothing is prescribed after what is booked before this session.")
    else:
        today = local_today(session.clinic, now)
        allowed = span_words(found.window.due_from, found.window.due_by, today=today)
        said = {"number": found.window.session, "window": allowed}
        words = _("Allowed for session %(number)s: %(window)s.") % said
        if found.window.due_by < today:
            words += " " + _("That has passed: the sooner, the better.")
    return JsonResponse({"words": words, "days": [on.isoformat() for on in found.days]})


@staff_page(write=Capability.BOOK)
def drop_session(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    """Move a session to where it was dropped; the answer is the calendar as it is then, moved or not."""
    session, now = _find(request, code), timezone.now()
    form = DropForm(request.POST, clinic=session.clinic)
    is_refused = True
    if form.is_valid():
        with attempt(request) as tried:
            after = services.move_session(
                session=session,
                by=acting(request),
                now=now,
                seen_version=form.cleaned_data["version"],
                **form.slot(),
            )
        is_refused = tried.is_refused
    else:
        messages.error(request, " ".join(str(text) for texts in form.errors.values() for text in texts))
    query = QueryDict(request.POST.get("page", "")[:400])
    context = _context(request, query)
    back = context["wanted"].address(today=context["today"])
    if not is_refused:
        slip = session_slip(session, after, acted_at=now, back=back, is_booking=True)
        say_done(request, f"{session.client.name}: {_('the session was moved.')}", slip)
    return answer(request, _PART, context, redirect_to=back, is_refused=is_refused)


def _find(request: StaffRequest, code: uuid.UUID) -> TreatmentSession:
    sessions = TreatmentSession.objects.for_clinic(request.staff_member.clinic)
    return get_object_or_404(
        sessions.select_related("clinic", "client", "course__clinic", "practitioner", "room"), code=code
    )
