"""What goes to other programs and comes from them in FHIR's words."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.serializers.base import Answer
from courses.core.fhir import ReadPrescription
from courses.validators import phase_values
from imports.fhir import refusal_words


class PhaseEndAnswer(Answer):
    phase = serializers.IntegerField(help_text="The first is 0.")
    on = serializers.DateField()


class NoteAnswer(Answer):
    path = serializers.CharField()
    says = serializers.CharField()


class ReadPrescriptionAnswer(Answer):
    """A prescription as it was read: phases as `assess` and `plan` take them."""

    start_on = serializers.DateField(allow_null=True)
    phases = serializers.SerializerMethodField()
    minutes_by_session = serializers.ListField(
        child=serializers.ListField(child=serializers.IntegerField()), help_text="One list a phase."
    )
    phases_ended = PhaseEndAnswer(many=True)
    restarts = serializers.ListField(child=serializers.DateField())
    client = serializers.CharField(
        source="client_code", help_text="As the file names one; empty where it does not."
    )
    protocol = serializers.CharField(source="protocol_code", help_text="As the file names one.")
    notes = serializers.SerializerMethodField(help_text="What was left out without harm.")

    def get_phases(self, read: ReadPrescription) -> list[dict[str, Any]]:
        return [phase_values(phase) for phase in read.phases]

    @extend_schema_field(NoteAnswer(many=True))
    def get_notes(self, read: ReadPrescription) -> list[dict[str, str]]:
        return [{"path": note.path, "says": refusal_words(note)} for note in read.notes]
