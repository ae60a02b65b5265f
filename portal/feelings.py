"""After a visit: how the client feels, and what happens next."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_http_methods

from courses.errors import CourseError
from courses.models import Reaction, ReactionReport
from courses.services import may_report, report_reaction
from portal.access import may_press, not_found, portal_page, show, too_many
from portal.presenters import BUSY, FELT
from portal.visits import Held, addresses_of, held_visit, lead_to_visit, page_of
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


def _said(held: Held) -> dict[str, Any]:
    found = ReactionReport.objects.filter(session=held.session).values("reaction", "pain", "note").first()
    return dict(found or {})


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
