"""A client's messages, addresses and wishes: why two, why none?"""

import uuid
from datetime import datetime
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client
from clients.services import change_address, enable_contact
from clinics.access import Capability
from courses.convert import local_today
from reminders.models import LIVE_STATES
from reminders.selectors import client_messages
from staff.access import StaffRequest, acting, staff_page
from staff.message_forms import AddressForm
from staff.presenters import messages as shown
from staff.views.messages import open_channels

SHOWN_AHEAD: Final = 6
SHOWN_BEHIND: Final = 10


def messages_context(client: Client, *, now: datetime) -> dict[str, Any]:
    """Return what a client's page shows of messages; the contact points and consents must be loaded.

    Cost: three queries.
    """
    today = local_today(client.clinic, now)
    rows, channels = client_messages(client), open_channels(client.clinic)
    ahead = rows.filter(state__in=LIVE_STATES).order_by("send_at", "pk")[:SHOWN_AHEAD]
    behind = rows.exclude(state__in=LIVE_STATES)[:SHOWN_BEHIND]
    return {
        "messages_ahead": [shown.message_line(row, today=today, channels=channels) for row in ahead],
        "messages_behind": [shown.message_line(row, today=today) for row in behind],
        "contact_rows": shown.contact_lines(list(client.contact_points.all()), today=today),
        "consent_rows": shown.consent_lines(list(client.consents.all()), today=today),
        "address_form": AddressForm(auto_id="address-%s"),
        "today": today,
    }


def _find(request: StaffRequest, code: uuid.UUID) -> Client:
    clients = Client.objects.for_clinic(request.staff_member.clinic).select_related("clinic")
    return get_object_or_404(clients, code=code, erased_at=None)


def _back(client: Client) -> HttpResponse:
    return redirect(f"{reverse('staff:client-detail', args=[client.code])}#ways")


@staff_page(write=Capability.BOOK)
def change_client_address(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    client = _find(request, code)
    form = AddressForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
        return _back(client)
    try:
        change_address(client=client, by=acting(request), now=timezone.now(), **form.cleaned_data)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("The address is saved."))
    return _back(client)


@staff_page(write=Capability.BOOK)
def enable_client_address(request: StaffRequest, code: uuid.UUID, contact_code: uuid.UUID) -> HttpResponse:
    client = _find(request, code)
    contact = get_object_or_404(client.contact_points, code=contact_code)
    enable_contact(contact=contact, by=acting(request), now=timezone.now())
    messages.success(request, _("The address is used again."))
    return _back(client)
