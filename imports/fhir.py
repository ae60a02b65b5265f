"""A prescription from a FHIR file or body: its size, its JSON, and every refusal as a sentence by its path."""

import json
from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext as _

from courses.core import fhir
from courses.core.fhir import FhirError, Note, ReadPrescription, Refusal
from courses.core.wire import WireError, loads
from courses.errors import CourseError
from imports.words import FHIR_WORDS

# A care plan with all its resources; a course of ours of a year has a tenth of this.
MOST_BYTES: Final = 2 * 1024 * 1024
# So much of what is wrong is named; the rest is the same once more.
MOST_REFUSALS: Final = 50


def read_prescription(resource: object) -> ReadPrescription:
    """Return the prescription that a FHIR resource, as parsed from JSON, says.

    A Timing, a ServiceRequest, a CarePlan that contains its requests, or a Bundle.
    Raises: CourseError `fhir_refused`; its fields are paths in the resource with a sentence each.
    """
    try:
        return fhir.read_prescription(resource)
    except FhirError as error:
        fields: dict[str, str] = {}
        for refusal in error.refusals[:MOST_REFUSALS]:
            fields.setdefault(refusal.path, refusal_words(refusal))
        raise CourseError(
            _("This prescription cannot be kept as it stands."), code="fhir_refused", fields=fields
        ) from error


def read_file(content: bytes) -> ReadPrescription:
    """Return the prescription of a file in JSON.

    Raises: CourseError `too_large`, `not_json`, or as read_prescription().
    """
    if len(content) > MOST_BYTES:
        raise CourseError(str(FHIR_WORDS["too_large"]), code="too_large")
    try:
        resource = loads(content)
    except WireError as error:
        raise CourseError(str(FHIR_WORDS["not_json"]), code="not_json") from error
    if repeated := _repeated_name(resource):
        message = FHIR_WORDS["given_twice"] % {"name": json.dumps(repeated[:60])}
        raise CourseError(message, code="not_json")
    return read_prescription(resource)


def _repeated_name(value: object) -> str:
    """Return a name that some object gives twice, of which a reader would silently take the last."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Mapping):
            if repeated := getattr(one, "repeated", None):
                return str(repeated)
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return ""


def refusal_words(refusal: Refusal | Note) -> str:
    """Return what is wrong with an element, or is to be known about it, and what to do about it."""
    return str(FHIR_WORDS[refusal.code]) % refusal.values
