"""How attended sessions lay in their windows."""

from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, fields
from datetime import date
from typing import TypeVar

from django.db.models import Count, Sum
from django.db.models.functions import TruncMonth

from courses.models import SessionStatus, Verdict
from reports.core import Share
from reports.selectors.scope import Scope

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class VerdictTally:
    """How many attended sessions were on time, early and late, and by how many days in all."""

    on_time: int = 0
    early: int = 0
    late: int = 0
    early_days: int = 0
    late_days: int = 0

    def __add__(self, other: "VerdictTally") -> "VerdictTally":
        return VerdictTally(
            *(getattr(self, field.name) + getattr(other, field.name) for field in fields(VerdictTally))
        )

    @property
    def judged(self) -> int:
        """How many had a window: not those beyond the prescription."""
        return self.on_time + self.early + self.late

    @property
    def on_time_share(self) -> Share:
        return Share(self.on_time, self.judged)


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """The tally of one protocol (row id), practitioner (row id, or None) and month (its first day)."""

    protocol: int
    practitioner: int | None
    month: date
    tally: VerdictTally


def verdict_tallies(scope: Scope) -> list[VerdictRow]:
    """Return the verdicts of the sessions attended in the period, in no order. Cost: three queries."""
    kept, live = scope.counted()
    days = (
        kept.annotate(month=TruncMonth("on"))
        .values_list("protocol", "practitioner", "month")
        .annotate(*(Sum(field.name) for field in fields(VerdictTally)))
    )
    judged = live.filter(status=SessionStatus.ATTENDED).exclude(verdict="")
    rows = (
        judged.annotate(month=TruncMonth("on"))
        .values_list("course__protocol", "practitioner", "month", "verdict")
        .annotate(Count("pk"), Sum("verdict_days"))
    )
    return [
        *(
            VerdictRow(protocol, practitioner, month, VerdictTally(*counts))
            for protocol, practitioner, month, *counts in days
        ),
        *(
            VerdictRow(protocol, practitioner, month, _tally(verdict, count, days_late))
            for protocol, practitioner, month, verdict, count, days_late in rows
        ),
    ]


def _tally(verdict: str, count: int, days: int) -> VerdictTally:
    if verdict == Verdict.ON_TIME:
        return VerdictTally(on_time=count)
    if verdict == Verdict.EARLY:
        return VerdictTally(early=count, early_days=days)
    return VerdictTally(late=count, late_days=days)


def by_key(rows: Iterable[tuple[K, VerdictTally]]) -> dict[K, VerdictTally]:
    """Return the tallies of each key, added up."""
    found: defaultdict[K, VerdictTally] = defaultdict(VerdictTally)
    for key, tally in rows:
        found[key] += tally
    return dict(found)
