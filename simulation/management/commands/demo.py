import random
from argparse import ArgumentParser
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from clinics.models import Clinic
from reminders.channels.email import EmailChannel
from reminders.channels.kept import KEPT_EMAIL
from reminders.models import KeptMessage
from reminders.services import drain, seed_rules, sync_course_reminders
from simulation.clinic import DEMO_PASSWORD, Cast, found_clinic
from simulation.story import REMINDER_DAYS, Story, story_start
from simulation.world import World

ZONE = ZoneInfo("Europe/Riga")


class Command(BaseCommand):
    help = "Load the demo clinic: half a year of history up to now, the same for the same seed and day."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seed", type=int, default=1, help="another seed tells another story")
        parser.add_argument("--clients", type=int, default=64, help="how many clients, 40 to 500")
        parser.add_argument("--courses", type=int, default=84, help="how many courses, 40 to 1000")

    def handle(self, *, seed: int, clients: int, courses: int, **options: Any) -> None:
        if settings.IS_PRODUCTION:
            raise CommandError("The demo clinic is not loaded with production settings.")
        if not 40 <= clients <= 500:
            raise CommandError("--clients must lie from 40 to 500.")
        if not 40 <= courses <= 1000:
            raise CommandError("--courses must lie from 40 to 1000.")
        if Clinic.objects.filter(is_demo=True).exists():
            self.stdout.write("The demo clinic is there already.")
            return
        cast = tell_story(seed=seed, client_count=clients, course_count=courses, now=timezone.now())
        self.stdout.write(
            f"{cast.clinic.name}: {cast.clinic.clients.count()} clients, {cast.clinic.courses.count()} courses, "
            f"{cast.clinic.sessions.count()} sessions, {cast.clinic.flags.filter(resolved_at=None).count()} open flags."
        )


def tell_story(*, seed: int, client_count: int, course_count: int, now: datetime) -> Cast:
    """Found the demo clinic and live its half year; all of it or nothing before the reminders begin."""
    rng = random.Random(seed)  # noqa: S311  # a story, not a secret
    today = now.astimezone(ZONE).date()
    first_on = story_start(today)
    reminders_on = today - timedelta(days=REMINDER_DAYS)
    founded_at = datetime.combine(first_on, datetime.min.time(), tzinfo=ZONE)
    with transaction.atomic():
        cast = found_clinic(
            rng=rng,
            now=founded_at,
            client_count=client_count,
            first_on=first_on,
            last_on=today + timedelta(days=365),
            password=DEMO_PASSWORD,
            today=today,
        )
        # Reminders begin late in the story: rules that are off want no rows.
        seed_rules(clinic=cast.clinic, now=founded_at)
        cast.clinic.reminder_rules.update(is_active=False)
        story = Story(cast, rng, today=today)
        world = World(cast, rng, story.plots(course_count), until=now)
        world.run(first_on, reminders_on - timedelta(days=1))
        cast.clinic.reminder_rules.update(is_active=True)
        for course in cast.clinic.courses.filter(status__in=["active", "paused"]).order_by("pk"):
            sync_course_reminders(course_id=course.pk, now=world.clock)
    world.has_reminders = True
    world.drain = _drain_at
    world.run(reminders_on, today)
    return cast


def _drain_at(at: datetime) -> object:
    """Send what is due at a moment of the story, and let the mailbox show that moment.

    Into the mailbox also where a mail server is set up: nobody ever waited for what an invented past says.
    """
    last = KeptMessage.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    counts = drain(clock=lambda: at, factories={"email": lambda: EmailChannel(KEPT_EMAIL)})
    KeptMessage.objects.filter(pk__gt=last).update(kept_at=at)
    return counts
