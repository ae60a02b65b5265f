"""The clock's own record: which periods were worked, and whether this database may send at all."""

from typing import ClassVar

from django.db import models
from django.db.models import Q


class TickRun(models.Model):
    """One period of one periodic job: whoever inserts the row does the work, everybody else leaves."""

    job = models.CharField(max_length=40)
    period_start = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["job", "period_start"], name="tick_once_a_period"),
        ]

    def __str__(self) -> str:
        return f"{self.job} at {self.period_start:%Y-%m-%d %H:%M:%S}"


class JobState(models.Model):
    """When a periodic job last started and last succeeded, for the health page."""

    job = models.CharField(max_length=40, unique=True)
    last_started_at = models.DateTimeField()
    last_succeeded_at = models.DateTimeField(null=True, blank=True)
    last_counts = models.JSONField(default=dict)

    def __str__(self) -> str:
        return self.job


class Installation(models.Model):
    """The one row that ties this database to the installation it sends for.

    Epoch and beat are also kept in a file outside the database: a restored copy is behind that file, and then
    nothing is sent until a person has said what is to happen with the messages of the time in between.
    """

    epoch = models.CharField(max_length=64)
    # Counts the ticks; a counter, because clocks may go back and databases may not.
    beat = models.PositiveBigIntegerField(default=0)
    # The last moment at which this database is known to have been the sending one.
    seen_at = models.DateTimeField()
    held_at = models.DateTimeField(null=True, blank=True)
    held_reason = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(pk=1), name="installation_one_row"),
            models.CheckConstraint(
                condition=Q(held_at__isnull=True, held_reason="")
                | (Q(held_at__isnull=False) & ~Q(held_reason="")),
                name="installation_held_with_reason",
            ),
        ]

    def __str__(self) -> str:
        return "installation"
