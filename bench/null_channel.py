"""A channel that takes every message and does nothing with it, so that the work around it is what is measured."""

from __future__ import annotations

from reminders.channels.base import SENT, Channel, ChannelFactory, Message, Outcome


class NullChannel(Channel):
    """Accepts everything at once."""

    name = "email"

    def send(self, message: Message) -> Outcome:
        """Take the message."""
        return SENT


NULL: dict[str, ChannelFactory] = {NullChannel.name: NullChannel}
