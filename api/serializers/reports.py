"""The figures of a period."""

from rest_framework import serializers

from api.serializers.base import Answer, Word
from courses.models import FlagKind


class ShareAnswer(Answer):
    """So many of so many."""

    part = serializers.IntegerField()
    whole = serializers.IntegerField()
    rate = serializers.FloatField(allow_null=True)


class FindingCountAnswer(Answer):
    kind = Word(choices=FlagKind.choices)
    opened = serializers.IntegerField(help_text="Began in the period.")
    open_now = serializers.IntegerField()


class FiguresAnswer(Answer):
    from_on = serializers.DateField()
    to_on = serializers.DateField()
    attendance = ShareAnswer(help_text="Attended, of attended, missed and cancelled late.")
    on_time = ShareAnswer(help_text="Inside their windows, of the attended sessions that were prescribed.")
    early = serializers.IntegerField()
    late = serializers.IntegerField()
    ran = serializers.IntegerField(help_text="Courses that ran in the period.")
    began = serializers.IntegerField(help_text="Courses that began in it.")
    findings = FindingCountAnswer(many=True)
