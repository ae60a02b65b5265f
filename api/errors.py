"""One handler and one shape for every refusal of the API: {"error": {"field": …, "message": …}}.

With a token, a code for machines and every wrong field stand beside the two.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework import status
from rest_framework.exceptions import APIException, MethodNotAllowed, NotFound, Throttled, ValidationError
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import exception_handler

from courses.core.wire import ROOT, WireError
from courses.errors import CourseError

_WHOLE: Final = frozenset({"__all__", api_settings.NON_FIELD_ERRORS_KEY, ""})


class ChangedError(APIException):
    status_code = 412
    default_detail = "Somebody changed this meanwhile. Read it again, then decide."
    default_code = "changed"


class ReusedKeyError(APIException):
    status_code = 422
    default_detail = "This Idempotency-Key belongs to another request of the last 24 hours."
    default_code = "idempotency_key_reused"


def answer_error(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return the answer to an error: bad input 400 by field, a refusal 409, the rest as the framework has it.

    Where no field can be named it is the request. None leaves a fault to the framework.
    """
    is_plain = getattr(context.get("view"), "answers_plainly", False)
    if isinstance(error, WireError):
        return _answer({error.field: error.message}, 400, code=error.code, is_plain=is_plain)
    if isinstance(error, CourseError):
        texts = error.fields or {ROOT: error.message}
        return _answer(texts, status.HTTP_409_CONFLICT, code=error.code, is_plain=is_plain)
    if isinstance(error, DjangoValidationError):
        named = error.message_dict if hasattr(error, "error_dict") else {ROOT: error.messages}
        return _answer(_flat(named), 400, code="invalid", is_plain=is_plain)
    answer = exception_handler(error, context)
    if answer is None:
        return None
    texts = _flat(error.detail) if isinstance(error, ValidationError) else {ROOT: _sentence(error, context)}
    # The status and the headers stay, Retry-After among them.
    answer.data = _answer(texts, answer.status_code, code=_code(error), is_plain=is_plain).data
    return answer


def _answer(texts: Mapping[str, str], status_code: int, *, code: str, is_plain: bool) -> Response:
    """Return the first of the fields refused, for programs that mend one at a time, and all of them."""
    fields = {ROOT if field in _WHOLE else field: message for field, message in texts.items()}
    field, message = next(iter(fields.items()))
    told: dict[str, Any] = {"field": field, "message": message}
    if not is_plain:
        told |= {"code": code, "fields": {name: text for name, text in fields.items() if name != ROOT}}
    return Response({"error": told}, status=status_code)


def _flat(detail: Any) -> dict[str, str]:
    """Return what is wrong by the path of the field, such as `contacts.email.address` or `days[0]`."""
    found: dict[str, str] = {}
    for path, message in _paths(detail, ""):
        found[path] = f"{found[path]} {message}" if path in found else message
    return found


def _paths(detail: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            whole = str(name) in _WHOLE
            # Lists of values name their places by number.
            step = f"[{name}]" if isinstance(name, int) else f".{name}" if path else str(name)
            yield from _paths(inner, path if whole else f"{path}{step}")
    elif isinstance(detail, list | tuple) and any(isinstance(one, Mapping) for one in detail):
        for index, inner in enumerate(detail):
            yield from _paths(inner, f"{path}[{index}]")
    elif isinstance(detail, list | tuple):
        for message in detail:
            yield path, str(message)
    else:
        yield path, str(detail)


def _code(error: Exception) -> str:
    match error:
        case ValidationError():
            return "invalid"
        case APIException():
            codes = error.get_codes()
            return codes if isinstance(codes, str) else error.default_code
        case PermissionDenied():
            return "permission_denied"
    return "not_found"


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
