"""Reminders: what is to go out, what went, what did not and why; never what they say."""

from typing import Any

from rest_framework import serializers

from api.serializers.base import Answer, Instant, Word, code_of
from api.serializers.pages import page_of
from clients.models import Channel
from reminders.models import AttemptOutcome, Delivery, Reason, Reminder, ReminderState, Trigger


class ReminderAnswer(Answer):
    code = serializers.UUIDField()
    client = code_of("client")
    course = code_of("course")
    session = code_of("session")
    trigger = Word(choices=Trigger.choices, help_text="The kind of rule that wanted it.")
    channel = Word(choices=Channel.choices)
    state = Word(choices=ReminderState.choices)
    decision_reason = Word(choices=Reason.choices, allow_null=True)
    decision = serializers.SerializerMethodField(help_text="The reason in words.")
    send_at = Instant()
    expires_at = Instant()
    decided_at = Instant(allow_null=True)
    sent_at = Instant(allow_null=True)
    delivery = Word(
        choices=Delivery.choices, allow_null=True, help_text="What the provider reported afterwards."
    )
    delivered_at = Instant(allow_null=True)
    handled_at = Instant(allow_null=True)

    def get_decision(self, reminder: Reminder) -> str:
        return str(reminder.get_decision_reason_display())


class AttemptAnswer(Answer):
    number = serializers.IntegerField()
    started_at = Instant()
    finished_at = Instant(allow_null=True)
    outcome = Word(choices=AttemptOutcome.choices)
    error_code = serializers.CharField()


class ReminderDetailAnswer(ReminderAnswer):
    attempts = AttemptAnswer(many=True)


ReminderPage: Any = page_of(ReminderAnswer)
