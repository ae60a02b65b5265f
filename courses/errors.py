"""Refusals that a user can meet."""

from collections.abc import Mapping


class CourseError(Exception):
    """A verb that cannot be carried out: a full sentence, a code for machines, and the fields concerned."""

    def __init__(self, message: str, *, code: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.fields = dict(fields or {})
