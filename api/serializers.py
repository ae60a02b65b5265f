"""What the operations of the API answer."""

from rest_framework import serializers


class OfClinicSerializer(serializers.Serializer):  # type: ignore[type-arg]
    code = serializers.UUIDField()
    name = serializers.CharField()
    time_zone = serializers.CharField()
    language = serializers.CharField()


class OfTokenSerializer(serializers.Serializer):  # type: ignore[type-arg]
    name = serializers.CharField()
    scopes = serializers.ListField(child=serializers.CharField())
    expires_at = serializers.DateTimeField()


class ClinicAnswer(serializers.Serializer):  # type: ignore[type-arg]
    clinic = OfClinicSerializer()
    token = OfTokenSerializer()
