"""The figures of a period, for the first page of reports and its file."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Count, Q, Sum

from clinics.models import Clinic
from courses.models import Course, CourseStatus, FlagKind
from courses.selectors import RUNNING
from reports.core import Share
from reports.selectors.adherence import VerdictTally, verdict_tallies
from reports.selectors.missed import Outcomes, outcomes_of
from reports.selectors.scope import Scope


@dataclass(frozen=True, slots=True)
class FindingCount:
    """How often a kind of finding began in a period, and how many of the kind are open now."""

    kind: str
    opened: int
    open_now: int


@dataclass(frozen=True, slots=True)
class PeriodFigures:
    """What a period was like. Findings: every kind that there is anything to say of, in the order of the kinds.

    attendance: attended, of attended, missed and cancelled late; on_time: of the attended sessions that were prescribed.
    """

    attendance: Share
    on_time: Share
    early: int
    late: int
    ran: int
    began: int
    findings: tuple[FindingCount, ...]


def period_figures(scope: Scope) -> PeriodFigures:
    """Return the figures of a period, of which days after today count nothing yet.

    Cost: twelve queries.
    """
    counted = _outcomes(scope)
    verdicts = sum((row.tally for row in verdict_tallies(scope)), VerdictTally())
    begin, _end = scope.instants
    started = scope.courses().filter(start_on__lte=scope.period.to_on)
    # In two: those that run and those that ended since are found by different indexes.
    ran = started.filter(status__in=RUNNING).count() + started.filter(ended_at__gte=begin).count()
    began = started.filter(start_on__gte=scope.period.from_on)
    return PeriodFigures(
        attendance=counted.attended_share,
        on_time=Share(verdicts.on_time, verdicts.judged),
        early=verdicts.early,
        late=verdicts.late,
        ran=ran,
        began=began.filter(Q(ended_at__isnull=True) | Q(ended_at__gte=begin)).count(),
        findings=tuple(_findings(scope)),
    )


def _outcomes(scope: Scope) -> Outcomes:
    kept, live = scope.counted()
    sums = kept.aggregate(
        **{status: Sum(status, default=0) for status in ("attended", "no_show", "cancelled_late")}
    )
    counts = live.values_list("status").annotate(Count("pk"))
    return sum((outcomes_of(status, count) for status, count in counts), Outcomes(**sums))


def _findings(scope: Scope) -> Iterator[FindingCount]:
    begin, end = scope.instants
    opened = dict(
        scope.flags()
        .filter(opened_at__gte=begin, opened_at__lt=end)
        .values_list("kind")
        .annotate(Count("pk"))
    )
    open_now = dict(scope.flags().filter(resolved_at=None).values_list("kind").annotate(Count("pk")))
    for kind in FlagKind.values:
        if opened.get(kind) or open_now.get(kind):
            yield FindingCount(kind, opened.get(kind, 0), open_now.get(kind, 0))


def uncounted_courses(clinic: Clinic) -> int:
    """Return how many courses from before verdicts were kept are still to be counted. Cost: one query on an index."""
    courses = Course.objects.for_clinic(clinic).filter(verdict_digest="")
    return courses.exclude(status=CourseStatus.DRAFT).count()
