"""A page of a list."""

from typing import Any

from rest_framework import serializers

from api.serializers.base import Answer


def page_of(row: type[Answer]) -> type[Answer]:
    """Return the shape of a page of such rows."""
    members: dict[str, Any] = {
        "results": row(many=True),
        "next": serializers.URLField(
            allow_null=True, help_text="The address of the rows behind these; null at the end."
        ),
        "__doc__": None,
    }
    return type(f"{row.__name__.removesuffix('Answer')}Page", (Answer,), members)
