"""Protocols, and what was prescribed from them."""

from typing import Any

from rest_framework import serializers

from api.serializers.base import Answer, Instant, Word
from api.serializers.pages import page_of
from courses.models import ContraindicationStrength, PhaseKind, Protocol


class PhaseAnswer(Answer):
    """A stretch of a course with one cadence."""

    kind = Word(choices=PhaseKind.choices)
    frequency = serializers.IntegerField(help_text="So many sessions in each period.")
    period_min = serializers.IntegerField(help_text="Days.")
    period_max = serializers.IntegerField(help_text="Days.")
    rest_days = serializers.IntegerField(help_text="From one session to the next at least.")
    flex_days = serializers.IntegerField(help_text="By which the period gives on both sides.")
    sessions_min = serializers.IntegerField(allow_null=True)
    sessions_max = serializers.IntegerField(allow_null=True)
    duration_days = serializers.IntegerField(allow_null=True)
    grace_days = serializers.IntegerField()
    lapse_days = serializers.IntegerField()
    minutes_min = serializers.IntegerField(allow_null=True)
    minutes_max = serializers.IntegerField(allow_null=True)
    minutes_by_session = serializers.ListField(child=serializers.IntegerField())


class PrescribedPhaseAnswer(PhaseAnswer):
    target = serializers.IntegerField(
        allow_null=True, help_text="What the prescriber decided within the range."
    )


class ConditionAnswer(Answer):
    condition = serializers.CharField()
    strength = Word(choices=ContraindicationStrength.choices)
    name_en = serializers.CharField()
    name_ru = serializers.CharField()


class ProtocolAnswer(Answer):
    code = serializers.UUIDField()
    slug = serializers.CharField(help_text="The same in all versions.")
    version = serializers.IntegerField()
    is_current = serializers.BooleanField()
    name_en = serializers.CharField()
    name_ru = serializers.CharField()
    modality = serializers.CharField()
    retired_at = Instant(allow_null=True)
    phases = PhaseAnswer(many=True)


class ProtocolDetailAnswer(ProtocolAnswer):
    summary_en = serializers.CharField()
    summary_ru = serializers.CharField()
    preparation_en = serializers.CharField()
    preparation_ru = serializers.CharField()
    same_day_order = serializers.ListField(child=serializers.CharField())
    contraindications = ConditionAnswer(many=True)


class OfProtocol(Answer):
    code = serializers.UUIDField()
    slug = serializers.CharField()
    version = serializers.IntegerField()
    name = serializers.SerializerMethodField()

    def get_name(self, protocol: Protocol) -> str:
        return protocol.name_en


ProtocolPage: Any = page_of(ProtocolAnswer)
