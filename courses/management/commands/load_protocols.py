from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audit.services import SYSTEM
from clinics.models import Clinic
from courses.services.library import load_library


class Command(BaseCommand):
    help = "Give clinics the protocols of the library that they do not have yet."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--clinic", type=UUID, help="the code of one clinic; all of them without it")

    def handle(self, *, clinic: UUID | None, **options: Any) -> None:
        clinics = Clinic.objects.order_by("pk")
        if clinic is not None:
            clinics = clinics.filter(code=clinic)
            if not clinics:
                raise CommandError(f"--clinic: there is no clinic {clinic}.")
        for found in clinics:
            count = load_library(clinic=found, by=SYSTEM, now=timezone.now())
            self.stdout.write(f"{found.code}: {count} added")
