"""Booking from a free place of the calendar: first whose course it is for, then when exactly and where."""

import uuid
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from clinics.access import Capability
from clinics.core import to_utc
from clinics.models import Clinic, Room
from courses import services
from courses.convert import local_today
from courses.models import BOOKED_STATUSES, Course, SessionStatus, TreatmentSession
from courses.selectors import RUNNING, booked_days, clinic_courses, search_courses
from staff import presenters
from staff.access import StaffRequest, acting, may, staff_page
from staff.answers import attempt, show
from staff.calendar_forms import BookingForm, BookingPlace, PlaceForm, calendar_address
from staff.overtaken import undisturbed
from staff.presenters import calendar_booking as shown
from staff.searches import go_to_found, searched
from staff.views.course import find_course, held_course

_CHOOSE: Final = "staff/calendar/book_choose.html"
_BOOK: Final = "staff/calendar/book.html"
# So many are judged and shown; a search finds the others.
_SHOWN: Final = 40


@staff_page(read=Capability.BOOK, write=Capability.BOOK)
def choose_course(request: StaffRequest) -> HttpResponse:
    """Show whom a free place can be given to, those whose window holds the day first."""
    clinic, now = request.staff_member.clinic, timezone.now()
    today = local_today(clinic, now)
    form = PlaceForm(searched(request), clinic=clinic)
    if request.method == "POST":
        return go_to_found(request, names=form.fields)
    place = form.place(today=today)
    text = form.cleaned_data.get("q", "")
    wanted = search_courses(_free_courses(clinic, place.on, today=today), text)
    found = list(wanted[: _SHOWN + 1])
    fits = services.fit_day(courses=found[:_SHOWN], on=place.on, now=now)
    lines = shown.course_lines(found[:_SHOWN], fits, place, today=today)
    context = {
        "place": place,
        "title": shown.place_words(place, today=today),
        "inside": [line for line in lines if line.is_good],
        "others": [line for line in lines if not line.is_good],
        "more": len(found) > _SHOWN,
        "text": text,
        "kept": [(name, form.data[name]) for name in form.fields if name != "q" and form.data.get(name)],
        "back": calendar_address(place.page, clinic=clinic, today=today),
        "may_prescribe": may(request, Capability.PRESCRIBE),
    }
    return show(request, _CHOOSE, _CHOOSE, context)


def _free_courses(clinic: Clinic, on: date, *, today: date) -> QuerySet[Course]:
    """Return the running courses without a session on the day: those with nothing booked first, then by due date."""
    sessions = TreatmentSession.objects.filter(course=OuterRef("pk"))
    that_day = sessions.filter(on=on, status__in=(*BOOKED_STATUSES, SessionStatus.ATTENDED))
    ahead = sessions.filter(on__gte=today, status__in=BOOKED_STATUSES)
    return (
        clinic_courses(clinic)
        .filter(~Exists(that_day), status__in=RUNNING)
        .annotate(has_booking=Exists(ahead))
        .order_by("has_booking", "due_by_on", "pk")
    )


@staff_page(read=Capability.BOOK, write=Capability.BOOK)
def book_course(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    """Book a course at a place of the calendar; a day of which nothing was said yet is said something about first."""
    with undisturbed(request, held_course(request, code)):
        return _book_course(request, find_course(request, code), now=timezone.now())


def _book_course(request: StaffRequest, course: Course, *, now: datetime) -> HttpResponse:
    today = local_today(course.clinic, now)
    place = PlaceForm(request.GET, clinic=course.clinic).place(today=today)
    form = BookingForm(
        request.POST if request.method == "POST" else None,
        clinic=course.clinic,
        booked=booked_days(course, today=today),
        today=today,
    )
    fit = services.fit_day(courses=[course], on=place.on, now=now)[course.pk]
    if form.is_bound and form.is_valid():
        on = form.cleaned_data["on"]
        fit = services.fit_day(courses=[course], on=on, now=now)[course.pk]
        if not fit.is_good and not form.is_judged():
            form.tell()
        else:
            with attempt(request, form) as tried:
                services.book_session(course=course, by=acting(request), now=now, **form.slot())
            if not tried.is_refused:
                messages.success(request, f"{course.client.name}: {_('The session is booked.')}")
                return redirect(calendar_address(place.page, clinic=course.clinic, today=today, on=on))
    elif not form.is_bound:
        form.initial = {**form.initial, **_initial(course, place, fit)}
    on = form.cleaned_data.get("on", place.on) if form.is_bound else place.on
    context: dict[str, Any] = {
        "course": course,
        "protocol": presenters.protocol_name(course),
        "form": form,
        "fit": shown.fit_words(fit, on, today=today),
        "other": place.address(),
        "back": calendar_address(place.page, clinic=course.clinic, today=today),
    }
    return show(request, _BOOK, _BOOK, context, status=422 if form.is_bound else 200)


def _initial(course: Course, place: BookingPlace, fit: services.DayFit) -> dict[str, Any]:
    """Return what the form starts from: the place, the prescribed length, the course's practitioner, a free room."""
    practitioner, room = place.practitioner or course.practitioner, place.room
    if room is None and place.at is not None:
        starts_at = to_utc(place.on, place.at, ZoneInfo(course.clinic.time_zone))
        room = _free_room(course.clinic, starts_at, starts_at + timedelta(minutes=fit.minutes))
    return {
        "on": place.on,
        "at": f"{place.at:%H:%M}" if place.at else None,
        "minutes": fit.minutes,
        "practitioner": practitioner.code if practitioner else None,
        "room": room.code if room else None,
        "judged": place.on.isoformat(),
    }


def _free_room(clinic: Clinic, starts_at: datetime, ends_at: datetime) -> Room | None:
    """Return the first room that nobody has booked at a time; booking it decides."""
    taken = TreatmentSession.objects.filter(
        room=OuterRef("pk"), status__in=BOOKED_STATUSES, starts_at__lt=ends_at, ends_at__gt=starts_at
    )
    return Room.objects.for_clinic(clinic).filter(~Exists(taken), is_active=True).first()
