"""The breaker of each way out: after several failures in a row it is left alone, then tried by one sender first."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db.models import F

from reminders.channels.base import Outcome, Way
from reminders.models import ChannelHealth

# So many failures in a row mean that the way out is down, not the message.
FAILURES_MOST: Final = 5
_FIRST_PAUSE: Final = timedelta(seconds=30)
_LONGEST_PAUSE: Final = timedelta(minutes=10)
# How long the one sender that tries again has for it before another may.
_PROBE: Final = timedelta(seconds=45)


class Breakers:
    """What one sender knows of the ways out it uses: which are failing, and how often in a row."""

    def __init__(self) -> None:
        self._failing: dict[str, int] = {}
        self.closed_until: dict[str, datetime] = {}

    def admit(self, scopes: Iterable[str], *, now: datetime) -> None:
        """Look up the ways out; of one whose pause is over, one sender is let through to try.

        Afterwards `closed_until` holds those to be left alone, and until when.
        Cost: one query, and one for each whose pause is over.
        """
        wanted = set(scopes)
        self.closed_until = {}
        self._failing = dict.fromkeys(wanted, 0)
        for health in ChannelHealth.objects.filter(scope__in=wanted, failure_count__gt=0):
            self._failing[health.scope] = health.failure_count
            if health.open_until is None:
                continue
            if health.open_until > now or not self._take_probe(health, now=now):
                self.closed_until[health.scope] = max(health.open_until, now + _PROBE)

    def is_failing(self, scope: str) -> bool:
        """Tell whether the last answer known of a way out was a failure: then it is tried one by one."""
        return self._failing.get(scope, 0) > 0

    def note(self, way: Way, outcome: Outcome, *, clinic_id: int, now: datetime) -> None:
        """Take an answer into account; runs in the caller's transaction.

        A refusal of one message says that the way out works; that one recipient is put off says nothing.
        Cost: none while all is well, else a statement or two.
        """
        if outcome.kind in ("sent", "permanent"):
            if self.is_failing(way.scope):
                self._failing[way.scope] = 0
                ChannelHealth.objects.filter(scope=way.scope).update(
                    failure_count=0, open_until=None, last_succeeded_at=now
                )
            return
        if outcome.is_about_recipient:
            return
        self._note_failure(way, outcome, clinic_id=clinic_id, now=now)

    def _note_failure(self, way: Way, outcome: Outcome, *, clinic_id: int, now: datetime) -> None:
        is_own = way.scope.partition(":")[1] != ""
        health, _ = ChannelHealth.objects.get_or_create(
            scope=way.scope, defaults={"clinic_id": clinic_id if is_own else None}
        )
        count = health.failure_count + 1
        self._failing[way.scope] = count
        values = {"last_error_code": outcome.code[:40], "last_failed_at": now}
        if outcome.retry_after is not None:
            values["open_until"] = now + timedelta(seconds=outcome.retry_after)
        elif count >= FAILURES_MOST:
            values["open_until"] = now + _pause(count)
        ChannelHealth.objects.filter(pk=health.pk).update(failure_count=F("failure_count") + 1, **values)

    def _take_probe(self, health: ChannelHealth, *, now: datetime) -> bool:
        mine = ChannelHealth.objects.filter(pk=health.pk, open_until=health.open_until)
        return bool(mine.update(open_until=now + _PROBE))


def _pause(count: int) -> timedelta:
    doubled: timedelta = _FIRST_PAUSE * 2 ** min(10, count - FAILURES_MOST)
    return min(_LONGEST_PAUSE, doubled)
