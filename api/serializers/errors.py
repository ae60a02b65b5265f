"""The one shape of refusals; see api/errors.py."""

from rest_framework import serializers

from api.serializers.base import Answer


class PlainError(Answer):
    field = serializers.CharField(
        help_text="What was wrong by its path, or `request` where it is no single field."
    )
    message = serializers.CharField(help_text="A sentence for a person.")


class PlainErrorAnswer(Answer):
    error = PlainError()


class Error(PlainError):
    code = serializers.CharField(help_text="A word for machines.")
    fields = serializers.DictField(  # type: ignore[assignment]  # the name of the shape
        child=serializers.CharField(), help_text="Every wrong field by its path with what is wrong."
    )


class ErrorAnswer(Answer):
    error = Error()
