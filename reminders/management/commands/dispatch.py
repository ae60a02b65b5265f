"""Send what is due and stop: the senders' work without a broker."""

import signal
import sys
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand

from clients.models import Channel
from reminders.services import drain


class Command(BaseCommand):
    help = "Send every message that is due now."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--channel", action="append", choices=Channel.values, help="only this channel; may be repeated"
        )

    def handle(self, *args: Any, channel: list[str] | None, **options: Any) -> None:
        before = signal.signal(signal.SIGTERM, _end)
        try:
            counts = drain(channels=channel)
        finally:
            signal.signal(signal.SIGTERM, before)
        sent = {state: number for state, number in sorted(counts.items()) if number}
        self.stdout.write(", ".join(f"{state} {number}" for state, number in sent.items()) or "nothing due")


def _end(number: int, frame: FrameType | None) -> None:
    # Unwinds, so that the message in hand is settled and the rest given back at once.
    sys.exit(128 + number)
