"""What clients say about a visit afterwards."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from clinics.models import Clinic, ClinicScopedQuerySet
from courses.models.session import Reaction, TreatmentSession


class ReactionReport(models.Model):
    """How a client felt after a visit, in the client's words; what staff recorded stands with the session."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="reaction_reports")
    session = models.OneToOneField(TreatmentSession, models.PROTECT, related_name="reaction_report")
    reaction = models.CharField(max_length=10, choices=Reaction)
    pain = models.PositiveSmallIntegerField(null=True, blank=True)
    note = models.CharField(max_length=400, blank=True)
    # Bruises, strong pain or words of the client's own: a person reads them.
    needs_person = models.BooleanField(default=False)
    reported_at = models.DateTimeField()
    handled_at = models.DateTimeField(null=True, blank=True)

    objects = ClinicScopedQuerySet["ReactionReport"].as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(pain__isnull=True) | Q(pain__lte=10), name="reaction_report_pain_0_to_10"
            ),
        ]
        indexes: ClassVar = [
            # What waits for a person, on the worklist.
            models.Index(
                fields=["clinic", "-reported_at"],
                condition=Q(needs_person=True, handled_at__isnull=True),
                name="reaction_report_open",
            ),
        ]

    def __str__(self) -> str:
        return f"report about session {self.session_id}"
