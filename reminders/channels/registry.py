"""Which ways out there are: the installation's own e-mail, and each clinic's accounts on other channels."""

from collections.abc import Collection
from typing import Final

from django.conf import settings

from reminders.channels.base import Way
from reminders.channels.email import EmailChannel

EMAIL_SCOPE: Final = "email"


def find_ways(wanted: Collection[tuple[int, str]]) -> dict[tuple[int, str], Way]:
    """Return the way out for each (clinic id, channel) that has one.

    Cost: one query for all accounts, none when only e-mail is asked for.
    """
    email = Way(EMAIL_SCOPE, EmailChannel.policy, settings.CHANNEL_RATES["email"], EmailChannel)
    return {pair: email for pair in wanted if pair[1] == EmailChannel.name}
