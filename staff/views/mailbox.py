"""The demonstration's mailbox: what clients and staff would have got by e-mail. Elsewhere there is no such page."""

import uuid

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp_replace, csp_update
from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.clickjacking import xframe_options_sameorigin

from clinics.access import Capability
from reminders.models import KeptMessage
from staff.access import StaffRequest, staff_page
from staff.answers import show

SHOWN_MAILS = 30
# What a mail may do when it is shown: have colours. It runs nothing, loads nothing and sends nothing.
_MAIL_POLICY = {
    "default-src": [NONE],
    "style-src": [UNSAFE_INLINE],
    "img-src": ["data:"],
    "frame-ancestors": [SELF],
    "base-uri": [NONE],
    "form-action": [NONE],
    "script-src": [NONE],
    "font-src": [NONE],
    "connect-src": [NONE],
    "manifest-src": [NONE],
    "sandbox": True,
}


def _mails(request: StaffRequest) -> QuerySet[KeptMessage]:
    """Return the clinic's mails and those that are no clinic's; in a demonstration nobody is real."""
    if not settings.DEMO:
        raise Http404
    return KeptMessage.objects.filter(Q(clinic=request.staff_member.clinic) | Q(clinic=None))


@staff_page(read=Capability.READ)
def list_mails(request: StaffRequest) -> HttpResponse:
    mails = _mails(request).defer("html").order_by("-kept_at", "-pk")
    page = Paginator(mails, SHOWN_MAILS).get_page(request.GET.get("page"))
    return show(request, "staff/mailbox/mailbox.html", "staff/mailbox/_list.html", {"page": page})


@staff_page(read=Capability.READ)
@csp_update({"frame-src": [SELF]})  # type: ignore[arg-type]  # its types know views without arguments
def show_mail(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    mail = get_object_or_404(_mails(request), code=code)
    return show(request, "staff/mailbox/mail.html", "staff/mailbox/mail.html", {"mail": mail})


@staff_page(read=Capability.READ)
@xframe_options_sameorigin
@csp_replace(_MAIL_POLICY)  # type: ignore[arg-type]  # as above
def show_mail_html(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    """Answer with a mail's HTML as it is, for a frame that lets it do nothing."""
    mail = get_object_or_404(_mails(request).exclude(html=""), code=code)
    return HttpResponse(mail.html)
