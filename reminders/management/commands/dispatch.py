"""Send what is due and stop: the senders' work without a broker."""

from typing import Any

from django.core.management.base import BaseCommand

from reminders.services import drain


class Command(BaseCommand):
    help = "Send every message that is due now."

    def handle(self, *args: Any, **options: Any) -> None:
        sent = {state: number for state, number in sorted(drain().items()) if number}
        self.stdout.write(", ".join(f"{state} {number}" for state, number in sent.items()) or "nothing due")
