"""Refusals that a user can meet."""

from courses.errors import CourseError


class MessageError(CourseError):
    """Something that may not be done with a message or a rule: a full sentence, and a code for machines."""
