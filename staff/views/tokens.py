"""Settings, API tokens: keys for the clinic's own programs, each shown once."""

import uuid
from typing import Final

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from clinics.access import Capability
from clinics.models import ApiToken
from clinics.tokens import issue_token, revoke_token
from courses.convert import local_today
from staff.access import StaffRequest, acting, staff_page
from staff.presenters import tokens as shown
from staff.token_forms import TokenForm

_LIST: Final = "staff/tokens/token_list.html"
_MADE: Final = "staff/tokens/token_made.html"
_REVOKE: Final = "staff/tokens/token_revoke.html"


@staff_page(read=Capability.MANAGE, write=Capability.MANAGE)
def token_list(request: StaffRequest) -> HttpResponse:
    clinic, now = request.staff_member.clinic, timezone.now()
    today = local_today(clinic, now)
    if request.method != "POST":
        return _show_list(request, TokenForm(today=today))
    form = TokenForm(request.POST, today=today)
    if form.is_valid():
        try:
            token, key = issue_token(clinic=clinic, by=acting(request), now=now, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
            form.renew_code()
        else:
            # Not sent on to another page: the key would have to be kept somewhere until then.
            context = {"line": shown.token_line(token, now=now, today=today), "key": key}
            address = request.build_absolute_uri(reverse("api:clinic"))
            return render(request, _MADE, context | {"address": address})
    return _show_list(request, form, status=422)


def _show_list(request: StaffRequest, form: TokenForm, *, status: int = 200) -> HttpResponse:
    clinic, now = request.staff_member.clinic, timezone.now()
    today = local_today(clinic, now)
    lines = [
        shown.token_line(token, now=now, today=today)
        for token in ApiToken.objects.for_clinic(clinic).select_related("created_by")
    ]
    context = {
        "form": form,
        "lines": [line for line in lines if not line.is_over],
        "over": [line for line in lines if line.is_over],
    }
    return render(request, _LIST, context, status=status)


@staff_page(read=Capability.MANAGE, write=Capability.MANAGE)
def revoke(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    """Ask first: what uses the token stops working at once, and nothing brings it back."""
    clinic, now = request.staff_member.clinic, timezone.now()
    tokens = ApiToken.objects.for_clinic(clinic).select_related("clinic", "created_by")
    token = get_object_or_404(tokens, code=code)
    if request.method != "POST":
        line = shown.token_line(token, now=now, today=local_today(clinic, now))
        return render(request, _REVOKE, {"line": line})
    revoke_token(token=token, by=acting(request), now=now)
    messages.success(request, _("%(name)s opens nothing any more.") % {"name": token.name})
    return redirect("staff:token-list")
