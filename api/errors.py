"""One handler for every refusal of the API."""

from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework import status
from rest_framework.response import Response
from rest_framework.views import exception_handler

from courses.core.wire import WireError
from courses.errors import CourseError


def answer_error(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return the answer to an error: bad input 400 by field, a refusal 409, the rest as the framework has it."""
    if isinstance(error, WireError):
        return Response(error.as_json(), status=status.HTTP_400_BAD_REQUEST)
    if isinstance(error, CourseError):
        body = {"code": error.code, "message": error.message, "fields": error.fields}
        return Response(body, status=status.HTTP_409_CONFLICT)
    if isinstance(error, DjangoValidationError):
        fields = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
        body = {"code": "bad_input", "message": "Mend the fields named.", "fields": fields}
        return Response(body, status=status.HTTP_400_BAD_REQUEST)
    return exception_handler(error, context)
