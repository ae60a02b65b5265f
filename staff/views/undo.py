"""Undo: take back what was just done, or say who has been there since and what is free instead."""

import uuid
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.signing import BadSignature
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinics.access import Capability
from courses import services
from courses.convert import local_today
from courses.errors import CourseError
from courses.models import Flag, TreatmentSession
from staff import presenters
from staff.access import StaffRequest, acting, may, staff_page
from staff.undo import LINK_TAG, read_before, read_day, read_slip


@staff_page(write=Capability.RECORD)
def undo(request: StaffRequest) -> HttpResponse:
    """Take back one act of today, as its notice asks for it."""
    try:
        slip = read_slip(request.POST.get("slip", ""))
    except BadSignature:
        messages.error(request, _("This can no longer be undone here. Correct it where it stands now."))
        return redirect("staff:today")
    if "flags" in slip:
        _undo_flags(request, slip)
    else:
        _undo_session(request, slip)
    return redirect(slip["back"])


def _undo_session(request: StaffRequest, slip: dict[str, Any]) -> None:
    if slip["is_booking"] and not may(request, Capability.BOOK):
        raise PermissionDenied
    sessions = TreatmentSession.objects.for_clinic(request.staff_member.clinic)
    session = get_object_or_404(
        sessions.select_related(
            "clinic", "client", "course__clinic", "course__client", "course__practitioner"
        ),
        code=uuid.UUID(slip["session"]),
    )
    before = read_before(slip["before"])
    try:
        services.undo_session(session=session, before=before, by=acting(request), now=timezone.now())
    except CourseError as error:
        say_taken(request, session, error, before)
    else:
        messages.success(request, f"{session.client.name}: {_('undone.')}")


def say_taken(
    request: StaffRequest,
    session: TreatmentSession,
    error: CourseError,
    before: services.SessionBefore | None = None,
) -> None:
    """Say why a session cannot have its slot again: who has it now, and the nearest time that is free."""
    if error.code != "slot_taken":
        messages.error(request, f"{session.client.name}: {error.message}")
        return
    said = [f"{session.client.name}: {error.message}"]
    holder = services.find_holder(session=session, before=before)
    if holder is not None:
        said.append(_("%(name)s has it now.") % {"name": holder.client.name})
    if nearest := _nearest(session, lost=before.starts_at if before else session.starts_at):
        said.append(_("The nearest free time is %(moment)s.") % {"moment": nearest})
    link = reverse("staff:course-book", args=[session.course.code])
    messages.error(request, " ".join(said), extra_tags=f"{LINK_TAG}{link}")


def _nearest(session: TreatmentSession, *, lost: datetime | None) -> str:
    """Return the free time nearest to the one that was lost in words; nothing when there is none to book."""
    now = timezone.now()
    try:
        slots = services.offer_slots(course=session.course, now=now).slots
    except CourseError:
        return ""
    if not slots or lost is None:
        return ""
    best = min(slots, key=lambda slot: abs(slot.starts_at - lost))
    return presenters.moment_words(best.starts_at, today=local_today(session.clinic, now))


def _undo_flags(request: StaffRequest, slip: dict[str, Any]) -> None:
    if not may(request, Capability.BOOK):
        raise PermissionDenied
    clinic, now = request.staff_member.clinic, timezone.now()
    acted_at = parse_datetime(slip["acted_at"])
    if acted_at is None or local_today(clinic, acted_at) != local_today(clinic, now):
        messages.error(request, _("This was done on another day."))
        return
    done = 0
    for code, was_acknowledged, until_on, stamp in slip["flags"]:
        flag = get_object_or_404(
            Flag.objects.for_clinic(clinic).select_related("course__client"), code=uuid.UUID(code)
        )
        try:
            services.release_flag(
                flag=flag,
                was_acknowledged=was_acknowledged,
                snoozed_until_on=read_day(until_on),
                seen=stamp,
                by=acting(request),
                now=now,
            )
        except CourseError as error:
            messages.error(request, f"{flag.course.client.name}: {error.message}")
        else:
            done += 1
    if done:
        words = ngettext("%(n)s finding is on the list again.", "%(n)s findings are on the list again.", done)
        messages.success(request, words % {"n": done})
