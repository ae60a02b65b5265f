"""What keeps booked sessions from taking place, where each of them is to go instead, and what became of it."""

import uuid
from datetime import date
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from clinics.models import BackgroundJob, Clinic, ClinicScopedQuerySet, Room, StaffMember
from courses.models.course import Course
from courses.models.session import TreatmentSession


class DisruptionStatus(models.TextChoices):
    PLANNING = "planning", _("being planned")
    PLANNED = "planned", _("planned")
    APPLYING = "applying", _("being applied")
    APPLIED = "applied", _("applied")
    UNDOING = "undoing", _("being taken back")
    UNDONE = "undone", _("taken back")


# Nothing is under way any more; the others wait for a person or a job.
ENDED_DISRUPTIONS = (DisruptionStatus.APPLIED, DisruptionStatus.UNDONE)


class MoveChoice(models.TextChoices):
    MOVE = "move", _("Take the time proposed")
    LEAVE = "leave", _("Leave it")
    CANCEL = "cancel", _("Cancel it")


class MoveOutcome(models.TextChoices):
    MOVED = "moved", _("moved")
    LEFT = "left", _("left")
    CANCELLED = "cancelled", _("cancelled")
    REFUSED = "refused", _("not moved")


class UndoOutcome(models.TextChoices):
    BACK = "back", _("back where it was")
    KEPT = "kept", _("not taken back")


class Disruption(models.Model):
    """An absence of a practitioner or, without one, a closure of the clinic, with all sessions that it hits."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="disruptions")
    practitioner = models.ForeignKey(
        StaffMember, models.PROTECT, null=True, blank=True, related_name="disruptions"
    )
    from_on = models.DateField()
    to_on = models.DateField()
    # Goes to the absence or the closure.
    reason = models.CharField(max_length=120, blank=True)
    status = models.CharField(max_length=10, choices=DisruptionStatus, default=DisruptionStatus.PLANNING)
    # The clinic's, as it was planned with; once applied, as that left it.
    calendar_version = models.PositiveIntegerField()
    # Whether the absence or the closure itself stands in the calendar.
    is_recorded = models.BooleanField(default=False)
    # The absence or the closure that applying it entered; none where the calendar had it before.
    entry_code = models.UUIDField(null=True, blank=True)
    # What plans it, then what applies it, then what takes it back.
    job = models.ForeignKey(BackgroundJob, models.PROTECT, null=True, blank=True, related_name="+")
    created_by = models.ForeignKey(StaffMember, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = ClinicScopedQuerySet["Disruption"].as_manager()

    class Meta:
        ordering = ("-created_at", "-pk")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(from_on__lte=F("to_on")), name="disruption_not_upside_down"),
            models.CheckConstraint(
                condition=Q(status__in=DisruptionStatus.values), name="disruption_status_known"
            ),
            models.CheckConstraint(
                condition=Q(status__in=ENDED_DISRUPTIONS, ended_at__isnull=False)
                | (~Q(status__in=ENDED_DISRUPTIONS) & Q(ended_at__isnull=True)),
                name="disruption_ended_with_time",
            ),
        ]
        indexes: ClassVar = [
            # The list of recent ones.
            models.Index(fields=["clinic", "-created_at"], name="disruption_by_clinic"),
        ]

    def __str__(self) -> str:
        return f"{self.from_on} to {self.to_on}"

    @property
    def days(self) -> tuple[date, date]:
        """The first day and the last, both included."""
        return self.from_on, self.to_on


class DisruptedSession(models.Model):
    """One session that is hit, or makes room: where it was, where it is to go, what was chosen, what came of it."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="+")
    disruption = models.ForeignKey(Disruption, models.PROTECT, related_name="sessions")
    course = models.ForeignKey(Course, models.PROTECT, related_name="+")
    session = models.ForeignKey(TreatmentSession, models.PROTECT, related_name="+")
    # Sessions of one course stand together, the most urgent course first; planned and applied in this order.
    position = models.PositiveIntegerField()
    # Else it only makes room: without it the others of its course would come late or too early.
    is_hit = models.BooleanField(default=True)
    # Where it was booked.
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    practitioner = models.ForeignKey(StaffMember, models.PROTECT, null=True, blank=True, related_name="+")
    room = models.ForeignKey(Room, models.PROTECT, null=True, blank=True, related_name="+")
    # What else it was when it was planned: {"status": ..., "confirmed_at": ..., "version": ..., "why": [...]}; and
    # once moved "gave_way": the reasons of the date without a slot whose day it took, if it took one.
    before = models.JSONField(default=dict)
    # What the course drifts into if the session just falls out: [{"kind": ..., "severity": ..., "days": ...}].
    drift = models.JSONField(default=list)
    # The course's version that the proposal was made for; nothing before it was planned.
    course_version = models.PositiveIntegerField(null=True, blank=True)
    # The slot proposed; none where no slot was found, with the reasons in `why` or a code in `refusal`.
    new_starts_at = models.DateTimeField(null=True, blank=True)
    new_ends_at = models.DateTimeField(null=True, blank=True)
    new_practitioner = models.ForeignKey(StaffMember, models.PROTECT, null=True, blank=True, related_name="+")
    new_room = models.ForeignKey(Room, models.PROTECT, null=True, blank=True, related_name="+")
    days_outside = models.PositiveSmallIntegerField(default=0)
    why = models.JSONField(default=list)
    choice = models.CharField(max_length=10, choices=MoveChoice, default=MoveChoice.MOVE)
    outcome = models.CharField(max_length=10, choices=MoveOutcome, blank=True)
    # What came of taking it back; blank while nobody did.
    undone = models.CharField(max_length=10, choices=UndoOutcome, blank=True)
    # Why no slot was found, why the session was not moved or not taken back: the word of a refusal.
    refusal = models.CharField(max_length=40, blank=True)

    objects = ClinicScopedQuerySet["DisruptedSession"].as_manager()

    class Meta:
        ordering = ("position",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["disruption", "session"], name="disrupted_session_once"),
            models.UniqueConstraint(fields=["disruption", "position"], name="disrupted_session_in_order"),
            models.CheckConstraint(
                # Said twice because a comparison with nothing is unknown, which a check lets pass.
                condition=Q(new_starts_at__isnull=True, new_ends_at__isnull=True)
                | Q(
                    new_starts_at__isnull=False,
                    new_ends_at__isnull=False,
                    new_starts_at__lt=F("new_ends_at"),
                ),
                name="disrupted_session_slot_whole",
            ),
            models.CheckConstraint(
                condition=Q(choice__in=MoveChoice.values), name="disrupted_session_choice_known"
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=["", *MoveOutcome.values]), name="disrupted_session_outcome_known"
            ),
            models.CheckConstraint(
                condition=Q(undone__in=["", *UndoOutcome.values]), name="disrupted_session_undo_known"
            ),
        ]

    def __str__(self) -> str:
        return f"session {self.position} of a disruption"

    @property
    def has_slot(self) -> bool:
        return self.new_starts_at is not None
