"""Which ways out there are: the installation's own e-mail, and each clinic's accounts on other channels."""

import logging
from collections.abc import Collection
from functools import partial
from typing import Final

from django.conf import settings

from reminders.channels.base import Channel, Message, Outcome, Way
from reminders.channels.email import EmailChannel
from reminders.channels.providers import Provider, find_provider
from reminders.models import ChannelAccount
from reminders.sealing import SealError, unseal

logger = logging.getLogger(__name__)

EMAIL_SCOPE: Final = "email"


class UnreadableChannel(Channel):
    """Stands for an account whose secrets cannot be read: nothing goes until somebody enters them again."""

    name = "unreadable"

    def send(self, message: Message) -> Outcome:
        """Send nothing and say why."""
        return Outcome("transient", "secrets-unreadable", is_channel_down=True)


def find_ways(wanted: Collection[tuple[int, str]]) -> dict[tuple[int, str], Way]:
    """Return the way out for each (clinic id, channel) that has one.

    Cost: one query for all accounts, none when only e-mail is asked for.
    """
    email = Way(EMAIL_SCOPE, EmailChannel.policy, settings.CHANNEL_RATES["email"], EmailChannel)
    ways = {pair: email for pair in wanted if pair[1] == EmailChannel.name}
    others = set(wanted) - set(ways)
    if not others:
        return ways
    accounts = ChannelAccount.objects.filter(
        is_active=True, clinic__in={clinic for clinic, _ in others}, channel__in={name for _, name in others}
    )
    for account in accounts:
        pair = (account.clinic_id, account.channel)
        provider = find_provider(account.channel, account.provider)
        if pair in others and provider is not None:
            ways[pair] = _way_of(account, provider)
    return ways


def account_scope(account: ChannelAccount) -> str:
    """Return the name under which an account's health is kept."""
    return f"{account.channel}:{account.code}"


def open_account(account: ChannelAccount, provider: Provider) -> Channel:
    """Return the channel of an account, one that sends nothing when its secrets cannot be read."""
    try:
        secrets = unseal(account.sealed_secrets)
    except SealError:
        logger.warning("The secrets of channel account %s cannot be read.", account.code)
        return UnreadableChannel()
    return provider.build({**account.settings, **secrets})


def _way_of(account: ChannelAccount, provider: Provider) -> Way:
    return Way(
        scope=account_scope(account),
        policy=provider.policy,
        per_minute=account.per_minute or settings.CHANNEL_RATES[account.channel],
        # Opened when first needed: what is wrong with one account must not stop the others.
        open=partial(open_account, account, provider),
    )
