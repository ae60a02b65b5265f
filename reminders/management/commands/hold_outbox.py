from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from reminders.services.fence import BY_HAND, hold


class Command(BaseCommand):
    help = "Send nothing from here on, for example before a restored machine is started; see release_outbox."

    def handle(self, *args: Any, **options: Any) -> None:
        hold(reason=BY_HAND, now=timezone.now())
        self.stdout.write("Nothing is sent until manage.py release_outbox.")
