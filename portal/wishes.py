"""How the client wishes to be written to: channels, language, quiet hours, zone, how much is said."""

from functools import cache
from http import HTTPStatus
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from clients.models import Channel, Client, Consent, ContactPoint, DetailLevel
from clinics.models import Language
from courses.errors import CourseError
from portal.access import may_press, not_found, portal_page, show, too_many
from portal.courses import held_course, lead_to_course
from portal.presenters import BUSY, DONE
from reminders.models import AnswerVia
from reminders.services.answering import change_wishes_by_client, start_channel, stop_channel

_FIELDS = ("language", "detail_level", "quiet_from_time", "quiet_to_time", "time_zone")
_AREAS = frozenset(
    {"Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"}
)


@cache
def _zones() -> tuple[str, ...]:
    return tuple(sorted(name for name in available_timezones() if name.split("/")[0] in _AREAS))


class _Time(forms.TimeInput):
    input_type = "time"

    def __init__(self) -> None:
        super().__init__(format="%H:%M")


class WishesForm(forms.Form):
    language = forms.ChoiceField(label=_("Language"), choices=Language.choices)
    detail_level = forms.ChoiceField(
        label=_("What messages say"), choices=DetailLevel.choices, widget=forms.RadioSelect
    )
    quiet_from_time = forms.TimeField(label=_("No messages from"), required=False, widget=_Time)
    quiet_to_time = forms.TimeField(label=_("until"), required=False, widget=_Time)
    time_zone = forms.ChoiceField(label=_("Time zone"), required=False)

    def __init__(self, *args: Any, client: Client, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        clinics = _("as the clinic: %(zone)s") % {"zone": client.clinic.time_zone.replace("_", " ")}
        names = sorted({*_zones(), *filter(None, [client.time_zone])})
        choices = [("", capfirst(clinics)), *((name, name.replace("_", " ")) for name in names)]
        self.fields["time_zone"].choices = choices  # type: ignore[attr-defined]
        # The two that stand in a sentence begin with a capital here.
        for name in ("language", "detail_level"):
            field: Any = self.fields[name]
            field.choices = [(value, capfirst(label)) for value, label in field.choices]


@portal_page
@require_http_methods(["GET", "HEAD", "POST"])
def show_wishes(request: HttpRequest, ref: str) -> HttpResponse:
    held = held_course(request, ref)
    if held is None:
        return not_found(request)
    client = held.link.client
    if client.erased_at is not None:
        return lead_to_course(held)
    with translation.override(client.language):
        form = WishesForm(
            request.POST if request.method == "POST" else None,
            client=client,
            initial={name: getattr(client, name) for name in _FIELDS},
        )
        if request.method == "POST" and form.is_valid():
            if not may_press(held.link):
                return too_many(request)
            note = _keep(client, form)
            if not form.errors:
                return lead_to_course(held, note, page="wishes")
        context = {
            "form": form,
            "clinic": held.link.clinic.sender_name or held.link.clinic.name,
            "phone": held.link.clinic.phone,
            "channels": _channels(client),
            "note": request.GET.get("note", ""),
            "ref": held.ref,
            "quiet": held.link.clinic,
        }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
    return show(request, "portal/wishes.html", context, language=client.language, status=status)


def _keep(client: Client, form: WishesForm) -> str:
    try:
        change_wishes_by_client(client=client, now=timezone.now(), **form.cleaned_data)
    except ValidationError as error:
        form.add_error(None, error)
    except CourseError:
        return BUSY
    return DONE


def _channels(client: Client) -> list[dict[str, Any]]:
    """Return the channels on which the clinic has an address of the client's, each with whether it may be used."""
    known = ContactPoint.objects.filter(client=client, disabled_at=None).values_list("channel", flat=True)
    agreed = set(Consent.objects.filter(client=client, withdrawn_at=None).values_list("channel", flat=True))
    return [
        {"code": channel.value, "name": capfirst(channel.label), "is_on": channel.value in agreed}
        for channel in Channel
        if channel.value in set(known)
    ]


@portal_page
@require_POST
def stop(request: HttpRequest, ref: str, channel: str) -> HttpResponse:
    return _press(request, ref, channel, is_start=False)


@portal_page
@require_POST
def start(request: HttpRequest, ref: str, channel: str) -> HttpResponse:
    return _press(request, ref, channel, is_start=True)


def _press(request: HttpRequest, ref: str, channel: str, *, is_start: bool) -> HttpResponse:
    held = held_course(request, ref)
    if held is None or channel not in Channel.values:
        return not_found(request)
    if not may_press(held.link):
        return too_many(request)
    try:
        if is_start:
            start_channel(client=held.link.client, channel=channel, via=AnswerVia.LINK, now=timezone.now())
        else:
            stop_channel(client=held.link.client, channel=channel, via=AnswerVia.LINK, now=timezone.now())
    except CourseError as error:
        return lead_to_course(held, error.code, page="wishes")
    return lead_to_course(held, page="wishes")
