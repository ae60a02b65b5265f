"""Merging a client who was registered twice: both side by side, and what stays."""

import uuid
from typing import Final

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.duplicates import likely_duplicates, stamp_of
from clients.models import Client
from clinics.access import Capability
from courses.services.merging import overlapping_bookings
from reminders.services.merging import merge_clients
from staff.access import StaffRequest, acting, staff_page
from staff.answers import attempt
from staff.client_forms import MergeForm
from staff.presenters.duplicates import compare, duplicate_lines, overlap_words
from staff.views.clients import find_client

_CHOOSE: Final = "staff/clients/merge_choose.html"
_COMPARE: Final = "staff/clients/merge.html"


@staff_page(read=Capability.BOOK, write=Capability.BOOK)
def merge(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    """Show who may be the same person; with one of them chosen both side by side, and merge them."""
    kept = find_client(request, code)
    chosen = (request.POST if request.method == "POST" else request.GET).get("with", "")
    if not chosen:
        lines = duplicate_lines(likely_duplicates(kept), kept)
        return render(request, _CHOOSE, {"client": kept, "lines": lines})
    gone = _find_other(request, kept, chosen)
    rows = compare(kept, gone)
    is_post = request.method == "POST"
    form = MergeForm(request.POST if is_post else None, rows=rows)
    if is_post and form.is_valid():
        with attempt(request, form):
            merge_clients(
                kept=kept,
                gone=gone,
                taken=form.taken(),
                seen=request.POST.get("seen", ""),
                by=acting(request),
                now=timezone.now(),
            )
        if not form.errors:
            messages.success(request, _("Both are one client now."))
            return redirect("staff:client-detail", kept.code)
    context = {
        "client": kept,
        "other": gone,
        "form": form,
        "rows": [(row, form[row.name]) for row in rows],
        "stamp": stamp_of(kept, gone),
        "overlaps": overlap_words(overlapping_bookings(kept, gone)),
    }
    return render(request, _COMPARE, context, status=422 if form.errors else 200)


def _find_other(request: StaffRequest, kept: Client, text: str) -> Client:
    try:
        other = find_client(request, uuid.UUID(text))
    except ValueError:
        raise Http404 from None
    if other.pk == kept.pk:
        raise Http404
    return other
