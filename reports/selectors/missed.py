"""When sessions are missed: weekdays and hours of the clinic's clock."""

from collections import defaultdict
from dataclasses import dataclass

from django.db.models import Count, Sum
from django.db.models.functions import ExtractHour, ExtractIsoWeekDay

from courses.convert import zone_of
from courses.models import HourTally, SessionStatus
from reports.core import Share
from reports.selectors.scope import Scope


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How many booked sessions were attended, missed without a word, and called off too late."""

    attended: int = 0
    no_show: int = 0
    cancelled_late: int = 0

    def __add__(self, other: "Outcomes") -> "Outcomes":
        return Outcomes(
            self.attended + other.attended,
            self.no_show + other.no_show,
            self.cancelled_late + other.cancelled_late,
        )

    @property
    def whole(self) -> int:
        return self.attended + self.no_show + self.cancelled_late

    @property
    def no_show_share(self) -> Share:
        return Share(self.no_show, self.whole)

    @property
    def attended_share(self) -> Share:
        return Share(self.attended, self.whole)


def outcomes_of(status: str, count: int) -> Outcomes:
    """Return the outcomes of so many sessions with a status."""
    return Outcomes(**{SessionStatus(status).value: count})


def missed_by_hour(scope: Scope) -> dict[tuple[int, int], Outcomes]:
    """Return the outcomes by ISO weekday and hour of the clinic's clock at which the session was to begin.

    Walk-ins, who were never booked, and sessions whose day was corrected have no hour and are not among them.
    Cost: three queries.
    """
    found: defaultdict[tuple[int, int], Outcomes] = defaultdict(Outcomes)
    kept, live = scope.counted(HourTally)
    counts = kept.annotate(weekday=ExtractIsoWeekDay("on")).values_list("weekday", "hour")
    for weekday, hour, *sums in counts.annotate(Sum("attended"), Sum("no_show"), Sum("cancelled_late")):
        found[weekday, hour] += Outcomes(*sums)
    rows = (
        live.filter(starts_at__isnull=False)
        .annotate(
            weekday=ExtractIsoWeekDay("on"), hour=ExtractHour("starts_at", tzinfo=zone_of(scope.clinic))
        )
        .values_list("weekday", "hour", "status")
        .annotate(Count("pk"))
    )
    for weekday, hour, status, count in rows:
        found[weekday, hour] += outcomes_of(status, count)
    return dict(found)
