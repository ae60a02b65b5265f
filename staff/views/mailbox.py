"""The demonstration's mailbox: what clients and staff would have got, over every channel. Elsewhere there is no such page."""

import base64
import uuid

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp_replace, csp_update
from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.http import content_disposition_header
from django.views.decorators.clickjacking import xframe_options_sameorigin

from clients.models import Channel
from clinics.access import Capability
from reminders.channels.kept import BASE64
from reminders.models import KeptMessage
from staff.access import StaffRequest, staff_page
from staff.answers import show
from staff.presenters.channels import ICONS, channel_label

SHOWN_MAILS = 30
# What a mail may do when it is shown: have colours, and open its links in a window of their own, as a mail program
# does. It runs nothing, loads nothing and sends nothing.
_SANDBOX = ["allow-popups", "allow-popups-to-escape-sandbox"]
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
    "sandbox": _SANDBOX,
}


def _mails(request: StaffRequest) -> QuerySet[KeptMessage]:
    """Return the clinic's mails and those that are no clinic's; in a demonstration nobody is real."""
    if not settings.DEMO:
        raise Http404
    return KeptMessage.objects.filter(Q(clinic=request.staff_member.clinic) | Q(clinic=None))


@staff_page(read=Capability.READ)
def list_mails(request: StaffRequest) -> HttpResponse:
    mails = _mails(request).defer("html", "attachments").order_by("-kept_at", "-pk")
    channel = request.GET.get("channel", "")
    if channel in Channel.values:
        mails = mails.filter(channel=channel)
    page = Paginator(mails, SHOWN_MAILS).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "lines": [(mail, ICONS[mail.channel]) for mail in page.object_list],
        "channel": channel,
        "channels": [(name, channel_label(name)) for name in Channel.values],
    }
    return show(request, "staff/mailbox/mailbox.html", "staff/mailbox/_list.html", context)


@staff_page(read=Capability.READ)
@csp_update({"frame-src": [SELF]})  # type: ignore[arg-type]  # its types know views without arguments
def show_mail(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    mail = get_object_or_404(_mails(request), code=code)
    context = {
        "mail": mail,
        "channel": channel_label(mail.channel),
        "is_program": mail.channel == Channel.WEBHOOK,
        "files": [name for name, _media_type, _text in mail.attachments],
        "headers": sorted(mail.headers.items()),
        "sandbox": " ".join(_SANDBOX),
    }
    return show(request, "staff/mailbox/mail.html", "staff/mailbox/mail.html", context)


@staff_page(read=Capability.READ)
@xframe_options_sameorigin
@csp_replace(_MAIL_POLICY)  # type: ignore[arg-type]  # as above
def show_mail_html(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    """Answer with a mail's HTML as it is, for a frame that lets it do nothing."""
    mail = get_object_or_404(_mails(request).exclude(html=""), code=code)
    return HttpResponse(mail.html.replace("<head>", '<head><base target="_blank">', 1))


@staff_page(read=Capability.READ)
def download_file(request: StaffRequest, code: uuid.UUID, position: int) -> HttpResponse:
    """Answer with a file that came along, by its place (0-based), to be saved and never shown."""
    mail = get_object_or_404(_mails(request), code=code)
    if position >= len(mail.attachments):
        raise Http404
    name, media_type, text = mail.attachments[position]
    is_coded = media_type.endswith(BASE64)
    content = base64.b64decode(text) if is_coded else text.encode()
    response = HttpResponse(
        content, content_type=media_type.removesuffix(BASE64) or "application/octet-stream"
    )
    response["Content-Disposition"] = content_disposition_header(True, name or "file")
    return response
