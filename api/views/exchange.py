"""Courses out and prescriptions in, in FHIR's words (docs/fhir.md)."""

from typing import Any, ClassVar, Final
from uuid import UUID

from django.utils import timezone
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from api import examples
from api.describing import Operation
from api.parsers import BodyParser, FhirParser
from api.serializers.exchange import ReadPrescriptionAnswer
from api.views.base import ClinicApiView
from api.views.courses import CourseRow
from audit.services import record
from clinics.models import Scope
from courses.core.wire import ROOT
from courses.errors import CourseError
from imports.fhir import read_prescription
from reports.fhir import MEDIA_TYPE, course_bundle

_RESOURCE: Final[dict[str, Any]] = {"type": "object", "additionalProperties": True}


class FhirView(CourseRow):
    operations: ClassVar = {
        "GET": Operation(
            "courses_fhir",
            "Exchange",
            "A course as FHIR R5",
            _RESOURCE,
            examples.BUNDLE,
            scope=Scope.EXPORT,
            text="One bundle with the plan, its requests, visits, drifts and messages, and everybody they refer to. "
            "It holds names and addresses: each is on record.",
            refusals=(404,),
            media_type=MEDIA_TYPE,
        )
    }
    is_exact = False

    def lasting(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return the bundle without the moment at which it was put together."""
        return {name: value for name, value in data.items() if name != "timestamp"}

    def get(self, request: Request, code: UUID) -> Response:
        self.refuse_unknown_parameters()
        course, now = self.course(code), timezone.now()
        record(
            "course.exported",
            at=now,
            by=self.by,
            clinic_code=self.clinic.code,
            subject_kind="course",
            subject_code=course.code,
            new={"format": "fhir"},
        )
        return Response(course_bundle(course, now=now), content_type=MEDIA_TYPE)


class ReadPrescriptionView(ClinicApiView):
    operations: ClassVar = {
        "POST": Operation(
            "fhir_prescription",
            "Exchange",
            "Read a prescription from FHIR",
            ReadPrescriptionAnswer,
            examples.READ_TIMING,
            scope=Scope.READ,
            text="Takes a Timing, a ServiceRequest, a CarePlan that contains its requests, or a Bundle, and answers "
            "phases as `assess` and `plan` take them. Nothing is stored: prescribing takes a person.",
            body=_RESOURCE,
            body_example=examples.TIMING,
        )
    }
    parser_classes = (BodyParser, FhirParser)

    def post(self, request: Request) -> Response:
        self.refuse_unknown_parameters()
        try:
            read = read_prescription(request.data)
        except CourseError as error:
            # Nothing stands in its way but the resource itself.
            raise ValidationError(error.fields or {ROOT: error.message}) from error
        return Response(self.show(read))
