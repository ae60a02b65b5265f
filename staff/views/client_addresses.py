"""A client's addresses: a new one, and one that works again."""

import uuid

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
from staff.access import StaffRequest, acting, staff_page
from staff.message_forms import AddressForm
from staff.overtaken import undisturbed
from staff.views.clients import find_client, render_client


@staff_page(write=Capability.BOOK)
def change_client_address(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    rows = Client.objects.for_clinic(request.staff_member.clinic).filter(code=code)
    with undisturbed(request, rows.select_for_update()):
        client = find_client(request, code)
        form = AddressForm(request.POST, contacts=client.contact_points.all(), auto_id="address-%s")
        if form.is_valid():
            try:
                change_address(client=client, by=acting(request), now=timezone.now(), **form.cleaned_data)
            except ValidationError as error:
                form.add_error("value", error.messages)
    if form.errors:
        return render_client(request, client, address_form=form)
    messages.success(request, _("The address is saved."))
    return _back(client)


@staff_page(write=Capability.BOOK)
def enable_client_address(request: StaffRequest, code: uuid.UUID, contact_code: uuid.UUID) -> HttpResponse:
    client = find_client(request, code)
    contact = get_object_or_404(client.contact_points, code=contact_code)
    enable_contact(contact=contact, by=acting(request), now=timezone.now())
    messages.success(request, _("The address is used again."))
    return _back(client)


def _back(client: Client) -> HttpResponse:
    return redirect(f"{reverse('staff:client-detail', args=[client.code])}#ways")
