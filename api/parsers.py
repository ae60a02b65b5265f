"""Reads the body of the stateless operations just as the commands read their input."""

from collections.abc import Mapping
from typing import IO, Any, Final

from rest_framework.exceptions import APIException
from rest_framework.parsers import BaseParser

from courses.core.wire import loads

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
        body = stream.read(MOST_BYTES + 1)
        if len(body) > MOST_BYTES:
            raise TooLargeError
        return loads(body)
