"""What owners type about a program that is to be told of events."""

import uuid
from typing import Any, Final

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from hooks.core import COURSE_EVENTS, EVENTS, FLAG_EVENTS, SESSION_EVENTS
from hooks.models import HookEndpoint
from staff.overtaken import SeenForm

EVENT_WORDS: Final[dict[str, str | Promise]] = {
    "course.prescribed": pgettext_lazy("webhook, a course", "prescribed"),
    "course.changed": pgettext_lazy("webhook, a course", "prescription changed or decided on"),
    "course.paused": pgettext_lazy("webhook, a course", "paused"),
    "course.resumed": pgettext_lazy("webhook, a course", "pause ended or taken back"),
    "course.completed": pgettext_lazy("webhook, a course", "completed"),
    "course.reopened": pgettext_lazy("webhook, a course", "no longer completed, after a correction"),
    "course.discontinued": pgettext_lazy("webhook, a course", "stopped for good"),
    "session.booked": pgettext_lazy("webhook, a session", "booked"),
    "session.moved": pgettext_lazy("webhook, a session", "moved"),
    "session.confirmed": pgettext_lazy("webhook, a session", "confirmed"),
    "session.arrived": pgettext_lazy("webhook, a session", "client arrived"),
    "session.attended": pgettext_lazy("webhook, a session", "attended"),
    "session.missed": pgettext_lazy("webhook, a session", "missed"),
    "session.cancelled": pgettext_lazy("webhook, a session", "cancelled"),
    "session.corrected": pgettext_lazy("webhook, a session", "corrected or taken back"),
    "flag.opened": pgettext_lazy("webhook, a finding", "opened"),
    "flag.resolved": pgettext_lazy("webhook, a finding", "resolved"),
    "endpoint.test": pgettext_lazy("webhook", "test"),
}
_GROUPS: Final = (
    (_("Courses"), COURSE_EVENTS),
    (_("Sessions"), SESSION_EVENTS),
    (_("Findings"), FLAG_EVENTS),
)


class EndpointForm(SeenForm):
    name = forms.CharField(
        label=_("Name of the program"),
        max_length=80,
        help_text=_("For example accounting, or the clinic's web site."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    url = forms.CharField(
        label=_("Address to call"),
        max_length=500,
        help_text=_("It begins with https:// and can be reached from outside."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "url", "spellcheck": "false"}),
    )
    events = forms.MultipleChoiceField(
        label=_("It is told of"),
        choices=[(group, [(event, EVENT_WORDS[event]) for event in events]) for group, events in _GROUPS],
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
        error_messages={"required": _("Choose what it is told of.")},
    )

    def __init__(self, *args: Any, endpoint: HookEndpoint | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = (
            {"events": list(EVENTS)}
            if endpoint is None
            else {"name": endpoint.name, "url": endpoint.url, "events": endpoint.events}
        )
        self.initial = {**found, **(self.initial or {})}

    def event_groups(self) -> list[tuple[str, list[Any]]]:
        """Return the boxes to tick by what they are about."""
        boxes = {box.data["value"]: box for box in self["events"]}
        return [(str(group), [boxes[event] for event in events]) for group, events in _GROUPS]


class NewEndpointForm(EndpointForm):
    # Sent twice, by a double press or a way back, it makes one endpoint.
    code = forms.UUIDField(widget=forms.HiddenInput(attrs={"autocomplete": "off"}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["code"] = uuid.uuid4()

    def renew_code(self) -> None:
        """Let what was typed be sent as another endpoint."""
        posted: Any = self.data
        self.data = posted.copy()
        self.data["code"] = str(uuid.uuid4())  # type: ignore[index]  # a copy can be written to
