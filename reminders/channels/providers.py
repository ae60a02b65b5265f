"""Whom a clinic can have an account with: what the form asks for, and how a channel is made of the answers."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from clients.models import Channel as ChannelName
from reminders.channels.base import Channel, UncertainPolicy
from reminders.channels.kept import KeptChannel

Values = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Field:
    """One question of a provider's form; the answer to a secret one is never shown again.

    `pattern` must match the whole answer; `error` says what to type instead.
    """

    name: str
    label: str | Promise
    pattern: str
    error: str | Promise
    hint: str | Promise = ""
    is_secret: bool = False
    is_required: bool = True

    def accepts(self, text: str) -> bool:
        """Tell whether an answer can be right."""
        return bool(re.fullmatch(self.pattern, text)) if text else not self.is_required


@dataclass(frozen=True, slots=True)
class Provider:
    """A kind of account on one channel; `build` makes the channel of the form's answers, secrets included."""

    key: str
    channel: str
    name: str | Promise
    build: Callable[[Values], Channel]
    policy: UncertainPolicy = "park"
    fields: tuple[Field, ...] = ()
    hint: str | Promise = ""
    # Names of secrets made here rather than typed, each shown once.
    generated: Mapping[str, Callable[[], str]] = field(default_factory=dict)

    @property
    def secret_names(self) -> frozenset[str]:
        """Return the names of the answers that are sealed."""
        return frozenset(one.name for one in self.fields if one.is_secret) | frozenset(self.generated)


def _keeps(channel: ChannelName) -> Provider:
    return Provider(
        key="kept",
        channel=channel,
        name=_("Keep here, send nothing"),
        build=lambda values: KeptChannel(channel),
        hint=_(
            "For trying things out: messages are shown in the mailbox of the demonstration and go nowhere."
        ),
    )


_KEPT: Final = tuple(_keeps(channel) for channel in ChannelName if channel != ChannelName.EMAIL)
_ALL: Final[tuple[Provider, ...]] = (*_KEPT,)
_BY_KEY: Final = {(provider.channel, provider.key): provider for provider in _ALL}


def find_provider(channel: str, key: str) -> Provider | None:
    """Return the provider of that key on the channel, or None when there is none here."""
    provider = _BY_KEY.get((channel, key))
    return provider if provider is not None and _is_offered(provider) else None


def providers_of(channel: str) -> list[Provider]:
    """Return whom a clinic can choose on a channel, in the order to offer them."""
    return [provider for provider in _ALL if provider.channel == channel and _is_offered(provider)]


def _is_offered(provider: Provider) -> bool:
    return provider.key != "kept" or settings.KEEPS_MESSAGES
