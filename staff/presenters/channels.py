"""Channels in words: who sends, how it goes, and what an error means."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from clients.models import Channel
from reminders.channels.inbound import hook_urls
from reminders.channels.providers import Provider
from reminders.models import ChannelAccount, ChannelHealth
from staff.presenters.badges import Badge

ICONS: Final[Mapping[str, str]] = {
    Channel.EMAIL: "mail",
    Channel.SMS: "message",
    Channel.TELEGRAM: "send",
    Channel.WHATSAPP: "message-circle",
    Channel.WEBHOOK: "external-link",
}
_ERRORS: Final[Mapping[str, str | Promise]] = {
    "http-401": gettext_lazy("the other side does not accept the key"),
    "http-402": gettext_lazy("the account is out of money"),
    "http-403": gettext_lazy("the other side does not accept the key"),
    "http-404": gettext_lazy("there is nothing at this address, or no such account"),
    "http-410": gettext_lazy("the address has been given up"),
    "http-429": gettext_lazy("too many messages at once"),
    "http-late": gettext_lazy("no answer within 15 seconds"),
    "http-silent": gettext_lazy("the connection ended without an answer"),
    "http-504": gettext_lazy("no answer in time from behind the other side"),
    "http-unreachable": gettext_lazy("nobody can be reached there"),
    "smtp-unreachable": gettext_lazy("the mail server cannot be reached"),
    "smtp-535": gettext_lazy("the mail server does not accept the login"),
    "answer-unreadable": gettext_lazy("the answer does not say whether the message was accepted"),
    "refused-private-address": gettext_lazy("the address lies inside a private network"),
    "secrets-unreadable": gettext_lazy("the keys have to be entered again"),
    "account-incomplete": gettext_lazy("an answer of the form is missing or wrong"),
    "bad-address": gettext_lazy("the provider does not take this number"),
}


@dataclass(frozen=True, slots=True)
class ChannelLine:
    """One channel of the page: whose account, its state, and what to know about it."""

    channel: str
    icon: str
    label: str
    provider: str
    detail: str
    badge: Badge
    # What happened and what follows, as full sentences.
    notes: tuple[str, ...]
    account: ChannelAccount | None


def channel_line(
    channel: str,
    account: ChannelAccount | None,
    *,
    provider: Provider | None,
    health: ChannelHealth | None,
    has_lost_keys: bool,
    moment: Callable[[datetime], str],
    now: datetime,
) -> ChannelLine:
    """Return how one channel of the clinic stands; `moment` words an instant for the reader."""
    return ChannelLine(
        channel=channel,
        icon=ICONS[channel],
        label=channel_label(channel),
        provider=str(provider.name) if provider else "",
        detail=_detail(account),
        badge=_badge(account, provider, health, has_lost_keys=has_lost_keys, now=now),
        notes=tuple(_notes(account, provider, health, has_lost_keys=has_lost_keys, moment=moment, now=now)),
        account=account,
    )


def email_line(
    health: ChannelHealth | None, *, moment: Callable[[datetime], str], now: datetime
) -> ChannelLine:
    """Return how the installation's e-mail stands, which no clinic sets up."""
    backend = settings.EMAIL_BACKEND
    kept = backend.endswith("KeptEmailBackend")
    provider = _("Kept here, sent to nobody") if kept else _("The installation's mail server")
    if backend.startswith("anymail."):
        provider = capfirst(backend.split(".")[2])
    badge = Badge(_("Kept here"), "notice", "inbox") if kept and not _is_open(health, now) else None
    return ChannelLine(
        channel=Channel.EMAIL,
        icon=ICONS[Channel.EMAIL],
        label=channel_label(Channel.EMAIL),
        provider=provider,
        detail=_("Set up by whoever runs the installation."),
        badge=badge
        or _health_badge(health, now=now)
        or Badge(pgettext("channel", "On"), "good", "circle-check"),
        notes=tuple(_health_notes(health, moment=moment, now=now)),
        account=None,
    )


def channel_label(channel: str) -> str:
    """Return a channel's name as a heading."""
    return capfirst(str(Channel(channel).label))


def error_words(code: str) -> str:
    """Return what an error code means, in words that follow a colon."""
    if code in _ERRORS:
        return str(_ERRORS[code])
    if code.startswith("http-5"):
        return _("the other side has a fault of its own (%(code)s)") % {"code": code}
    return _("the other side answered %(code)s") % {"code": code}


def test_words(outcome: Any) -> str:
    """Return how a test message went, as a sentence."""
    if outcome.kind == "sent":
        return _("The test message was accepted.")
    reason = error_words(outcome.code or outcome.kind)
    if outcome.kind == "uncertain":
        return _("Nobody knows whether the test message arrived: %(reason)s.") % {"reason": reason}
    return _("The test message was not sent: %(reason)s.") % {"reason": reason}


def _detail(account: ChannelAccount | None) -> str:
    if account is None:
        return ""
    # The sender's number, or the address that is called: what tells one account from another.
    shown = account.settings.get("source") or account.settings.get("url") or ""
    return str(shown)


def _badge(
    account: ChannelAccount | None,
    provider: Provider | None,
    health: ChannelHealth | None,
    *,
    has_lost_keys: bool,
    now: datetime,
) -> Badge:
    if account is None:
        return Badge(_("Not set up"), "quiet", "minus")
    if not account.is_active:
        return Badge(_("Switched off"), "quiet", "player-pause")
    if provider is None:
        return Badge(_("Sends nothing"), "serious", "alert-triangle")
    if has_lost_keys:
        return Badge(_("Keys needed"), "serious", "key")
    if found := _health_badge(health, now=now):
        return found
    if account.test_code:
        return Badge(_("Test failed"), "warning", "alert-triangle")
    if account.tested_at is None and (health is None or health.last_succeeded_at is None):
        return Badge(_("Not tried yet"), "notice", "help-circle")
    return Badge(pgettext("channel", "On"), "good", "circle-check")


def _health_badge(health: ChannelHealth | None, *, now: datetime) -> Badge | None:
    if health is None or not health.failure_count:
        return None
    if _is_open(health, now):
        return Badge(_("Held back"), "serious", "clock-pause")
    return Badge(_("Failing"), "warning", "alert-triangle")


def _is_open(health: ChannelHealth | None, now: datetime) -> bool:
    return health is not None and health.open_until is not None and health.open_until > now


def _notes(
    account: ChannelAccount | None,
    provider: Provider | None,
    health: ChannelHealth | None,
    *,
    has_lost_keys: bool,
    moment: Callable[[datetime], str],
    now: datetime,
) -> list[str]:
    if account is None:
        return []
    notes = []
    if provider is None:
        notes.append(_("This provider is no longer offered. Choose another one."))
    if has_lost_keys:
        notes.append(
            _(
                "The stored keys can no longer be read, because the installation's own key has changed. Enter them again: until then no message goes out here."
            )
        )
    notes += _health_notes(health, moment=moment, now=now)
    if account.tested_at is not None:
        when = moment(account.tested_at)
        notes.append(
            _("Test of %(when)s failed: %(reason)s.")
            % {"when": when, "reason": error_words(account.test_code)}
            if account.test_code
            else _("Test of %(when)s accepted.") % {"when": when}
        )
    return notes


def _health_notes(
    health: ChannelHealth | None, *, moment: Callable[[datetime], str], now: datetime
) -> list[str]:
    if health is None or not health.failure_count:
        return []
    count, reason = health.failure_count, error_words(health.last_error_code)
    failed = (
        _("The last try failed: %(reason)s.")
        if count == 1
        else ngettext(
            "The last %(number)s try failed: %(reason)s.",
            "The last %(number)s tries failed: %(reason)s.",
            count,
        )
    )
    notes = [failed % {"number": count, "reason": reason}]
    if _is_open(health, now) and health.open_until is not None:
        notes.append(
            _(
                "Nothing is tried before %(when)s; then one message, and the others follow when it goes through. None is lost."
            )
            % {"when": moment(health.open_until)}
        )
    return notes


# Not a test, though pytest would take it for one.
test_words.__test__ = False  # type: ignore[attr-defined]


def hook_lines(account: ChannelAccount) -> list[tuple[str, str]]:
    """Return the addresses that a provider is given, each with what it is for."""
    labels = {"texts": _("For clients' answers"), "reports": _("For reports of delivery")}
    urls = hook_urls(account)
    return [(label, urls[name]) for name, label in labels.items() if name in urls]
