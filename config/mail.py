"""Which way the installation's e-mail goes: a mail server, a provider's HTTP interface, or nowhere."""

from dataclasses import dataclass, field
from typing import Final

from django.core.exceptions import ImproperlyConfigured

from config import env


@dataclass(frozen=True, slots=True)
class _Provider:
    """How anymail names a provider's settings."""

    key: str
    secret: str = ""
    domain: str = ""
    signing: str = ""


_PROVIDERS: Final = {
    "brevo": _Provider("API_KEY"),
    "mailgun": _Provider("API_KEY", domain="SENDER_DOMAIN", signing="WEBHOOK_SIGNING_KEY"),
    "mailjet": _Provider("API_KEY", secret="SECRET_KEY"),  # noqa: S106  # the name of a setting
    "postmark": _Provider("SERVER_TOKEN"),
    "resend": _Provider("API_KEY", signing="SIGNING_SECRET"),
    "sparkpost": _Provider("API_KEY"),
}


@dataclass(frozen=True, slots=True)
class Mail:
    """Django's backend for e-mail, and anymail's settings for it."""

    backend: str
    options: dict[str, object] = field(default_factory=dict)


def read_mail(*, timeout: int) -> Mail:
    """Return how e-mail goes out, from EMAIL_HOST or EMAIL_PROVIDER and its kin.

    Raises: ImproperlyConfigured naming the variable that is wrong, missing or of no use.
    """
    host = env.read_text("EMAIL_HOST")
    name = env.read_choice("EMAIL_PROVIDER", choices=("none", *_PROVIDERS), default="none")
    if name == "none":
        return Mail(
            "django.core.mail.backends.smtp.EmailBackend"
            if host
            else "reminders.channels.kept.KeptEmailBackend"
        )
    if host:
        raise ImproperlyConfigured("EMAIL_HOST and EMAIL_PROVIDER are both set: choose one way for e-mail.")
    return Mail(f"anymail.backends.{name}.EmailBackend", _read_options(name, timeout=timeout))


def _read_options(name: str, *, timeout: int) -> dict[str, object]:
    provider, prefix = _PROVIDERS[name], name.upper()
    options: dict[str, object] = {
        "REQUESTS_TIMEOUT": timeout,
        f"{prefix}_{provider.key}": env.read_required(
            "EMAIL_PROVIDER_KEY", reason=f"mail goes through {name}, which asks for a key."
        ),
    }
    if provider.secret:
        options[f"{prefix}_{provider.secret}"] = env.read_required(
            "EMAIL_PROVIDER_SECRET", reason=f"{name} asks for a second key."
        )
    url = env.read_url("EMAIL_PROVIDER_URL", schemes=("https",))
    if url:
        options[f"{prefix}_API_URL"] = url
    further = (
        ("EMAIL_PROVIDER_DOMAIN", env.read_text("EMAIL_PROVIDER_DOMAIN"), provider.domain),
        ("EMAIL_PROVIDER_SIGNING_KEY", env.read_text("EMAIL_PROVIDER_SIGNING_KEY"), provider.signing),
    )
    for variable, value, setting in further:
        if value and not setting:
            raise ImproperlyConfigured(f"{variable} is of no use: {name} has no such setting.")
        if value:
            options[f"{prefix}_{setting}"] = value
    return options
