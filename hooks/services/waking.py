"""Wake-ups of the senders; one that is lost is made up for by the next tick."""

from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from hooks.models import DeliveryState, EndpointState, HookDelivery, HookEndpoint

# At once, whatever the number of endpoints: each waits for one answer at a time.
SENDERS_MOST: Final = 3
SENDERS_EMBEDDED: Final = 1
# A wake-up that has waited until the next tick is worth nothing: that one finds the same rows.
_WAKE_SECONDS: Final = 55


def callable_endpoints(*, now: datetime) -> QuerySet[HookEndpoint]:
    """Return the endpoints that have something due, are not resting, and that nobody else is at."""
    due = HookDelivery.objects.filter(endpoint=OuterRef("pk"), state=DeliveryState.WAITING, next_at__lte=now)
    return HookEndpoint.objects.filter(
        Q(lease_until=None) | Q(lease_until__lte=now),
        Q(rest_until=None) | Q(rest_until__lte=now),
        Exists(due),
        state=EndpointState.ACTIVE,
    )


def wake_senders(*, now: datetime) -> int:
    """Wake as many senders as there are endpoints to call, a few at most; return how many. Cost: one query."""
    most = SENDERS_MOST if settings.IS_QUEUE_REMOTE else SENDERS_EMBEDDED
    number = min(most, callable_endpoints(now=now).count())
    for _ in range(number):
        transaction.on_commit(_wake, robust=True)
    return number


def wake_after_commit() -> None:
    """Wake one sender when the caller's transaction commits, once however often it is asked for."""
    # In one process the next tick, seconds away, finds it: a page has no way into the worker's memory.
    if settings.IS_QUEUE_REMOTE and not any(entry[1] is _wake for entry in connection.run_on_commit):
        transaction.on_commit(_wake, robust=True)


def _wake() -> None:
    from hooks.tasks import send_due  # noqa: PLC0415  # leaf: the task imports its service

    send_due.apply_async((), expires=_WAKE_SECONDS)
