"""When one of the clinic's people works: their own hours, which narrow the clinic's."""

import uuid
from typing import Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from clinics.access import Capability
from clinics.models import StaffMember
from courses.errors import CourseError
from courses.selectors import booked_outside
from courses.services import set_working_hours, stored_hours, working_hours
from staff.access import StaffRequest, acting, staff_page
from staff.clinic_forms import WorkingHoursForm
from staff.presenters.people import hours_lines

_PAGE: Final = "staff/people/hours.html"


@staff_page(read=Capability.MANAGE, write=Capability.MANAGE)
def edit_working_hours(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    clinic, now = request.staff_member.clinic, timezone.now()
    member = get_object_or_404(StaffMember.objects.for_clinic(clinic).select_related("clinic"), code=code)
    form = WorkingHoursForm(request.POST if request.method == "POST" else None, hours=working_hours(member))
    booked = None
    if form.is_bound and form.is_valid():
        try:
            set_working_hours(
                practitioner=member,
                hours=form.typed,
                known=form.known_hours(),
                known_bookings=form.known_bookings(),
                by=acting(request),
                now=now,
            )
        except CourseError as error:
            if error.code == "hours_booked":
                # A question, not a mistake: what was typed may be saved once the number has been read.
                booked = booked_outside(clinic, form.typed, now=now, practitioner=member)
            else:
                form.add_error(None, error.message)
            form.renew(bookings=booked or 0)
        else:
            messages.success(request, _("The working hours are saved."))
            return redirect("staff:people-edit", code)
    context = {
        "form": form,
        "booked": booked,
        "person": member,
        "clinic_hours": hours_lines(stored_hours(clinic)),
    }
    return render(request, _PAGE, context, status=422 if form.errors else 200)
