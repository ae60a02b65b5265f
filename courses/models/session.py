"""One visit: its day, its slot, and what happened."""

import uuid
from typing import ClassVar, Final

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from clients.models import Client
from clinics.models import Clinic, ClinicScopedQuerySet, Room, StaffMember
from courses.models.course import Course


class SessionStatus(models.TextChoices):
    PLANNED = "planned", _("planned")
    BOOKED = "booked", _("booked")
    CONFIRMED = "confirmed", _("confirmed")
    ARRIVED = "arrived", _("arrived")
    ATTENDED = "attended", _("attended")
    NO_SHOW = "no_show", _("no-show")
    CANCELLED_LATE = "cancelled_late", _("cancelled late")
    CANCELLED_BY_CLIENT = "cancelled_by_client", _("cancelled by the client")
    CANCELLED_BY_CLINIC = "cancelled_by_clinic", _("cancelled by the clinic")


BOOKED_STATUSES: Final = ("booked", "confirmed", "arrived")
OUTCOME_STATUSES: Final = (
    "attended",
    "no_show",
    "cancelled_late",
    "cancelled_by_client",
    "cancelled_by_clinic",
)

# What was neither moved nor called off in time: reports count it.
COUNTED_STATUSES: Final = ("attended", "no_show", "cancelled_late")
CANCELLED_STATUSES: Final = ("cancelled_late", "cancelled_by_client", "cancelled_by_clinic")


class Verdict(models.TextChoices):
    """How an attended session lay in its window."""

    ON_TIME = "on_time", _("on time")
    EARLY = "early", _("early")
    LATE = "late", _("late")


class Reminding(models.TextChoices):
    """What the client was sent ahead of the slot; blank when nothing went out."""

    SENT = "sent", _("reminded")
    HELD_OUT = "held_out", _("held out")


class Reaction(models.TextChoices):
    NONE = "none", _("none")
    REDNESS = "redness", _("redness")
    BRUISES = "bruises", _("bruises")
    PAIN = "pain", _("pain")


class TreatmentSession(models.Model):
    """One visit of a course. While it is booked, no other booking holds its practitioner, room or client then.

    PostgreSQL refuses a double booking by exclusion constraints; on SQLite the booking service checks under
    the write lock.
    """

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="sessions")
    course = models.ForeignKey(Course, models.PROTECT, related_name="sessions")
    # The course's client, here so that the database can refuse two bookings of one client at one time.
    client = models.ForeignKey(Client, models.PROTECT, related_name="sessions")
    status = models.CharField(max_length=20, choices=SessionStatus)
    # The day in the clinic's zone; for a booking the day of starts_at.
    on = models.DateField()
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    practitioner = models.ForeignKey(
        StaffMember, models.PROTECT, null=True, blank=True, related_name="sessions"
    )
    room = models.ForeignKey(Room, models.PROTECT, null=True, blank=True, related_name="sessions")
    is_pinned = models.BooleanField(default=False)
    # Why the planner chose this slot: [{"reason": "...", ...}].
    why = models.JSONField(default=list, blank=True)
    # Bumped by every move and change of status: messages about an older version are void.
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    arrived_at = models.DateTimeField(null=True, blank=True)
    outcome_at = models.DateTimeField(null=True, blank=True)
    outcome_by = models.ForeignKey(StaffMember, models.PROTECT, null=True, blank=True, related_name="+")
    cancel_reason = models.CharField(max_length=200, blank=True)
    # Why its outcome was mended; blank when it never was.
    correction_reason = models.CharField(max_length=200, blank=True)
    minutes = models.PositiveSmallIntegerField(null=True, blank=True)
    reaction = models.CharField(max_length=10, choices=Reaction, blank=True)
    pain_before = models.PositiveSmallIntegerField(null=True, blank=True)
    pain_after = models.PositiveSmallIntegerField(null=True, blank=True)
    # The day's treatments in the order given, for example ["massage", "exercise_therapy"].
    treatments = models.JSONField(default=list, blank=True)
    note = models.TextField(blank=True)

    # Copies for reports, which count a million of them; what they are copied from is the truth. The first three of an
    # attended session's gap, by every assessment; blank where it has none. The cause is Flag's, of a late one.
    verdict = models.CharField(max_length=8, choices=Verdict, blank=True)
    verdict_days = models.PositiveIntegerField(default=0)
    late_cause = models.CharField(max_length=10, blank=True)
    # Of the messages about it, once it has an outcome.
    reminding = models.CharField(max_length=8, choices=Reminding, blank=True)

    objects = ClinicScopedQuerySet["TreatmentSession"].as_manager()

    class Meta:
        ordering = ("on", "starts_at", "pk")
        constraints: ClassVar = [
            models.CheckConstraint(
                # Said twice because a comparison with nothing is unknown, which a check lets pass.
                condition=Q(starts_at__isnull=True, ends_at__isnull=True)
                | Q(starts_at__isnull=False, ends_at__isnull=False, starts_at__lt=F("ends_at")),
                name="session_slot_whole_and_in_order",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=BOOKED_STATUSES) | Q(starts_at__isnull=False),
                name="session_booking_has_slot",
            ),
            models.CheckConstraint(
                condition=Q(status__in=OUTCOME_STATUSES, outcome_at__isnull=False)
                | (~Q(status__in=OUTCOME_STATUSES) & Q(outcome_at__isnull=True)),
                name="session_outcome_with_time",
            ),
            models.CheckConstraint(condition=Q(status__in=SessionStatus.values), name="session_status_known"),
            models.CheckConstraint(
                condition=Q(pain_before__isnull=True) | Q(pain_before__lte=10),
                name="session_pain_before_0_to_10",
            ),
            models.CheckConstraint(
                condition=Q(pain_after__isnull=True) | Q(pain_after__lte=10),
                name="session_pain_after_0_to_10",
            ),
            # One session of a course a day, booked or attended.
            models.UniqueConstraint(
                fields=["course", "on"],
                condition=Q(status__in=(*BOOKED_STATUSES, "attended")),
                name="session_one_a_day",
            ),
        ]
        indexes: ClassVar = [
            # Today and the calendar: a clinic's day.
            models.Index(fields=["clinic", "on", "starts_at"], name="session_by_clinic_day"),
            # A course's sessions in order: every assessment reads them.
            models.Index(fields=["course", "on"], name="session_by_course"),
            # Is the practitioner, the room, the client free then?
            models.Index(
                fields=["practitioner", "starts_at"],
                condition=Q(status__in=BOOKED_STATUSES),
                name="session_busy_practitioner",
            ),
            models.Index(
                fields=["room", "starts_at"],
                condition=Q(status__in=BOOKED_STATUSES),
                name="session_busy_room",
            ),
            models.Index(
                fields=["client", "starts_at"],
                condition=Q(status__in=BOOKED_STATUSES),
                name="session_busy_client",
            ),
            # Sessions planned by date that the booking horizon has reached.
            models.Index(fields=["on"], condition=Q(status="planned"), name="session_planned_by_day"),
            # Bookings of past days without an outcome.
            models.Index(
                fields=["clinic", "on"], condition=Q(status__in=BOOKED_STATUSES), name="session_unrecorded"
            ),
        ]

    def __str__(self) -> str:
        return f"session on {self.on}"

    @property
    def is_booked(self) -> bool:
        return self.status in BOOKED_STATUSES

    @property
    def has_outcome(self) -> bool:
        return self.status in OUTCOME_STATUSES
