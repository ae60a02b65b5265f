"""Clients: who is this?"""

import uuid
from datetime import date
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.services import record
from clients.duplicates import likely_duplicates
from clients.models import Client
from clients.services import Contacts, register_client, update_client
from clinics.access import Capability
from clinics.models import Clinic
from courses.convert import local_today
from courses.selectors import clinic_courses, search_clients
from reminders.models import ChannelAccount
from staff import presenters
from staff.access import StaffRequest, acting, may, staff_page
from staff.answers import show
from staff.forms import ClientForm, ClientSearchForm, client_initial
from staff.message_forms import AddressForm
from staff.overtaken import undisturbed
from staff.paging import page_of
from staff.presenters import CourseLine
from staff.presenters.clients import birth_words, wish_words
from staff.presenters.duplicates import duplicate_lines
from staff.presenters.messages import answer_event
from staff.searches import go_to_found, searched
from staff.views.client_messages import messages_context
from staff.views.courses import course_lines

PAGE_SIZE = 50
SHOWN_ANSWERS = 10
_PAGE = "staff/clients/client.html"
_FORM = "staff/clients/client_form.html"


@staff_page(read=Capability.READ, write=Capability.READ)
def client_list(request: StaffRequest) -> HttpResponse:
    clinic = request.staff_member.clinic
    form = ClientSearchForm(searched(request))
    if request.method == "POST":
        return go_to_found(request, names=form.fields)
    text = form.cleaned_data["q"] if form.is_valid() else ""
    page = page_of(search_clients(clinic, text), request.GET.get("page"), size=PAGE_SIZE)
    page_name = "staff/clients/client_list.html"
    return show(
        request,
        page_name,
        f"{page_name}#clients",
        {
            "form": form,
            "text": text,
            "page": page,
            "lines": [presenters.client_line(client) for client in page.object_list],
            "may_export": may(request, Capability.EXPORT),
            "may_book": may(request, Capability.BOOK),
        },
    )


@staff_page(read=Capability.BOOK, write=Capability.BOOK)
def add_client(request: StaffRequest) -> HttpResponse:
    clinic = request.staff_member.clinic
    form = ClientForm(
        request.POST if request.method == "POST" else None,
        clinic=clinic,
        channels=_set_up(clinic),
        initial={"language": clinic.language},
    )
    if request.method == "POST" and form.is_valid():
        fields, contacts = _split(form)
        try:
            client = register_client(
                clinic=clinic, contacts=contacts, by=acting(request), now=timezone.now(), **fields
            )
        except ValidationError as error:
            _add_errors(form, error)
        else:
            messages.success(request, _("%(name)s is registered.") % {"name": client.name})
            return redirect("staff:client-detail", client.code)
    return render(request, _FORM, {"form": form}, status=422 if form.errors else 200)


@staff_page(read=Capability.READ)
def show_client(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    moved = _merged_client(request, code)
    if moved is not None:
        return redirect("staff:client-detail", moved.code)
    return render_client(request, find_client(request, code))


def render_client(
    request: StaffRequest, client: Client, *, address_form: AddressForm | None = None
) -> HttpResponse:
    """Answer with a client's page, and with what was typed into a form of it that is refused; either is a reading."""
    _record_reading(request, client)
    now = timezone.now()
    today = local_today(client.clinic, now)
    context = {
        "client": client,
        "born": birth_words(client, today=today),
        "phone": presenters.telephone(client),
        "wishes": wish_words(client),
        "duplicates": duplicate_lines(likely_duplicates(client), client),
        "courses": _courses(client, today=today),
        "answers": [
            answer_event(answer) for answer in client.answers.order_by("-answered_at")[:SHOWN_ANSWERS]
        ],
        "may_book": may(request, Capability.BOOK),
        "may_prescribe": may(request, Capability.PRESCRIBE),
        "may_manage": may(request, Capability.MANAGE),
    }
    context |= messages_context(client, now=now, address_form=address_form)
    return render(request, _PAGE, context, status=422 if address_form else 200)


def find_client(request: StaffRequest, code: uuid.UUID) -> Client:
    """Return a client of the reader's clinic with addresses and consents; one who was erased is 404."""
    clients = (
        Client.objects.for_clinic(request.staff_member.clinic)
        .select_related("clinic", "prefers_practitioner")
        .prefetch_related("contact_points", "consents")
    )
    return get_object_or_404(clients, code=code, erased_at=None)


def _merged_client(request: StaffRequest, code: uuid.UUID) -> Client | None:
    """Return the client to whom everything went that was under this code, if it was merged."""
    clinic = request.staff_member.clinic
    return Client.objects.for_clinic(clinic).filter(merged_clients__code=code, erased_at=None).first()


def _courses(client: Client, *, today: date) -> list[CourseLine]:
    courses = list(clinic_courses(client.clinic).filter(client=client).order_by("-start_on", "-pk"))
    return course_lines(courses, today=today)


@staff_page(read=Capability.BOOK, write=Capability.BOOK)
def edit_client(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    rows = Client.objects.for_clinic(request.staff_member.clinic).filter(code=code)
    with undisturbed(request, rows.select_for_update()):
        client = find_client(request, code)
        form = _edit_form(request, client)
        if form.is_valid():
            fields, contacts = _split(form)
            try:
                update_client(
                    client=client, contacts=contacts, by=acting(request), now=timezone.now(), **fields
                )
            except ValidationError as error:
                _add_errors(form, error)
            else:
                messages.success(request, _("Saved."))
                return redirect("staff:client-detail", client.code)
    if request.method != "POST":
        _record_reading(request, client)
    context = {"form": form, "client": client}
    return render(request, _FORM, context, status=422 if form.errors else 200)


def _edit_form(request: StaffRequest, client: Client) -> ClientForm:
    known = {point.channel for point in client.contact_points.all()}
    known |= {consent.channel for consent in client.consents.all() if consent.withdrawn_at is None}
    return ClientForm(
        request.POST if request.method == "POST" else None,
        clinic=client.clinic,
        # What is known stays to be seen and taken back, whether or not the clinic still sends there.
        channels=_set_up(client.clinic) | known,
        initial=client_initial(client),
    )


def _set_up(clinic: Clinic) -> set[str]:
    """Return the channels on which the clinic has an account, switched off or on."""
    return set(ChannelAccount.objects.for_clinic(clinic).values_list("channel", flat=True))


def _split(form: ClientForm) -> tuple[dict[str, Any], Contacts]:
    """Return a client's own fields, and the contacts with what they allow."""
    fields = dict(form.cleaned_data)
    addresses = {name: fields.pop(name, "") for name in ("email", "phone", "telegram", "whatsapp")}
    return fields, Contacts(**addresses, allowed=frozenset(fields.pop("allowed")), asked=form.asked)


def _add_errors(form: ClientForm, error: ValidationError) -> None:
    for name, messages_of_field in error.message_dict.items():
        for message in messages_of_field:
            form.add_error(name if name in form.fields else None, message)


def _record_reading(request: StaffRequest, client: Client) -> None:
    # Personal data: the owner can tell who looked at it.
    record(
        "client.read",
        at=timezone.now(),
        by=acting(request),
        clinic_code=client.clinic.code,
        subject_kind="client",
        subject_code=client.code,
    )
