"""Findings that began in a period, by kind and cause, and how long they stood."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db.models import Count
from django.db.models.functions import TruncDate

from courses.convert import zone_of
from reports.core import median_of
from reports.selectors.scope import Scope


@dataclass(slots=True)
class DriftTally:
    """So many findings; `resolved_days`: how many of them were resolved after so many days of the clinic's calendar."""

    opened: int = 0
    resolved_days: Counter[int] = field(default_factory=Counter)

    def add(self, count: int, days: int | None) -> None:
        """Count some more; days: None while they stand."""
        self.opened += count
        if days is not None:
            self.resolved_days[days] += count

    @property
    def resolved(self) -> int:
        return self.resolved_days.total()

    @property
    def still_open(self) -> int:
        return self.opened - self.resolved

    @property
    def median_days(self) -> float | None:
        return median_of(self.resolved_days)


@dataclass(slots=True)
class Drift:
    """The findings of a period in all, by kind, by kind and cause, and how often each way of resolving them."""

    all: DriftTally
    by_kind: dict[str, DriftTally]
    by_cause: dict[tuple[str, str], DriftTally]
    by_reason: Counter[str]


def drift_of(scope: Scope) -> Drift:
    """Return the findings that began in the period. Cost: one query."""
    found = Drift(DriftTally(), {}, {}, Counter())
    for kind, cause, reason, days, count in _rows(scope):
        found.all.add(count, days)
        found.by_kind.setdefault(kind, DriftTally()).add(count, days)
        found.by_cause.setdefault((kind, cause), DriftTally()).add(count, days)
        if reason:
            found.by_reason[reason] += count
    return found


def _rows(scope: Scope) -> Iterator[tuple[str, str, str, int | None, int]]:
    begin, end = scope.instants
    zone = zone_of(scope.clinic)
    rows = (
        scope.flags()
        .filter(opened_at__gte=begin, opened_at__lt=end)
        .annotate(
            opened_on=TruncDate("opened_at", tzinfo=zone), resolved_on=TruncDate("resolved_at", tzinfo=zone)
        )
        .values_list("kind", "cause", "resolved_reason", "opened_on", "resolved_on")
        .annotate(Count("pk"))
    )
    for kind, cause, reason, opened_on, resolved_on, count in rows:
        yield kind, cause, reason, (resolved_on - opened_on).days if resolved_on else None, count
