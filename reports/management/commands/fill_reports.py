"""What reports count of courses from before it was kept; safe while the application runs, and to be broken off."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from courses.services import tally_days
from reports.filling import fill_courses


class Command(BaseCommand):
    help = "Keep for reports what older versions did not: verdicts of sessions, what was sent, and counts by day."

    def handle(self, **options: Any) -> None:
        count = fill_courses(now=timezone.now())
        days = tally_days()
        self.stdout.write(f"{count} courses filled, {days} days counted.")
