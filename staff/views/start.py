"""How a clinic begins: founding it, picking its protocols, and putting the guide away."""

import re
from typing import Final

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from clinics.access import Capability
from clinics.middleware import CHOSEN_MEMBER
from clinics.models import User
from clinics.services import close_guide, record_sign_in, start_clinic
from courses.models import Protocol
from courses.services.library import load_library, read_library
from staff.access import StaffRequest, acting, redirect_to_login, staff_page
from staff.start_forms import PickForm, StartForm

_REGION: Final = re.compile(r"^\s*[A-Za-z]{2,3}-([A-Z]{2})\b")


@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    """Found a clinic; open to whoever is signed in, working in a clinic already or not, where the operator allows it."""
    if not request.user.is_authenticated:
        return redirect_to_login(request)
    if not settings.ALLOW_NEW_CLINICS:
        raise PermissionDenied
    user: User = request.user
    form = StartForm(request.POST if request.method == "POST" else None, initial=_initial(request))
    if form.is_bound and form.is_valid():
        try:
            member = start_clinic(owner=user, now=timezone.now(), **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            request.session[CHOSEN_MEMBER] = str(member.code)
            record_sign_in(member=member, now=timezone.now())
            said = {"clinic": member.clinic.name, "zone": member.clinic.time_zone.replace("_", " ")}
            messages.success(request, _("%(clinic)s is founded. Its clock is that of %(zone)s.") % said)
            return redirect("staff:today")
    return render(request, "staff/start/start.html", {"form": form}, status=422 if form.errors else 200)


def _initial(request: HttpRequest) -> dict[str, str]:
    """Return what the form starts from: the country of the browser's language, and the reader's own language."""
    region = _REGION.match(request.headers.get("Accept-Language", ""))
    return {"country": region[1] if region else "", "language": translation.get_language() or "en"}


@staff_page(read=Capability.MANAGE, write=Capability.MANAGE)
def pick_protocols(request: StaffRequest) -> HttpResponse:
    """Take over protocols of the library; those that the clinic has are left as they are."""
    clinic, library = request.staff_member.clinic, read_library()
    form = PickForm(request.POST if request.method == "POST" else None, known=list(library))
    if form.is_bound and form.is_valid():
        chosen = form.cleaned_data["slugs"]
        count = load_library(clinic=clinic, by=acting(request), now=timezone.now(), slugs=chosen)
        said = ngettext("%(n)s protocol is added.", "%(n)s protocols are added.", count) % {"n": count}
        messages.success(request, said)
        return redirect("staff:today" if clinic.is_being_set_up else "staff:start-protocols")
    present = set(Protocol.objects.for_clinic(clinic).values_list("slug", flat=True))
    language = translation.get_language() or "en"
    lines = [
        {
            "slug": slug,
            "name": entry["name"].get(language, entry["name"]["en"]),
            "summary": entry.get("summary", {}).get(language, ""),
            "is_present": slug in present,
            "is_chosen": slug in request.POST.getlist("slugs") if form.is_bound else True,
        }
        for slug, entry in library.items()
    ]
    context = {"form": form, "lines": lines, "has_open": len(present & set(library)) < len(library)}
    return render(request, "staff/start/protocols.html", context, status=422 if form.errors else 200)


@staff_page(write=Capability.MANAGE)
def put_guide_away(request: StaffRequest) -> HttpResponse:
    close_guide(clinic=request.staff_member.clinic, by=acting(request), now=timezone.now())
    messages.success(request, _("The guide is put away. Everything in it is found under Settings."))
    return redirect("staff:today")
