"""Settings, Closures: days on which the clinic is closed, and the public holidays of its country."""

import uuid
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from clinics.access import Capability
from clinics.models import Clinic, Closure, OpeningHours
from clinics.public_holidays import find_public_holidays
from courses.convert import local_today
from courses.errors import CourseError
from courses.selectors import booked_by_day
from courses.services import add_closure, close_days, closed_days, remove_closure
from staff.access import StaffRequest, acting, may, staff_page
from staff.answers import add_refusal, attempt
from staff.clinic_forms import ClosureForm, YearForm, country_name, read_count
from staff.presenters import closures as shown

_LIST: Final = "staff/clinic/closures.html"
_HOLIDAYS: Final = "staff/clinic/holidays.html"
# Closures further back than this are history that nobody looks up here.
_PAST: Final = timedelta(days=366)
# From this month on holidays of the coming year are thought of.
_AUTUMN: Final = 10


@staff_page(read=Capability.MANAGE, write=Capability.MANAGE)
def closure_list(request: StaffRequest) -> HttpResponse:
    if request.method != "POST":
        # What was just removed comes back by its address, ready to be put in place again.
        typed = {name: request.GET[name] for name in ("from_on", "to_on", "reason") if name in request.GET}
        return _show_list(request, ClosureForm(initial=typed))
    form = ClosureForm(request.POST)
    if not form.is_valid():
        return _show_list(request, form, status=422)
    clinic, now = request.staff_member.clinic, timezone.now()
    first, last = form.days()
    try:
        add_closure(
            clinic=clinic,
            from_on=first,
            to_on=last,
            reason=form.cleaned_data["reason"],
            known_bookings=form.known_bookings(),
            by=acting(request),
            now=now,
        )
    except CourseError as error:
        if error.code != "days_booked":
            add_refusal(form, error)
            return _show_list(request, form, status=422)
        booked = sum(booked_by_day(clinic, first, last, today=local_today(clinic, now)).values())
        form.tell(booked)
        return _show_list(request, form, booked=booked)
    messages.success(request, _saved_words(_("The closure is saved."), form.known_bookings()))
    return redirect("staff:settings-closures")


def _saved_words(saved: str, booked: int) -> str:
    if not booked:
        return saved
    told = ngettext(
        "%(count)s booked session waits to be moved: see Needs attention.",
        "%(count)s booked sessions wait to be moved: see Needs attention.",
        booked,
    )
    return f"{saved} {told % {'count': booked}}"


def _show_list(
    request: StaffRequest, form: ClosureForm, *, booked: int = 0, status: int = 200
) -> HttpResponse:
    clinic = request.staff_member.clinic
    today = local_today(clinic, timezone.now())
    known = Closure.objects.for_clinic(clinic).filter(to_on__gte=today - _PAST)
    closures = list(known.select_related("clinic"))
    last = max((closure.to_on for closure in closures), default=today)
    counts = booked_by_day(clinic, today, last, today=today) if closures else {}
    coming, past = shown.closures_by_time(
        (shown.closure_line(closure, booked=counts, today=today) for closure in closures), today=today
    )
    years = YearForm(today=today, usual=_usual_year(clinic, today))
    context = {"form": form, "booked": booked, "coming": coming, "past": past, "years": years}
    context |= {"country": country_name(clinic.country), "may_export": may(request, Capability.EXPORT)}
    return render(request, _LIST, context, status=status)


@staff_page(write=Capability.MANAGE)
def remove(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    clinic = request.staff_member.clinic
    closure = Closure.objects.select_related("clinic").filter(code=code).first()
    if closure is not None and closure.clinic_id != clinic.pk:
        raise Http404
    address = reverse("staff:settings-closures")
    if closure is None:
        # Pressed twice, or on a page that is older than the removal.
        messages.error(request, _("This closure is gone already."))
        return redirect(address)
    with attempt(request) as tried:
        remove_closure(closure=closure, by=acting(request), now=timezone.now())
    if tried.is_refused:
        return redirect(address)
    messages.success(request, _("The closure is removed. Its days stand in the form, should it come back."))
    was = {"from_on": closure.from_on, "to_on": closure.to_on, "reason": closure.reason}
    return redirect(f"{address}?{urlencode(was)}")


# ---------------------------------------------------------------- public holidays


@staff_page(read=Capability.MANAGE, write=Capability.MANAGE)
def holidays(request: StaffRequest) -> HttpResponse:
    clinic, now = request.staff_member.clinic, timezone.now()
    today = local_today(clinic, now)
    data = request.POST if request.method == "POST" else request.GET
    form = YearForm({"year": data.get("year") or _usual_year(clinic, today)}, today=today)
    if not form.is_valid():
        return redirect("staff:settings-holidays")
    known = _known_holidays(clinic, form.cleaned_data["year"])
    found = {on: name for on, name in known.items() if on >= today}
    if request.method != "POST":
        return _show_holidays(request, form, found, has_any=bool(known))
    wanted = {parse_date(text) for text in request.POST.getlist("on") if len(text) == 10}
    chosen = {on: name for on, name in found.items() if on in wanted}
    told = sum(read_count(request.POST.get(f"booked_{on.isoformat()}", "")) for on in chosen)
    try:
        count = close_days(clinic=clinic, days=chosen, known_bookings=told, by=acting(request), now=now)
    except CourseError as error:
        changed = _("The bookings on these days have changed meanwhile. Look at them again, then close.")
        refusal = changed if error.code == "days_booked" else error.message
        return _show_holidays(request, form, found, has_any=True, chosen=chosen, refusal=refusal)
    if not count:
        refusal = _("Choose at least one day that is not closed yet.")
        return _show_holidays(request, form, found, has_any=bool(known), chosen=chosen, refusal=refusal)
    saved = ngettext("%(n)s day is saved as closed.", "%(n)s days are saved as closed.", count) % {"n": count}
    messages.success(request, _saved_words(saved, told))
    return redirect("staff:settings-closures")


def _known_holidays(clinic: Clinic, year: int) -> Mapping[date, str]:
    return find_public_holidays(clinic.country, year, language=clinic.language) if clinic.country else {}


def _usual_year(clinic: Clinic, today: date) -> int:
    """Return the year that wants planning: in autumn the coming one, once this one's last holidays are seen to."""
    if today.month < _AUTUMN:
        return today.year
    ahead = [on for on in _known_holidays(clinic, today.year) if on > today]
    open_weekdays = set(OpeningHours.objects.for_clinic(clinic).values_list("weekday", flat=True))
    wanted = {on for on in ahead if on.isoweekday() in open_weekdays}
    is_seen_to = not wanted or wanted <= closed_days(clinic, min(wanted), max(wanted))
    return today.year + is_seen_to


def _show_holidays(
    request: StaffRequest,
    form: YearForm,
    found: Mapping[date, str],
    *,
    has_any: bool,
    chosen: Mapping[date, str] | None = None,
    refusal: str = "",
) -> HttpResponse:
    clinic = request.staff_member.clinic
    year = form.cleaned_data["year"]
    lines: list[Any] = []
    if found:
        first, last = min(found), max(found)
        # Read in the reader's language, and kept in the clinic's.
        names = find_public_holidays(clinic.country, year, language=get_language())
        lines = shown.holiday_lines(
            {on: names.get(on, name) for on, name in found.items()},
            closed=closed_days(clinic, first, last),
            open_weekdays=set(OpeningHours.objects.for_clinic(clinic).values_list("weekday", flat=True)),
            booked=booked_by_day(clinic, first, last, today=local_today(clinic, timezone.now())),
            chosen=chosen,
        )
    context = {
        "form": form,
        "year": year,
        "lines": lines,
        "has_any": has_any,
        "has_open": any(not line.is_closed for line in lines),
        "refusal": refusal,
        "country": country_name(clinic.country) if clinic.country else "",
    }
    return render(request, _HOLIDAYS, context, status=422 if refusal else 200)
