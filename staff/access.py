"""Who may open a staff page and act on it: one decorator that every staff view wears."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render, resolve_url
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from audit.models import ActorKind
from audit.services import Actor
from clinics.access import Capability, is_allowed
from clinics.models import StaffMember, User

P = ParamSpec("P")


class StaffRequest(HttpRequest):
    """A request that passed `staff_page`: somebody is logged in and works in a clinic."""

    staff_member: StaffMember
    user: User
    htmx: HtmxDetails


StaffView = Callable[Concatenate[StaffRequest, P], HttpResponseBase]


def staff_page(
    *, read: Capability | None = None, write: Capability | None = None
) -> Callable[[StaffView[P]], Callable[..., HttpResponseBase]]:
    """Let a view answer GET to who may read and POST to who may write; without a capability the verb is wrong.

    Asked in this order: logged in (else the login page), member of a clinic (else 403), verb (else 405),
    capability (else 403). The view itself looks objects up within the clinic, so a stranger's is 404.
    """
    needed = {"GET": read, "HEAD": read, "POST": write}
    allowed = [verb for verb, capability in needed.items() if capability]

    def decorate(view: StaffView[P]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def guarded(request: StaffRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request)
            # Lazy, so it may hold None, which only its truth tells.
            if not request.staff_member:  # type: ignore[truthy-bool]
                context = {"may_start": settings.ALLOW_NEW_CLINICS}
                return render(request, "staff/no_clinic.html", context, status=403)
            capability = needed.get(request.method or "")
            if capability is None:
                return HttpResponseNotAllowed(allowed)
            if not is_allowed(request.staff_member, capability):
                raise PermissionDenied
            response = view(request, *args, **kwargs)
            # Health data: no shared cache, no copy behind the back button after logging out.
            response.headers.setdefault("Cache-Control", "no-store")
            return response

        guarded.capabilities = {"read": read, "write": write}  # type: ignore[attr-defined]
        return guarded

    return decorate


def redirect_to_login(request: HttpRequest) -> HttpResponse:
    """Send the reader to the login page and back: the whole page, also when only a part of it asked."""
    htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]
    if htmx:
        here = htmx.current_url_abs_path or "/"
        return HttpResponseClientRedirect(f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': here})}")
    here = request.get_full_path() if request.method in ("GET", "HEAD") else "/"
    return HttpResponseRedirect(f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': here})}")


def acting(request: StaffRequest) -> Actor:
    """Return the staff member of the request as the actor of a service."""
    member = request.staff_member
    return Actor(ActorKind.STAFF, code=member.code, staff_member_id=member.pk)


def may(request: StaffRequest, capability: Capability) -> bool:
    return is_allowed(request.staff_member, capability)
