"""The clinic, its people and its rooms."""

from rest_framework import serializers

from api.serializers.base import Answer, Instant
from api.serializers.pages import page_of


class OfClinic(Answer):
    code = serializers.UUIDField()
    name = serializers.CharField()
    time_zone = serializers.CharField(help_text="In which its days begin and end.")
    language = serializers.CharField()


class OfToken(Answer):
    name = serializers.CharField()
    scopes = serializers.ListField(child=serializers.CharField())
    expires_at = Instant()


class ClinicAnswer(Answer):
    clinic = OfClinic()
    token = OfToken()


class PractitionerAnswer(Answer):
    code = serializers.UUIDField()
    display_name = serializers.CharField()


class RoomAnswer(Answer):
    code = serializers.UUIDField()
    name = serializers.CharField()


PractitionerPage = page_of(PractitionerAnswer)
RoomPage = page_of(RoomAnswer)
