"""Settings, Webhooks: programs of the clinic that are told of events, and every call with what became of it."""

import uuid
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from clinics.access import Capability
from clinics.models import Clinic
from courses.convert import local_today
from hooks.models import DeliveryState, HookDelivery, HookEndpoint
from hooks.services.endpoints import (
    add_endpoint,
    change_endpoint,
    endpoints_of,
    note_test,
    remove_endpoint,
    renew_secret,
    send_again,
    switch_endpoint,
)
from hooks.services.sending import send_test
from staff.access import StaffRequest, acting, staff_page
from staff.hook_forms import EndpointForm, NewEndpointForm
from staff.overtaken import undisturbed
from staff.paging import page_of
from staff.presenters import hooks as shown
from staff.presenters import moment_words

_LIST: Final = "staff/hooks/hook_list.html"
_DETAIL: Final = "staff/hooks/hook_detail.html"
_CHANGE: Final = "staff/hooks/hook_change.html"
_MADE: Final = "staff/hooks/hook_made.html"
_REMOVE: Final = "staff/hooks/hook_remove.html"
_CALL: Final = "staff/hooks/hook_call.html"
_PAGE_SIZE: Final = 50


@staff_page(read=Capability.MANAGE, write=Capability.MANAGE)
def hook_list(request: StaffRequest) -> HttpResponse:
    clinic, now = request.staff_member.clinic, timezone.now()
    if request.method != "POST":
        return _show_list(request, NewEndpointForm())
    form = NewEndpointForm(request.POST)
    if form.is_valid():
        try:
            endpoint, secret = add_endpoint(clinic=clinic, by=acting(request), now=now, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
            form.renew_code()
        else:
            # Not sent on to another page: the secret would have to be kept somewhere until then.
            return render(request, _MADE, {"endpoint": endpoint, "secret": secret})
    return _show_list(request, form, status=422)


def _show_list(request: StaffRequest, form: NewEndpointForm, *, status: int = 200) -> HttpResponse:
    clinic, now = request.staff_member.clinic, timezone.now()
    moment = _moments(clinic, now)
    lines = [shown.endpoint_line(endpoint, moment=moment, now=now) for endpoint in endpoints_of(clinic)]
    return render(request, _LIST, {"form": form, "lines": lines}, status=status)


@staff_page(read=Capability.MANAGE)
def hook_detail(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    clinic, now = request.staff_member.clinic, timezone.now()
    endpoint, moment = _find(request, code), _moments(clinic, now)
    wanted = request.GET.get("state", "")
    calls = HookDelivery.objects.for_clinic(clinic).filter(endpoint=endpoint)
    if wanted in DeliveryState:
        calls = calls.filter(state=wanted)
    page = page_of(calls.order_by("-occurred_at", "-pk"), request.GET.get("page"), size=_PAGE_SIZE)
    context = {
        "line": shown.endpoint_line(endpoint, moment=moment, now=now),
        "page": page,
        "calls": [shown.call_line(row, moment=moment) for row in page.object_list],
        "wanted": wanted if wanted in DeliveryState else "",
    }
    return render(request, _DETAIL, context)


@staff_page(read=Capability.MANAGE, write=Capability.MANAGE)
def change_hook(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    with undisturbed(request):
        endpoint = _find(request, code)
        form = EndpointForm(request.POST if request.method == "POST" else None, endpoint=endpoint)
        if form.is_valid():
            try:
                change_endpoint(
                    endpoint=endpoint, by=acting(request), now=timezone.now(), **form.cleaned_data
                )
            except ValidationError as error:
                form.add_error(None, error)
            else:
                messages.success(request, _("Saved. Now send a test."))
                return redirect("staff:hook-detail", endpoint.code)
    status = 422 if request.method == "POST" else 200
    return render(request, _CHANGE, {"endpoint": endpoint, "form": form}, status=status)


@staff_page(write=Capability.MANAGE)
def switch_hook(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    endpoint, is_active = _find(request, code), request.POST.get("to") == "on"
    switch_endpoint(endpoint=endpoint, is_active=is_active, by=acting(request), now=timezone.now())
    said = _("%(name)s is told of events again.") if is_active else _("%(name)s is paused.")
    messages.success(request, said % {"name": endpoint.name})
    return redirect("staff:hook-detail", endpoint.code)


@staff_page(write=Capability.MANAGE)
def renew_hook_secret(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    endpoint, secret = renew_secret(endpoint=_find(request, code), by=acting(request), now=timezone.now())
    return render(request, _MADE, {"endpoint": endpoint, "secret": secret, "is_renewed": True})


@staff_page(write=Capability.MANAGE)
def test_hook(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    endpoint, now = _find(request, code), timezone.now()
    try:
        delivery = send_test(note_test(endpoint=endpoint, by=acting(request), now=now))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        say = messages.success if delivery.state == DeliveryState.DELIVERED else messages.error
        say(request, shown.test_words(delivery))
    return redirect("staff:hook-detail", endpoint.code)


@staff_page(read=Capability.MANAGE, write=Capability.MANAGE)
def remove_hook(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    """Ask first: its log is lost with it."""
    endpoint, now = _find(request, code), timezone.now()
    if request.method != "POST":
        line = shown.endpoint_line(endpoint, moment=_moments(endpoint.clinic, now), now=now)
        return render(request, _REMOVE, {"line": line})
    remove_endpoint(endpoint=endpoint, by=acting(request), now=now)
    messages.success(request, _("%(name)s is no longer told of anything.") % {"name": endpoint.name})
    return redirect("staff:hook-list")


@staff_page(read=Capability.MANAGE)
def show_call(request: StaffRequest, code: uuid.UUID, call_code: uuid.UUID) -> HttpResponse:
    delivery = _find_call(request, code, call_code)
    moment = _moments(delivery.endpoint.clinic, timezone.now())
    context = {
        "call": shown.call_line(delivery, moment=moment),
        "tries": shown.try_lines(delivery, moment=moment),
        "body": shown.body_lines(delivery),
    }
    return render(request, _CALL, context)


@staff_page(write=Capability.MANAGE)
def call_again(request: StaffRequest, code: uuid.UUID, call_code: uuid.UUID) -> HttpResponse:
    delivery = _find_call(request, code, call_code)
    send_again(delivery=delivery, by=acting(request), now=timezone.now())
    messages.success(request, _("It is sent again, under the same id."))
    return redirect("staff:hook-call", delivery.endpoint.code, delivery.code)


def _find(request: StaffRequest, code: uuid.UUID) -> HookEndpoint:
    endpoints: Any = endpoints_of(request.staff_member.clinic).select_related("clinic")
    found: HookEndpoint = get_object_or_404(endpoints, code=code)
    return found


def _find_call(request: StaffRequest, code: uuid.UUID, call_code: uuid.UUID) -> HookDelivery:
    calls: Any = HookDelivery.objects.for_clinic(request.staff_member.clinic)
    calls = calls.filter(endpoint=_find(request, code)).select_related("endpoint__clinic")
    found: HookDelivery = get_object_or_404(calls, code=call_code)
    return found


def _moments(clinic: Clinic, now: datetime) -> Callable[[datetime], str]:
    return partial(moment_words, today=local_today(clinic, now))
