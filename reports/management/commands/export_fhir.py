import json
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audit.services import SYSTEM, record
from courses.models import Course
from reports.fhir import course_bundle


class Command(BaseCommand):
    help = "Write a course as a FHIR R5 bundle in JSON; the audit trail says so."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("code", type=UUID, metavar="COURSE_CODE", help="the code in the course's address")

    def handle(self, *, code: UUID, **options: Any) -> None:
        course = Course.objects.select_related("clinic").filter(code=code).first()
        if course is None:
            raise CommandError("No course has this code.")
        now = timezone.now()
        bundle = course_bundle(course, now=now)
        record(
            "course.exported",
            at=now,
            by=SYSTEM,
            clinic_code=course.clinic.code,
            subject_kind="course",
            subject_code=course.code,
            new={"format": "fhir"},
        )
        self.stdout.write(json.dumps(bundle, ensure_ascii=False, indent=2))
