"""What a report is about: a clinic, a period, perhaps one protocol or one practitioner."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from clinics.models import Clinic, StaffMember
from courses.convert import local_midnight
from courses.models import (
    COUNTED_STATUSES,
    Course,
    CourseStatus,
    DayTally,
    Flag,
    Protocol,
    StaleDay,
    TreatmentSession,
)
from courses.services import keeps_tallies
from reports.core import Period


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose figures of which days; a page and its files ask with the same one.

    Every version of a protocol counts. A session belongs to whom it was booked with or who gave it; a course to the
    practitioner whom its client wishes.
    """

    clinic: Clinic
    period: Period
    today: date
    protocol: Protocol | None = None
    practitioner: StaffMember | None = None
    # How many weeks a forecast looks ahead, this one included.
    weeks: int = 12

    @property
    def before(self) -> "Scope":
        """The same of the period before."""
        return replace(self, period=self.period.before)

    def sessions(self) -> QuerySet[TreatmentSession]:
        """Return the sessions of the period's days, in no order."""
        found = TreatmentSession.objects.for_clinic(self.clinic).filter(
            on__range=(self.period.from_on, self.period.to_on)
        )
        if self.protocol:
            found = found.filter(course__protocol__slug=self.protocol.slug)
        if self.practitioner:
            found = found.filter(practitioner=self.practitioner)
        return found.order_by()

    def outcomes(self) -> QuerySet[TreatmentSession]:
        """Return the sessions that were attended or missed, up to today; what was called off in time is neither."""
        return self.sessions().filter(status__in=COUNTED_STATUSES, on__lte=self.today)

    def counted(self, tallies: type[Any] = DayTally) -> tuple[QuerySet[Any], QuerySet[TreatmentSession]]:
        """Return the same as tallies of whole days, and as sessions of those days that have none that are right.

        What is counted of both together is what outcomes() has. Cost: one query, for the days.
        """
        if not keeps_tallies():
            return tallies.objects.none(), self.outcomes()
        # Read once and first: a day that is counted anew meanwhile must not be left out of both.
        marked = StaleDay.objects.for_clinic(self.clinic).filter(
            on__range=(self.period.from_on, self.period.to_on)
        )
        days = list(marked.order_by("on").values_list("on", flat=True).distinct())
        kept = tallies.objects.for_clinic(self.clinic).filter(
            on__range=(self.period.from_on, min(self.period.to_on, self.today))
        )
        if self.protocol:
            kept = kept.filter(protocol__slug=self.protocol.slug)
        if self.practitioner:
            kept = kept.filter(practitioner=self.practitioner)
        return kept.exclude(on__in=days).order_by(), self.outcomes().filter(on__in=days)

    def courses(self) -> QuerySet[Course]:
        """Return the clinic's courses past the draft, of any time, in no order."""
        found = Course.objects.for_clinic(self.clinic).exclude(status=CourseStatus.DRAFT)
        if self.protocol:
            found = found.filter(protocol__slug=self.protocol.slug)
        if self.practitioner:
            found = found.filter(practitioner=self.practitioner)
        return found.order_by()

    def flags(self) -> QuerySet[Flag]:
        """Return the clinic's flags of any time, in no order."""
        found = Flag.objects.for_clinic(self.clinic)
        if self.protocol:
            found = found.filter(course__protocol__slug=self.protocol.slug)
        if self.practitioner:
            found = found.filter(course__practitioner=self.practitioner)
        return found.order_by()

    @property
    def instants(self) -> tuple[datetime, datetime]:
        """The half-open range of instants that the period's days are in the clinic."""
        end = self.period.to_on + timedelta(days=1)
        return local_midnight(self.clinic, self.period.from_on), local_midnight(self.clinic, end)
