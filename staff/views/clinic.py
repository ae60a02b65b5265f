"""Settings of the clinic itself: its details, its opening hours, its rooms."""

import uuid
from typing import Any, Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from clinics.access import Capability
from clinics.models import Clinic, Room
from clinics.services import add_room, rename_room
from courses.errors import CourseError
from courses.selectors import booked_in_rooms, booked_outside
from courses.services import (
    change_clinic,
    is_time_zone_open,
    reopen_room,
    retire_room,
    set_opening_hours,
    stored_hours,
)
from staff.access import StaffRequest, acting, staff_page
from staff.answers import attempt
from staff.clinic_forms import ClinicForm, HoursForm, RoomForm, read_count
from staff.overtaken import undisturbed

_DETAILS: Final = "staff/clinic/details.html"
_HOURS: Final = "staff/clinic/hours.html"
_ROOMS: Final = "staff/clinic/rooms.html"


@staff_page(read=Capability.MANAGE, write=Capability.MANAGE)
def clinic_details(request: StaffRequest) -> HttpResponse:
    clinic = request.staff_member.clinic
    is_zone_open = is_time_zone_open(clinic)
    data = request.POST if request.method == "POST" else None
    form = ClinicForm(data, clinic=clinic, is_zone_open=is_zone_open)
    if data is not None and form.is_valid():
        with attempt(request, form) as tried:
            change_clinic(
                clinic=clinic,
                values=form.values(),
                known=form.known_values(),
                by=acting(request),
                now=timezone.now(),
            )
        if not tried.is_refused:
            messages.success(request, _("The clinic's details are saved."))
            return redirect("staff:settings-clinic")
        form.renew_known(Clinic.objects.get(pk=clinic.pk))
    context = {"form": form, "clinic": clinic, "is_zone_open": is_zone_open}
    return render(request, _DETAILS, context, status=422 if form.errors else 200)


@staff_page(read=Capability.MANAGE, write=Capability.MANAGE)
def opening_hours(request: StaffRequest) -> HttpResponse:
    clinic = request.staff_member.clinic
    if request.method != "POST":
        return render(request, _HOURS, {"form": HoursForm(hours=stored_hours(clinic))})
    form = HoursForm(request.POST, hours=stored_hours(clinic))
    booked = None
    if form.is_valid():
        now = timezone.now()
        try:
            set_opening_hours(
                clinic=clinic,
                hours=form.typed,
                known=form.known_hours(),
                known_bookings=form.known_bookings(),
                by=acting(request),
                now=now,
            )
        except CourseError as error:
            if error.code == "hours_booked":
                # A question, not a mistake: what was typed may be saved once the number has been read.
                booked = booked_outside(clinic, form.typed, now=now)
            else:
                form.add_error(None, error.message)
            form.renew(bookings=booked or 0)
        else:
            messages.success(request, _("The opening hours are saved."))
            return redirect("staff:settings-hours")
    context = {"form": form, "booked": booked}
    return render(request, _HOURS, context, status=422 if form.errors else 200)


# ---------------------------------------------------------------- rooms


@staff_page(read=Capability.MANAGE, write=Capability.MANAGE)
def room_list(request: StaffRequest) -> HttpResponse:
    if request.method != "POST":
        return _show_rooms(request, RoomForm())
    form = RoomForm(request.POST)
    if form.is_valid():
        with attempt(request, form) as tried:
            add_room(
                clinic=request.staff_member.clinic,
                name=form.cleaned_data["name"],
                by=acting(request),
                now=timezone.now(),
            )
        if not tried.is_refused:
            messages.success(request, _("%(room)s is added.") % {"room": form.cleaned_data["name"]})
            return redirect("staff:settings-rooms")
    return _show_rooms(request, form, status=422)


@staff_page(write=Capability.MANAGE)
def rename(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    with undisturbed(request):
        room = _find_room(request, code)
        form = RoomForm(request.POST, room=room)
        if form.is_valid():
            with attempt(request, form) as tried:
                rename_room(room=room, name=form.cleaned_data["name"], by=acting(request), now=timezone.now())
            if not tried.is_refused:
                messages.success(
                    request, _("The room is called %(room)s now.") % {"room": form.cleaned_data["name"]}
                )
                return redirect("staff:settings-rooms")
    return _show_rooms(request, RoomForm(), renamed=(room, form), status=422)


@staff_page(write=Capability.MANAGE)
def retire(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    room = _find_room(request, code)
    known = read_count(request.POST.get("known_bookings", ""))
    try:
        retire_room(room=room, known_bookings=known, by=acting(request), now=timezone.now())
    except CourseError as error:
        if error.code != "room_booked":
            messages.error(request, error.message)
            return redirect("staff:settings-rooms")
        return _show_rooms(request, RoomForm(), asked=(room, error.message))
    messages.success(request, _("%(room)s is no longer booked.") % {"room": room.name})
    return redirect("staff:settings-rooms")


@staff_page(write=Capability.MANAGE)
def reopen(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    room = _find_room(request, code)
    with attempt(request) as tried:
        reopen_room(room=room, by=acting(request), now=timezone.now())
    if not tried.is_refused:
        messages.success(request, _("%(room)s can be booked again.") % {"room": room.name})
    return redirect("staff:settings-rooms")


def _find_room(request: StaffRequest, code: uuid.UUID) -> Room:
    rooms = Room.objects.for_clinic(request.staff_member.clinic).select_related("clinic")
    return get_object_or_404(rooms, code=code)


def _show_rooms(
    request: StaffRequest,
    form: RoomForm,
    *,
    renamed: tuple[Room, RoomForm] | None = None,
    asked: tuple[Room, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    clinic = request.staff_member.clinic
    booked = booked_in_rooms(clinic, now=timezone.now())
    lines: list[dict[str, Any]] = [
        {
            "room": room,
            "booked": booked.get(room.pk, 0),
            "form": renamed[1] if renamed and renamed[0] == room else RoomForm(room=room),
            "question": asked[1] if asked and asked[0] == room else "",
        }
        for room in Room.objects.for_clinic(clinic)
    ]
    context = {
        "form": form,
        "lines": [line for line in lines if line["room"].is_active],
        "retired": [line for line in lines if not line["room"].is_active],
    }
    return render(request, _ROOMS, context, status=status)
