"""One handler and one shape for every refusal of the API: {"error": {"field": …, "message": …}}."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework import status
from rest_framework.exceptions import APIException, MethodNotAllowed, NotFound, Throttled
from rest_framework.response import Response
from rest_framework.views import exception_handler

from courses.core.wire import ROOT, WireError
from courses.errors import CourseError


def answer_error(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return the answer to an error: bad input 400 by field, a refusal 409, the rest as the framework has it.

    Where no field can be named it is the request. None leaves a fault to the framework.
    """
    if isinstance(error, WireError):
        return Response(error.as_json(), status=status.HTTP_400_BAD_REQUEST)
    if isinstance(error, CourseError):
        return _answer(error.fields or {ROOT: error.message}, status.HTTP_409_CONFLICT)
    if isinstance(error, DjangoValidationError):
        named = error.message_dict if hasattr(error, "error_dict") else {ROOT: error.messages}
        texts = {field: " ".join(messages) for field, messages in named.items()}
        return _answer(texts, status.HTTP_400_BAD_REQUEST)
    answer = exception_handler(error, context)
    if answer is not None:
        # The status and the headers stay, Retry-After among them.
        answer.data = WireError(ROOT, _sentence(error, context)).as_json()
    return answer


def _answer(texts: dict[str, str], code: int) -> Response:
    """Return the first of the fields refused: one is mended at a time."""
    field, message = next(iter(texts.items()))
    return Response(WireError(field, message).as_json(), status=code)


def _sentence(error: Exception, context: dict[str, Any]) -> str:
    match error:
        case MethodNotAllowed():
            verbs = [verb for verb in context["view"].allowed_methods if verb not in ("HEAD", "OPTIONS")]
            return f"Use {' or '.join(verbs)}."
        case Throttled():
            return f"Wait {error.wait or 60} seconds, then try again."  # type: ignore[attr-defined]  # not in the stubs
        case APIException() if not isinstance(error, NotFound):
            return str(error.detail)
        case PermissionDenied():
            return "This is not for you."
    return "There is nothing at this address."
