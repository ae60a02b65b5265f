"""Sessions counted by the day, so that a report of a year reads some thousand rows instead of hundreds of thousands.

All of it follows from the sessions and can be made anew at any time. On PostgreSQL a trigger marks the days of which
something that is counted has changed, in the transaction that changes it; a marked day is counted from its sessions
until its tallies are made again. On SQLite nothing is kept and every day is counted from its sessions.
"""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from clinics.models import Clinic, ClinicScopedQuerySet, StaffMember
from courses.models.protocol import Protocol
from courses.models.session import Reminding


class DayTally(models.Model):
    """The sessions of a day that were attended, missed or cancelled late, of one protocol, practitioner and sending."""

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="+", db_index=False)
    on = models.DateField()
    protocol = models.ForeignKey(Protocol, models.PROTECT, related_name="+", db_index=False)
    practitioner = models.ForeignKey(
        StaffMember, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    is_confirmed = models.BooleanField()
    reminding = models.CharField(max_length=8, choices=Reminding, blank=True)
    # The first three with a booked time or without; of the attended ones, those that had none.
    attended = models.PositiveIntegerField()
    no_show = models.PositiveIntegerField()
    cancelled_late = models.PositiveIntegerField()
    walked_in = models.PositiveIntegerField()
    on_time = models.PositiveIntegerField()
    early = models.PositiveIntegerField()
    late = models.PositiveIntegerField()
    early_days = models.PositiveIntegerField()
    late_days = models.PositiveIntegerField()
    # Of slots, and of those attended; of walk-ins what was noted.
    held_minutes = models.PositiveIntegerField()
    attended_minutes = models.PositiveIntegerField()

    objects = ClinicScopedQuerySet["DayTally"].as_manager()

    class Meta:
        indexes: ClassVar = [
            # A clinic's days of a period, for every report.
            models.Index(fields=["clinic", "on"], name="tally_by_clinic_day"),
        ]

    def __str__(self) -> str:
        return f"sessions on {self.on}"


class HourTally(models.Model):
    """The sessions of a day with a booked time, by the hour of the clinic's clock at which they were to begin."""

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="+", db_index=False)
    on = models.DateField()
    hour = models.PositiveSmallIntegerField()
    protocol = models.ForeignKey(Protocol, models.PROTECT, related_name="+", db_index=False)
    practitioner = models.ForeignKey(
        StaffMember, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    attended = models.PositiveIntegerField()
    no_show = models.PositiveIntegerField()
    cancelled_late = models.PositiveIntegerField()

    objects = ClinicScopedQuerySet["HourTally"].as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(hour__lte=23), name="hour_tally_of_a_day"),
        ]
        indexes: ClassVar = [
            # A clinic's days of a period, for the map of missed sessions.
            models.Index(fields=["clinic", "on"], name="hour_tally_by_clinic_day"),
        ]

    def __str__(self) -> str:
        return f"sessions on {self.on} at {self.hour}"


class StaleDay(models.Model):
    """A mark: the tallies of this day are not those of its sessions. There may be many of one day; one is enough."""

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="+", db_index=False)
    on = models.DateField()

    objects = ClinicScopedQuerySet["StaleDay"].as_manager()

    class Meta:
        indexes: ClassVar = [
            # Whether a day is marked; which days wait.
            models.Index(fields=["clinic", "on"], name="stale_day_by_clinic"),
        ]

    def __str__(self) -> str:
        return f"{self.on} to count"
