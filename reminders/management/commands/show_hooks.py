from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from reminders.channels.inbound import hook_secret, hook_urls
from reminders.models import ChannelAccount


class Command(BaseCommand):
    help = "List the addresses that each channel account's provider calls."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--secrets", action="store_true", help="also what other gateways sign with")

    def handle(self, *, secrets: bool, **options: Any) -> None:
        for account in ChannelAccount.objects.select_related("clinic").order_by("clinic", "channel"):
            self.stdout.write(f"{account.clinic.name}: {account.channel}, {account.provider}")
            for name, url in sorted(hook_urls(account).items()):
                self.stdout.write(f"  {name}: {url}")
            if secrets:
                self.stdout.write(f"  secret: {hook_secret(account)}")
