"""A prescription in FHIR's words, out and in: phases as service requests with a timing; pure."""

from courses.core.fhir.reading import FhirError, Note, ReadPrescription, Refusal, read_prescription
from courses.core.fhir.writing import plan_parts, request_parts, timing

__all__ = [
    "FhirError",
    "Note",
    "ReadPrescription",
    "Refusal",
    "plan_parts",
    "read_prescription",
    "request_parts",
    "timing",
]
