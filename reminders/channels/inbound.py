"""The secret with which a gateway signs what it calls here, and the addresses that it calls."""

import base64
import hmac
from typing import Final

from django.conf import settings

from reminders.models import ChannelAccount

_PURPOSE: Final = b"regimen.api.hooks.v1:"


def hook_secret(account: ChannelAccount) -> str:
    """Return the account's secret for signing calls to here, in the form of Standard Webhooks.

    It is made from SECRET_KEY, so that it need not be kept; the account's settings show it.
    """
    return _secret_of(account, settings.SECRET_KEY)


def hook_secrets(account: ChannelAccount) -> list[str]:
    """Return the secrets that are taken: the present one, then those of former keys."""
    return [_secret_of(account, key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]


def hook_urls(account: ChannelAccount) -> dict[str, str]:
    """Return the addresses a provider is given: for `texts` where the channel takes some, and for `reports`."""
    urls = {"reports": f"{settings.BASE_URL}/api/hooks/reports/{account.code}/"}
    if account.channel == "sms":
        urls["texts"] = f"{settings.BASE_URL}/api/hooks/sms/{account.code}/"
    return urls


def _secret_of(account: ChannelAccount, key: str) -> str:
    made = hmac.digest(key.encode(), _PURPOSE + str(account.code).encode(), "sha256")
    return f"whsec_{base64.b64encode(made).decode()}"
