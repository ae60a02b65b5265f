"""Who came, by what they were sent and answered beforehand."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Final

from django.db.models import BooleanField, Count, ExpressionWrapper, Q, Sum

from courses.models import Reminding
from reports.core import Difference, Share, difference_between
from reports.selectors.missed import Outcomes, outcomes_of
from reports.selectors.scope import Scope

GROUPS: Final = ("confirmed", "reminded", "not_reminded", "held_out")


@dataclass(frozen=True, slots=True)
class ReminderEffect:
    """Outcomes of the booked sessions by GROUPS; then those reminded and those held out, confirmed or not.

    A session is in the first group that fits: confirmed, reminded, held out, else not reminded.
    """

    groups: dict[str, Outcomes]
    reminded: Outcomes
    held_out: Outcomes

    @property
    def difference(self) -> Difference | None:
        """By how much more came of those reminded than of those held out; None where there is no such group."""
        return difference_between(self.reminded.attended_share, self.held_out.attended_share)

    @property
    def all(self) -> Share:
        return sum(self.groups.values(), Outcomes()).attended_share


def reminder_effect(scope: Scope) -> ReminderEffect:
    """Return who came of the period's booked sessions by what was sent beforehand. Cost: three queries."""
    kept, live = scope.counted()
    confirmed = ExpressionWrapper(Q(confirmed_at__isnull=False), output_field=BooleanField())
    rows = (
        live.filter(starts_at__isnull=False)
        .annotate(is_confirmed=confirmed)
        .values_list("is_confirmed", "reminding", "status")
        .annotate(Count("pk"))
    )
    groups: defaultdict[str, Outcomes] = defaultdict(Outcomes)
    by_sending: defaultdict[str, Outcomes] = defaultdict(Outcomes)
    counts = [
        (is_confirmed, reminding, Outcomes(attended - walked_in, no_show, cancelled_late))
        for is_confirmed, reminding, attended, walked_in, no_show, cancelled_late in kept.values_list(
            "is_confirmed", "reminding"
        ).annotate(Sum("attended"), Sum("walked_in"), Sum("no_show"), Sum("cancelled_late"))
    ]
    counts += [
        (is_confirmed, reminding, outcomes_of(status, count))
        for is_confirmed, reminding, status, count in rows
    ]
    for is_confirmed, reminding, outcomes in counts:
        groups[_group(bool(is_confirmed), reminding)] += outcomes
        by_sending[reminding] += outcomes
    return ReminderEffect(
        groups={name: groups[name] for name in GROUPS},
        reminded=by_sending[Reminding.SENT],
        held_out=by_sending[Reminding.HELD_OUT],
    )


def _group(is_confirmed: bool, reminding: str) -> str:
    if is_confirmed:
        return "confirmed"
    return {Reminding.SENT.value: "reminded", Reminding.HELD_OUT.value: "held_out"}.get(
        reminding, "not_reminded"
    )
