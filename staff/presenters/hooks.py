"""Webhooks in words: how an endpoint fares, and what became of each call; nothing here runs a query."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from hooks.core import EVENTS
from hooks.models import DeliveryState, EndpointState, HookDelivery, HookEndpoint, OffReason
from staff.hook_forms import EVENT_WORDS
from staff.presenters.badges import Badge

Moment = Callable[[datetime], str]

_ERRORS: Final[Mapping[str, str | Promise]] = {
    "late": gettext_lazy("no answer within ten seconds"),
    "silent": gettext_lazy("the connection ended without an answer"),
    "unreachable": gettext_lazy("nobody can be reached there"),
    "refused-private-address": gettext_lazy("the address leads inside a private network"),
    "sender-lost": gettext_lazy("it is not known whether it arrived"),
    "secret-unreadable": gettext_lazy("the secret can no longer be read; make a new one"),
}
_STATUSES: Final[Mapping[int, str | Promise]] = {
    401: gettext_lazy("the other side does not accept the signature"),
    403: gettext_lazy("the other side does not accept the signature"),
    404: gettext_lazy("there is nothing at this address"),
    410: gettext_lazy("the address has been given up"),
    429: gettext_lazy("too many calls at once"),
}


@dataclass(frozen=True, slots=True)
class EndpointLine:
    """One endpoint of the list."""

    endpoint: HookEndpoint
    host: str
    events: str
    badge: Badge
    # What happened and what follows, as full sentences.
    notes: tuple[str, ...]
    is_on: bool


@dataclass(frozen=True, slots=True)
class CallLine:
    """One call of the log."""

    delivery: HookDelivery
    what: str
    when: str
    badge: Badge
    outcome: str
    tries: str
    next_at: str


@dataclass(frozen=True, slots=True)
class TryLine:
    when: str
    status: str
    outcome: str
    took: str


def endpoint_line(endpoint: HookEndpoint, *, moment: Moment, now: datetime) -> EndpointLine:
    """Return how an endpoint stands; `moment` words an instant for the reader."""
    wanted = [str(EVENT_WORDS[event]) for event in endpoint.events]
    is_all = len(wanted) == len(EVENTS)
    return EndpointLine(
        endpoint=endpoint,
        host=urlsplit(endpoint.url).netloc,
        events=_("all events")
        if is_all
        else ngettext("%(count)s kind of event", "%(count)s kinds of events", len(wanted))
        % {"count": len(wanted)},
        badge=_endpoint_badge(endpoint, now=now),
        notes=tuple(_notes(endpoint, moment=moment, now=now)),
        is_on=endpoint.state == EndpointState.ACTIVE,
    )


def _endpoint_badge(endpoint: HookEndpoint, *, now: datetime) -> Badge:
    if endpoint.state == EndpointState.OFF:
        return Badge(pgettext("webhook", "Switched off"), "serious", "alert-triangle")
    if endpoint.state == EndpointState.PAUSED:
        return Badge(pgettext("webhook", "Paused"), "quiet", "player-pause")
    if endpoint.failure_count:
        return Badge(pgettext("webhook", "Failing"), "warning", "alert-triangle")
    return Badge(pgettext("webhook", "On"), "good", "circle-check")


def _notes(endpoint: HookEndpoint, *, moment: Moment, now: datetime) -> list[str]:
    notes = []
    if endpoint.off_reason == OffReason.GONE:
        notes.append(_("Switched off: the other side answered that this address is gone for good."))
    elif endpoint.off_reason == OffReason.FAILING:
        notes.append(_("Switched off: for three days nothing got through."))
    elif endpoint.state == EndpointState.PAUSED:
        notes.append(_("What happens meanwhile is noted and told when it goes on."))
    elif endpoint.failing_since is not None:
        notes.append(
            _("Nothing has got through since %(moment)s; it is tried again.")
            % {"moment": moment(endpoint.failing_since)}
        )
    if endpoint.former_until is not None and endpoint.former_until > now:
        notes.append(
            _("The former secret holds until %(moment)s.") % {"moment": moment(endpoint.former_until)}
        )
    return notes


def event_words(event: str) -> str:
    """Return what an event is called, as a heading."""
    subject = {
        "course": _("Course: %(what)s"),
        "session": _("Session: %(what)s"),
        "flag": _("Finding: %(what)s"),
    }.get(event.partition(".")[0])
    words = str(EVENT_WORDS.get(event, event))
    return subject % {"what": words} if subject else capfirst(words)


def call_line(delivery: HookDelivery, *, moment: Moment) -> CallLine:
    """Return one call as its line of the log reads."""
    count = delivery.attempt_count
    last = delivery.tries[-1] if delivery.tries else None
    return CallLine(
        delivery=delivery,
        what=event_words(delivery.event),
        when=moment(delivery.occurred_at),
        badge=_call_badge(delivery),
        outcome=_outcome(last) if last else "",
        tries=ngettext("%(count)s try", "%(count)s tries", count) % {"count": count},
        next_at=_("next try %(moment)s") % {"moment": moment(delivery.next_at)}
        if delivery.next_at and count
        else "",
    )


def _call_badge(delivery: HookDelivery) -> Badge:
    if delivery.state == DeliveryState.DELIVERED:
        return Badge(pgettext("webhook call", "Delivered"), "good", "check")
    if delivery.state == DeliveryState.FAILED:
        return Badge(pgettext("webhook call", "Failed"), "serious", "x")
    return Badge(pgettext("webhook call", "Waiting"), "notice", "clock")


def try_lines(delivery: HookDelivery, *, moment: Moment) -> list[TryLine]:
    """Return the tries of a call that are still kept, the last one first."""
    return [
        TryLine(
            when=moment(datetime.fromisoformat(one["at"])),
            status=str(one["status"] or "–"),
            outcome=capfirst(_outcome_words(one)),
            took=_took(one),
        )
        for one in reversed(delivery.tries)
    ]


def body_lines(delivery: HookDelivery) -> str:
    """Return what is sent, laid out to be read."""
    return json.dumps(json.loads(delivery.body), indent=2)


def test_words(delivery: HookDelivery) -> str:
    """Return how a test ended, as a sentence."""
    if delivery.state == DeliveryState.DELIVERED:
        return _("The test was taken: %(outcome)s.") % {"outcome": _outcome(delivery.tries[-1])}
    if not delivery.tries:
        return _("The test was not sent: nothing is sent from this database at the moment.")
    return _("The test failed: %(outcome)s.") % {"outcome": _outcome(delivery.tries[-1])}


def _outcome(one: Mapping[str, Any]) -> str:
    parts = [str(one["status"])] if one["status"] else []
    words = _outcome_words(one)
    return " · ".join([*parts, *([words] if words else []), *([_took(one)] if one["ms"] is not None else [])])


def _outcome_words(one: Mapping[str, Any]) -> str:
    status, error = one["status"], one["error"]
    if status is None:
        return str(_ERRORS.get(error) or _("the call could not be made"))
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return _("the other side points to another address, which is not followed")
    if status >= 500:
        return _("the other side has a fault of its own")
    return str(_STATUSES.get(status) or _("the other side refused it"))


def _took(one: Mapping[str, Any]) -> str:
    return "" if one["ms"] is None else _("%(count)s ms") % {"count": one["ms"]}
