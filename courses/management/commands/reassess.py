from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from clinics.models import Clinic
from courses.management.fan_out import reassess_all
from courses.management.own_process import keep_garbage


class Command(BaseCommand):
    help = (
        "Assess running courses again, after the rules changed or a doubt; only what differs is written. "
        "Harmless at any time and any number of times, also beside a running installation."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--all", action="store_true", help="the running courses of all clinics")
        which.add_argument("--clinic", type=UUID, help="those of the clinic with this code")
        parser.add_argument("--workers", type=int, default=1, help="processes that share the work, 1 to 32")
        parser.add_argument("--check", action="store_true", help="only count what differs")

    def handle(self, *, clinic: UUID | None, workers: int, check: bool, **options: Any) -> None:
        if not 1 <= workers <= 32:
            raise CommandError("--workers must lie from 1 to 32.")
        found = Clinic.objects.filter(code=clinic).first() if clinic else None
        if clinic and found is None:
            raise CommandError("--clinic: no clinic has this code.")
        keep_garbage()
        assessed = changed = 0
        for part in reassess_all(now=timezone.now(), workers=workers, clinic=found, is_dry=check):
            assessed, changed = assessed + part.assessed, changed + part.changed
            if options["verbosity"] > 1:
                self.stdout.write(f"{assessed} assessed, {changed} {'differ' if check else 'written'} ...")
        self.stdout.write(f"{assessed} courses assessed, {changed} {'differ' if check else 'written'}.")
