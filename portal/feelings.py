"""After a visit: how the client feels, and what happens next."""

from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from clients.models import LinkPurpose
from courses.errors import CourseError
from courses.models import Reaction, ReactionReport, TreatmentSession
from courses.services import may_report, report_reaction
from portal.access import (
    follow_link,
    held_link,
    may_press,
    not_found,
    portal_page,
    ref_of,
    show,
    too_many,
)
from portal.presenters import BUSY, FELT, recalls
from portal.visits import Held, addresses_of, held_visit, lead_to_visit, page_of
from reminders.convert import shows_treatment
from reminders.services.answering import actor_of

_ANSWERS = [
    (Reaction.NONE, pgettext_lazy("feeling", "Well, nothing special")),
    (Reaction.REDNESS, pgettext_lazy("feeling", "My skin is red")),
    (Reaction.BRUISES, pgettext_lazy("feeling", "I have bruises")),
    (Reaction.PAIN, pgettext_lazy("feeling", "It hurts")),
]


class FeelingForm(forms.Form):
    reaction = forms.ChoiceField(label=_("How do you feel?"), choices=_ANSWERS, widget=forms.RadioSelect)
    pain = forms.TypedChoiceField(
        label=_("Pain, from 0 (none) to 10 (unbearable)"),
        choices=[(number, str(number)) for number in range(11)],
        coerce=int,
        empty_value=None,
        required=False,
        widget=forms.RadioSelect,
    )
    note = forms.CharField(
        label=_("Anything else?"), max_length=400, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )


@portal_page
@require_http_methods(["GET", "HEAD", "POST"])
def feel(request: HttpRequest, ref: str, code: UUID | None = None) -> HttpResponse:
    held = held_visit(request, ref, code)
    if held is None:
        return not_found(request)
    client = held.link.client
    if client.erased_at is not None or not may_report(held.session, now=timezone.now()):
        return lead_to_visit(held)
    with translation.override(client.language):
        form = FeelingForm(request.POST if request.method == "POST" else None, initial=_said(held))
        if request.method == "POST" and form.is_valid():
            if not may_press(held.link):
                return too_many(request)
            note = _keep(held, form)
            if not form.errors:
                return lead_to_visit(held, note)
        page = page_of(held, "")
    context = {"page": page, "form": form, **addresses_of(held)}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
    return show(request, "portal/feel.html", context, language=client.language, status=status)


# ---------------------------------------------------------------- by a link of its own


@portal_page
@require_safe
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    return follow_link(request, token, LinkPurpose.FEELING, "portal:feeling")


@portal_page
@require_http_methods(["GET", "HEAD", "POST"])
def say_by_link(request: HttpRequest, ref: str) -> HttpResponse:
    """Ask how one visit was, and thank; the link opens nothing else."""
    held = _asked_visit(request, ref)
    if held is None:
        return not_found(request)
    client = held.link.client
    with translation.override(client.language):
        page = page_of(held, request.GET.get("note", ""))
        form = FeelingForm(request.POST if request.method == "POST" else None, initial=_said(held))
        if request.method == "POST" and form.is_valid() and page.can_feel:
            if not may_press(held.link):
                return too_many(request)
            note = _keep(held, form)
            if not form.errors:
                address = reverse("portal:feeling", kwargs={"ref": held.parts["ref"]})
                return HttpResponseRedirect(f"{address}?{urlencode({'note': note})}")
    context = {"page": page, "form": form, "is_said": page.has_felt and "again" not in request.GET}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound and page.can_feel else HTTPStatus.OK
    return show(request, "portal/feeling.html", context, language=client.language, status=status)


def _asked_visit(request: HttpRequest, ref: str) -> Held | None:
    """Return a remembered link that asks about a visit, and the visit; two queries."""
    link = held_link(request, ref, LinkPurpose.FEELING)
    if link is None:
        return None
    sessions = TreatmentSession.objects.select_related("clinic", "course__clinic", "course__protocol")
    sessions = sessions.filter(client=link.client_id, code=link.subject_key.removeprefix("session:"))
    session = sessions.first()
    return Held(link, session, {"ref": ref_of(link)}, False) if session else None


def _said(held: Held) -> dict[str, Any]:
    report = ReactionReport.objects.filter(session=held.session).first()
    shows = held.is_known or shows_treatment(held.link.client, held.link.clinic)
    if report is None or not recalls(report, shows=shows, now=timezone.now()):
        return {}
    return {"reaction": report.reaction, "pain": report.pain, "note": report.note}


def _keep(held: Held, form: FeelingForm) -> str:
    by, now = actor_of(held.link.client), timezone.now()
    try:
        report_reaction(session=held.session, by=by, now=now, **form.cleaned_data)
    except CourseError as error:
        if error.code == "busy":
            return BUSY
        for field, message in error.fields.items():
            form.add_error(field, capfirst(message))
    return FELT
