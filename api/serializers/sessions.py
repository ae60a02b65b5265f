"""Sessions: where each stands and what happened."""

from typing import Any

from rest_framework import serializers

from api.filters import practitioners
from api.serializers.base import Answer, Day, Input, Instant, Own, Text, Whole, Word, code_of
from api.serializers.courses import WalkInInput, rooms
from api.serializers.pages import page_of
from courses.models import Reaction, SessionStatus
from courses.validators import LONGEST_MINUTES


class SessionAnswer(Answer):
    code = serializers.UUIDField()
    course = code_of("course", allow_null=False)
    client = code_of("client", allow_null=False)
    status = Word(choices=SessionStatus.choices)
    on = serializers.DateField(help_text="The clinic's day.")
    starts_at = Instant(allow_null=True)
    ends_at = Instant(allow_null=True)
    practitioner = code_of("practitioner")
    room = code_of("room")
    is_pinned = serializers.BooleanField(help_text="Replanning leaves it where it is.")
    confirmed_at = Instant(allow_null=True)
    arrived_at = Instant(allow_null=True)
    outcome_at = Instant(allow_null=True)
    cancel_reason = serializers.CharField()
    correction_reason = serializers.CharField()
    minutes = serializers.IntegerField(allow_null=True)
    reaction = Word(choices=Reaction.choices, allow_null=True)
    pain_before = serializers.IntegerField(allow_null=True)
    pain_after = serializers.IntegerField(allow_null=True)
    treatments = serializers.ListField(child=serializers.CharField())
    note = serializers.CharField()


class NothingInput(Input):
    """A verb that needs no more words."""


class MoveInput(Input):
    starts_at = Instant()
    minutes = Whole(
        min_value=1, max_value=LONGEST_MINUTES, required=False, help_text="As long as before unless told."
    )
    practitioner = Own(practitioners, allow_null=True, required=False, help_text="As before unless told.")
    room = Own(rooms, allow_null=True, required=False, help_text="As before unless told.")


class CancelInput(Input):
    whose = Word(choices=[("client", "the client"), ("clinic", "the clinic")], help_text="Who cancels.")
    reason = Text(max_length=200, allow_blank=True, required=False)


class AttendInput(WalkInInput):
    on = None  # type: ignore[assignment]  # the session's own day
    practitioner = None  # type: ignore[assignment]  # its own


class CorrectInput(Input):
    status = Word(choices=SessionStatus.choices)
    on = Day(required=False, help_text="Mends the day of an attended session.")
    reason = Text(max_length=200, allow_blank=True, required=False)


SessionPage: Any = page_of(SessionAnswer)
