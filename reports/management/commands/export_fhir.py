import json
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audit.services import SYSTEM, record
from clinics.models import Clinic
from courses.models import Course, CourseStatus
from reports.fhir import course_bundle, course_bundles


class Command(BaseCommand):
    help = (
        "Write a course as a FHIR R5 bundle in JSON, or with --clinic every running course of a clinic, one a line. "
        "The audit trail says so."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument(
            "code", nargs="?", type=UUID, metavar="COURSE_CODE", help="the code in the course's address"
        )
        which.add_argument("--clinic", type=UUID, help="the clinic's code: all its active and paused courses")

    def handle(self, *, code: UUID | None, clinic: UUID | None, **options: Any) -> None:
        if code is not None:
            self._write_one(code)
        elif clinic is not None:
            self._write_all(clinic)

    def _write_one(self, code: UUID) -> None:
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

    def _write_all(self, code: UUID) -> None:
        clinic = Clinic.objects.filter(code=code).first()
        if clinic is None:
            raise CommandError("No clinic has this code.")
        running = (CourseStatus.ACTIVE, CourseStatus.PAUSED)
        courses = Course.objects.for_clinic(clinic).filter(status__in=running).order_by("pk")
        now = timezone.now()
        record(
            "courses.exported",
            at=now,
            by=SYSTEM,
            clinic_code=clinic.code,
            subject_kind="clinic",
            subject_code=clinic.code,
            new={"format": "fhir", "count": courses.count()},
        )
        for bundle in course_bundles(courses, now=now):
            self.stdout.write(json.dumps(bundle, ensure_ascii=False))
