"""Whom a clinic can have an account with: what the form asks for, and how a channel is made of the answers."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from clients.models import Channel as ChannelName
from reminders.channels.answers import (
    read_clicksend,
    read_d7,
    read_messagebird,
    read_sinch,
    read_telegram,
    read_twilio,
    read_vonage,
    read_whatsapp,
)
from reminders.channels.apprised import ApprisedChannel, Service
from reminders.channels.base import Channel, UncertainPolicy
from reminders.channels.egress import check_url
from reminders.channels.kept import KeptChannel
from reminders.channels.webhook import WebhookChannel, new_secret

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
    # What may be chosen, as (answer, name); empty means that the answer is typed.
    choices: tuple[tuple[str, str | Promise], ...] = ()
    # A further check that a pattern cannot make; it returns what is wrong, or nothing.
    check: Callable[[str], str | Promise] | None = None

    def problem_with(self, text: str) -> str | Promise:
        """Return what is wrong with an answer as a sentence, nothing when it can be right."""
        if not text:
            return _("Fill this in.") if self.is_required else ""
        if not re.fullmatch(self.pattern, text):
            return self.error
        return self.check(text) if self.check else ""


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


# ---------------------------------------------------------------- through apprise

_PHONE: Final = r"\+[1-9][0-9]{9,13}"
# What the provider signs its own calls with; nothing to send with.
_HOOK: Final = "hook_"
_KEY_ERROR: Final = _("This does not look like one. Copy it whole from the provider's page, without spaces.")


def _secret(name: str, label: str | Promise, pattern: str, hint: str | Promise = "") -> Field:
    return Field(name, label, pattern, _KEY_ERROR, hint, is_secret=True)


def _key(name: str, label: str | Promise, pattern: str, hint: str | Promise = "") -> Field:
    return Field(name, label, pattern, _KEY_ERROR, hint)


def _sender() -> Field:
    return Field(
        "source",
        _("Sender's number"),
        _PHONE,
        _("Write the number with its country code, such as +37120000000."),
        _("A number that you have with the provider."),
    )


def _through(service: Service, *, is_one_line: bool = False) -> Callable[[Values], Channel]:
    """Return what makes a channel of answers that are named as apprise's class names them."""
    return lambda values: ApprisedChannel(
        service,
        {name: value for name, value in values.items() if value and not name.startswith(_HOOK)},
        is_one_line=is_one_line,
    )


TWILIO: Final = Service("twilio", "NotifyTwilio", frozenset({"api.twilio.com"}), read_twilio)
VONAGE: Final = Service("vonage", "NotifyVonage", frozenset({"rest.nexmo.com"}), read_vonage)
MESSAGEBIRD: Final = Service(
    "messagebird", "NotifyMessageBird", frozenset({"rest.messagebird.com"}), read_messagebird
)
SINCH: Final = Service(
    "sinch", "NotifySinch", frozenset({"eu.sms.api.sinch.com", "us.sms.api.sinch.com"}), read_sinch
)
CLICKSEND: Final = Service("clicksend", "NotifyClickSend", frozenset({"rest.clicksend.com"}), read_clicksend)
D7: Final = Service("d7networks", "NotifyD7Networks", frozenset({"api.d7networks.com"}), read_d7)
TELEGRAM: Final = Service(
    "telegram", "NotifyTelegram", frozenset({"api.telegram.org"}), read_telegram, takes_html=True
)
WHATSAPP: Final = Service("whatsapp", "NotifyWhatsApp", frozenset({"graph.facebook.com"}), read_whatsapp)


def _clicksend(values: Values) -> Channel:
    # Apprise takes these two from an address and decodes them, so they are encoded here.
    return ApprisedChannel(
        CLICKSEND,
        {"user": quote(values["user"], safe=""), "password": quote(values["password"], safe="")},
    )


def _telegram(values: Values) -> Channel:
    # Without a chat apprise would look for the bot's owner and write there.
    return ApprisedChannel(TELEGRAM, {"bot_token": values["bot_token"], "detect_owner": False})


def _whatsapp(values: Values) -> Channel:
    options: dict[str, Any] = {name: values[name] for name in ("token", "from_phone_id")}
    if values.get("template"):
        options |= {
            "template": values["template"],
            "language": values.get("language") or "en_US",
            "template_mapping": {"body": "1"},
        }
    # A template's gap takes no line breaks.
    return ApprisedChannel(WHATSAPP, options, is_one_line=bool(values.get("template")))


_SMS: Final = (
    Provider(
        "twilio",
        ChannelName.SMS,
        "Twilio",
        _through(TWILIO),
        fields=(
            _key("account_sid", _("Account SID"), r"AC[a-fA-F0-9]{32}", _("Begins with AC.")),
            _secret("auth_token", _("Auth token"), r"[A-Za-z0-9]{16,64}"),
            _sender(),
        ),
    ),
    Provider(
        "vonage",
        ChannelName.SMS,
        "Vonage",
        _through(VONAGE),
        fields=(
            _key("apikey", _("API key"), r"[A-Za-z0-9]{4,40}"),
            _secret("secret", _("API secret"), r"[A-Za-z0-9]{8,64}"),
            _sender(),
            Field(
                "hook_signature_secret",
                _("Signature secret"),
                r"[^\s]{8,128}",
                _KEY_ERROR,
                _("For texts from clients and delivery reports, signed with SHA-256 HMAC."),
                is_secret=True,
                is_required=False,
            ),
        ),
    ),
    Provider(
        "sinch",
        ChannelName.SMS,
        "Sinch",
        _through(SINCH),
        fields=(
            _key("service_plan_id", _("Service plan ID"), r"[a-fA-F0-9]{16,64}"),
            _secret("api_token", _("API token"), r"[a-fA-F0-9]{16,64}"),
            _sender(),
            Field(
                "region",
                _("Region"),
                r"eu|us",
                _("Choose one of the list."),
                choices=(("eu", _("Europe")), ("us", _("United States"))),
            ),
        ),
    ),
    Provider(
        "messagebird",
        ChannelName.SMS,
        "MessageBird",
        _through(MESSAGEBIRD),
        fields=(_secret("apikey", _("Access key"), r"[A-Za-z0-9]{25}"), _sender()),
    ),
    Provider(
        "clicksend",
        ChannelName.SMS,
        "ClickSend",
        _clicksend,
        fields=(
            _key("user", _("User name"), r"[^\s]{2,120}"),
            _secret("password", _("API key"), r"[^\s]{8,120}"),
        ),
    ),
    Provider(
        "d7networks",
        ChannelName.SMS,
        "D7 Networks",
        _through(D7),
        fields=(
            _secret("token", _("API token"), r"[A-Za-z0-9._=-]{20,2000}"),
            Field(
                "source",
                _("Sender's name"),
                r"[A-Za-z0-9 ]{2,11}",
                _("Use up to eleven Latin letters and digits."),
                _("As registered with the provider."),
                is_required=False,
            ),
        ),
    ),
)
_MESSENGERS: Final = (
    Provider(
        "telegram",
        ChannelName.TELEGRAM,
        _("Telegram bot"),
        _telegram,
        fields=(
            _secret(
                "bot_token",
                _("Bot token"),
                r"[0-9]{5,20}:[A-Za-z0-9_-]{30,60}",
                _("BotFather gives it when the bot is made; it has a colon in it."),
            ),
        ),
        hint=_("A bot may write only to those who have written to it first."),
    ),
    Provider(
        "whatsapp",
        ChannelName.WHATSAPP,
        _("WhatsApp Business (Meta)"),
        _whatsapp,
        fields=(
            _key("from_phone_id", _("Phone number ID"), r"[0-9]{5,30}", _("Digits; not the number itself.")),
            _secret("token", _("Access token"), r"[A-Za-z0-9]{20,600}"),
            Field(
                "template",
                _("Template's name"),
                r"[a-z0-9_]{1,120}",
                _("Use small letters, digits and underscores, as in the list of templates."),
                _(
                    "A template with one gap, which takes the message. Without one only clients who wrote to you within 24 hours are reached."
                ),
                is_required=False,
            ),
            Field(
                "language",
                _("Template's language"),
                r"[a-z]{2,3}(_[A-Z]{2})?",
                _("Write a code such as en_US or ru."),
                is_required=False,
            ),
        ),
    ),
)

# ---------------------------------------------------------------- the clinic's own system


def _wrong_url(text: str) -> str | Promise:
    code = check_url(text)
    if code == "private-address":
        return _("This address is not a public one, so it cannot be called from here.")
    if code == "bad-scheme":
        return _("The address has to start with https://.")
    return _("This is not an address that can be called. Leave out names and passwords.") if code else ""


_WEBHOOK: Final = Provider(
    "webhook",
    ChannelName.WEBHOOK,
    _("Call an address of ours"),
    lambda values: WebhookChannel(values["url"], values["secret"]),
    policy="retry",
    fields=(
        Field(
            "url",
            _("Address"),
            r"https?://[^\s\\]{3,400}",
            _("The address has to start with https://."),
            check=_wrong_url,
        ),
    ),
    hint=_("Each message is one signed call. The system must keep the ids it has seen and drop copies."),
    generated={"secret": new_secret},
)

# ---------------------------------------------------------------- all of them


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
_ALL: Final[tuple[Provider, ...]] = (*_SMS, *_MESSENGERS, _WEBHOOK, *_KEPT)
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
