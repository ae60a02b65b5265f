"""How far the courses that began in a period have come."""

from django.db.models import Case, Count, Q, Value, When

from courses.models import CourseStatus, DriftState
from reports.core import Fate
from reports.selectors.scope import Scope


def course_fates(scope: Scope) -> list[Fate]:
    """Return the fates of the courses that began in the period, up to today.

    Dropped are those that were discontinued, and those that have lapsed and run on paper only.
    Cost: one query.
    """
    gone = Q(status=CourseStatus.DISCONTINUED) | (
        Q(state=DriftState.LAPSED) & ~Q(status=CourseStatus.COMPLETED)
    )
    period = scope.period.until(scope.today)
    if period is None:
        return []
    begun = scope.courses().filter(start_on__range=(period.from_on, period.to_on))
    rows = (
        begun.annotate(is_gone=Case(When(gone, then=Value(1)), default=Value(0)))
        .values_list("attended_count", "is_gone")
        .annotate(Count("pk"))
    )
    return [Fate(sessions, bool(is_gone), count) for sessions, is_gone, count in rows]
