"""Reads bodies: of the stateless operations just as the commands read their input, of the others as strictly."""

import json
from collections.abc import Mapping
from typing import IO, Any, Final

from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser

from courses.core.wire import WireError, loads

MOST_BYTES: Final = 1_000_000


class TooLargeError(APIException):
    status_code = 413
    default_detail = "Send at most one megabyte."
    default_code = "too_large"


class OperationParser(BaseParser):
    """Takes JSON whatever the request says it is, so that a plain `curl -d` works too."""

    media_type = "*/*"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        return loads(read_body(stream))


class BodyParser(BaseParser):
    """Takes JSON that says so: what a browser can send from another site without asking is none."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            found = loads(read_body(stream))
            # Half a character has no bytes: no column holds it and no answer could repeat it.
            json.dumps(found, ensure_ascii=False).encode()
        except WireError as error:
            raise ParseError(error.message) from error
        except (UnicodeEncodeError, RecursionError) as error:
            raise ParseError("Send whole characters only, and no endless nesting.") from error
        if repeated := _repeated_name(found):
            raise ParseError(f"The name {repeated} is given twice.")
        return found


class FhirParser(BodyParser):
    """Takes what says that it is FHIR."""

    media_type = "application/fhir+json"


def read_body(stream: IO[Any]) -> bytes:
    """Return the bytes sent.

    Raises: TooLargeError when there are more than anybody needs.
    """
    body: bytes = stream.read(MOST_BYTES + 1)
    if len(body) > MOST_BYTES:
        raise TooLargeError
    return body


def _repeated_name(value: object) -> str | None:
    """Return a name that an object of the body gives twice: which of the two was meant, nobody knows."""
    inner: list[object] = []
    if isinstance(value, dict):
        if repeated := getattr(value, "repeated", None):
            return str(repeated)
        inner = list(value.values())
    elif isinstance(value, list):
        inner = value
    return next((found for one in inner if (found := _repeated_name(one))), None)
