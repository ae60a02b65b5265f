"""Flags: open drifts, and what was done about them."""

from typing import Any

from rest_framework import serializers

from api.serializers.base import Answer, Day, Input, Instant, Text, Word, code_of
from api.serializers.pages import page_of
from courses.models import CallOutcome, Cause, FlagKind, ResolvedReason, Severity


class FlagAnswer(Answer):
    code = serializers.UUIDField()
    course = code_of("course", allow_null=False)
    client = code_of("course.client", allow_null=False)
    kind = Word(choices=FlagKind.choices)
    severity = Word(choices=Severity.choices)
    days = serializers.IntegerField(allow_null=True)
    count = serializers.IntegerField(allow_null=True)
    cause = Word(choices=Cause.choices, allow_null=True)
    since_on = serializers.DateField()
    opened_at = Instant()
    updated_at = Instant()
    acknowledged_at = Instant(allow_null=True)
    acknowledged_note = serializers.CharField()
    snoozed_until_on = serializers.DateField(allow_null=True)
    resolved_at = Instant(allow_null=True)
    resolved_reason = Word(choices=ResolvedReason.choices, allow_null=True)


class CallAnswer(Answer):
    outcome = Word(choices=CallOutcome.choices)
    note = serializers.CharField()
    next_on = serializers.DateField(allow_null=True)
    created_at = Instant()


class FlagDetailAnswer(FlagAnswer):
    calls = CallAnswer(many=True)


class AcknowledgeInput(Input):
    note = Text(max_length=400, allow_blank=True, required=False)


class SnoozeInput(Input):
    until_on = Day(help_text="After today; from then on it is on the worklist again.")
    note = Text(max_length=400, allow_blank=True, required=False)


class CallInput(Input):
    outcome = Word(choices=CallOutcome.choices)
    note = Text(max_length=400, allow_blank=True, required=False)
    next_on = Day(allow_null=True, required=False, help_text="Puts the flag off until then.")


FlagPage: Any = page_of(FlagAnswer)
