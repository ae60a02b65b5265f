"""SMS and messengers through apprise: it knows the providers' protocols, and nothing else is left to it.

No address is ever given to apprise to read: its class for a provider gets the checked answers of our form by
name. What it sends goes through the guard of egress, which also tells what became of it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib import import_module
from typing import Any, Final

import requests
from apprise import AppriseAsset, NotifyFormat
from apprise.exception import AppriseException
from apprise.plugins import NotifyBase

from reminders.channels.answers import Reader, outcome_of
from reminders.channels.base import Channel, Message, Outcome
from reminders.channels.egress import Exchange, post, watched

_SPACES: Final = re.compile(r"\s+")
_NOT_DIGITS: Final = re.compile(r"\D")


class GuardedRequests:
    """Stands for `requests` inside apprise's modules: one verb, and the names they compare answers with."""

    codes = requests.codes
    RequestException = requests.RequestException
    post = staticmethod(post)


@dataclass(frozen=True, slots=True)
class Service:
    """One of apprise's services: where its class is, which hosts it calls, and how its answers are read."""

    module: str
    class_name: str
    hosts: frozenset[str]
    read: Reader
    # Apprise escapes most of a plain text for such a service, but lets through what looks like its tags.
    takes_html: bool = False


class ApprisedChannel(Channel):
    """Sends the short form of messages through one account."""

    name = "apprised"
    # None of the providers drops a copy, and a second SMS is worse than a question to the staff.
    policy = "park"

    def __init__(self, service: Service, options: dict[str, Any], *, is_one_line: bool = False) -> None:
        self._service = service
        self._options = options
        self._is_one_line = is_one_line

    def send(self, message: Message) -> Outcome:
        """Hand the message to the provider, once."""
        text = _SPACES.sub(" ", message.short).strip() if self._is_one_line else message.short.strip()
        if not text:
            return Outcome("permanent", "bad-message")
        try:
            plugin = load_class(self._service)(targets=[message.address], asset=_asset(), **self._options)
        except (AppriseException, TypeError):
            return Outcome("transient", "account-incomplete", is_channel_down=True)
        if not _is_aimed(plugin, message.address):
            return Outcome("permanent", "bad-address")
        exchange = Exchange(hosts=self._service.hosts)
        with watched(exchange):
            if self._service.takes_html:
                plugin.notify(body=escape(text, quote=False), body_format=NotifyFormat.HTML)
            else:
                plugin.notify(body=text, body_format=NotifyFormat.TEXT)
        return outcome_of(exchange, self._service.read)


@cache
def load_class(service: Service) -> Callable[..., NotifyBase]:
    """Return apprise's class for a service, after closing every way out of its module but the guarded one.

    Only this module is loaded, not the two hundred that apprise would load to find it by an address.
    """
    module = import_module(f"apprise.plugins.{service.module}")
    module.requests = GuardedRequests  # type: ignore[attr-defined]  # the stand-in
    found: Callable[..., NotifyBase] = getattr(module, service.class_name)
    return found


def _is_aimed(plugin: Any, address: str) -> bool:
    """Tell whether the message would go to the address and nowhere else.

    Of a number it does not take apprise makes none at all, and then writes to the clinic's own.
    """
    digits = [_NOT_DIGITS.sub("", str(target)) for target in plugin.targets]
    return digits == [_NOT_DIGITS.sub("", address)] != [""]


def _asset() -> AppriseAsset:
    return AppriseAsset(
        app_id="Regimen",
        app_desc="",
        app_url="",
        storage_mode="memory",
        async_mode=False,
        http_redirects=False,
        secure_logging=True,
        default_service_retry=0,
    )
