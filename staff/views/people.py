"""The clinic's people: who may do what here, and who may no longer."""

import uuid
from typing import Any, Final

from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from clinics.access import Capability, is_allowed
from clinics.models import Absence, StaffMember
from clinics.services import (
    change_staff_member,
    deactivate_staff_member,
    invite_staff_member,
    reactivate_staff_member,
)
from courses.convert import local_today
from courses.errors import CourseError
from courses.selectors import coming_booking_counts
from courses.services import add_absence, remove_absence, working_hours
from staff.access import StaffRequest, acting, may, staff_page
from staff.answers import attempt, show
from staff.invitations import send_invitation
from staff.overtaken import undisturbed
from staff.people_forms import AbsenceForm, MemberForm, NewMemberForm
from staff.presenters import people as shown

_LIST: Final = "staff/people/people_list.html"
_EDIT: Final = "staff/people/person_edit.html"
_NEW: Final = "staff/people/person_new.html"


@staff_page(read=Capability.MANAGE)
def people_list(request: StaffRequest) -> HttpResponse:
    lines = _lines(request)
    context = {
        "here": [line for line in lines if line.member.is_active],
        "gone": [line for line in lines if not line.member.is_active],
        "today": local_today(request.staff_member.clinic, timezone.now()),
        "may_export": may(request, Capability.EXPORT),
    }
    return show(request, _LIST, _LIST, context)


def _lines(request: StaffRequest, code: uuid.UUID | None = None) -> list[shown.PersonLine]:
    """Return the clinic's people, or the one with the code.

    Cost: two queries.
    """
    clinic = request.staff_member.clinic
    apps = Authenticator.objects.filter(user=OuterRef("user"), type=Authenticator.Type.TOTP)
    members = StaffMember.objects.for_clinic(clinic).select_related("user", "clinic")
    if code is not None:
        members = members.filter(code=code)
    coming = coming_booking_counts(clinic, now=timezone.now())
    return [
        shown.person_line(
            member,
            has_second_step=member.has_second_step,
            coming=coming.get(member.pk, 0),
            is_self=member.pk == request.staff_member.pk,
        )
        for member in members.annotate(has_second_step=Exists(apps))
    ]


def _find(request: StaffRequest, code: uuid.UUID) -> StaffMember:
    members = StaffMember.objects.for_clinic(request.staff_member.clinic)
    return get_object_or_404(members.select_related("clinic", "user"), code=code)


@staff_page(read=Capability.MANAGE, write=Capability.MANAGE)
def new_person(request: StaffRequest) -> HttpResponse:
    form = NewMemberForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        with attempt(request, form) as tried:
            member = invite_staff_member(
                clinic=request.staff_member.clinic,
                by=acting(request),
                now=timezone.now(),
                **form.cleaned_data,
            )
        if not tried.is_refused:
            messages.success(request, _("%(name)s is on the list.") % {"name": member.display_name})
            _invite(request, member)
            return redirect("staff:people-list")
    return show(request, _NEW, _NEW, {"form": form}, status=422 if form.errors else 200)


@staff_page(read=Capability.MANAGE, write=Capability.MANAGE)
def edit_person(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    with undisturbed(request):
        member = _find(request, code)
        if request.method != "POST":
            return _show(request, member)
        form = MemberForm(request.POST, initial=_stored(member))
        if form.is_valid():
            with attempt(request, form) as tried:
                changed = change_staff_member(
                    member=member, by=acting(request), now=timezone.now(), **form.cleaned_data
                )
            if not tried.is_refused:
                messages.success(request, _("Saved."))
                if member.is_treating and not changed.is_treating:
                    _tell_left_behind(request, changed)
                return _go_back(request, changed)
    return _show(request, member, form)


def _stored(member: StaffMember) -> dict[str, Any]:
    return {name: getattr(member, name) for name in ("display_name", "role", "is_treating")}


def _show(
    request: StaffRequest,
    member: StaffMember,
    form: MemberForm | None = None,
    absence_form: AbsenceForm | None = None,
) -> HttpResponse:
    today = local_today(member.clinic, timezone.now())
    wrong = any(one is not None and one.errors for one in (form, absence_form))
    context: dict[str, Any] = {
        "line": _lines(request, member.code)[0],
        "form": form or MemberForm(initial=_stored(member)),
        "hours": shown.hours_lines(working_hours(member)),
        "absences": list(member.absences.filter(to_on__gte=today)),
        "absence_form": absence_form or AbsenceForm(),
        "today": today,
    }
    return show(request, _EDIT, _EDIT, context, status=422 if wrong else 200)


@staff_page(write=Capability.MANAGE)
def deactivate_person(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    member = _find(request, code)
    try:
        changed = deactivate_staff_member(member=member, by=acting(request), now=timezone.now())
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("staff:people-edit", code)
    messages.success(request, _("%(name)s has no access any more.") % {"name": changed.display_name})
    _tell_left_behind(request, changed)
    return _go_back(request, changed)


@staff_page(write=Capability.MANAGE)
def reactivate_person(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    member = reactivate_staff_member(member=_find(request, code), by=acting(request), now=timezone.now())
    messages.success(request, _("%(name)s has access again.") % {"name": member.display_name})
    return redirect("staff:people-list")


@staff_page(write=Capability.MANAGE)
def invite_again(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    member = _find(request, code)
    if member.is_active:
        _invite(request, member)
    else:
        messages.error(
            request, _("%(name)s has no access. Give it back first.") % {"name": member.display_name}
        )
    return redirect("staff:people-edit", code)


def _invite(request: StaffRequest, member: StaffMember) -> None:
    is_sent = send_invitation(request, member)
    (messages.success if is_sent else messages.error)(request, shown.invitation_words(is_sent=is_sent))


def _tell_left_behind(request: StaffRequest, member: StaffMember) -> None:
    coming = coming_booking_counts(member.clinic, now=timezone.now()).get(member.pk, 0)
    if words := shown.left_behind_words(coming):
        messages.warning(request, words)


def _go_back(request: StaffRequest, member: StaffMember) -> HttpResponse:
    # Who has just given up this page themselves is not sent to it.
    has_left = member.pk == request.staff_member.pk and not (
        member.is_active and is_allowed(member, Capability.MANAGE)
    )
    return redirect("staff:today" if has_left else "staff:people-list")


# ---------------------------------------------------------------- absences


@staff_page(write=Capability.MANAGE)
def add_absence_of(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    member, form, now = _find(request, code), AbsenceForm(request.POST), timezone.now()
    if form.is_valid():
        with attempt(request, form) as tried:
            absence = add_absence(practitioner=member, by=acting(request), now=now, **form.cleaned_data)
        if not tried.is_refused:
            messages.success(request, _("The absence is on record."))
            days = (absence.from_on, absence.to_on)
            hit = coming_booking_counts(member.clinic, now=now, days=days).get(member.pk, 0)
            if words := shown.hit_words(hit):
                messages.warning(request, words)
            return redirect("staff:people-edit", code)
    return _show(request, member, absence_form=form)


@staff_page(write=Capability.MANAGE)
def remove_absence_of(request: StaffRequest, code: uuid.UUID, absence_code: uuid.UUID) -> HttpResponse:
    member = _find(request, code)
    absence = Absence.objects.filter(practitioner=member, code=absence_code).select_related("clinic").first()
    try:
        if absence is None:
            raise CourseError(_("This absence is gone already."), code="absence_gone")
        remove_absence(absence=absence, by=acting(request), now=timezone.now())
    except CourseError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("The absence is removed."))
    return redirect("staff:people-edit", code)
