"""What is kept of calls, and for how long."""

from datetime import datetime, timedelta
from typing import Final

from hooks.models import DeliveryState, HookDelivery

KEPT: Final = timedelta(days=30)
# What waits longer, at a paused endpoint, tells nobody anything new.
WAITS: Final = timedelta(days=7)
_AT_ONCE: Final = 5000


def tidy_deliveries(*, now: datetime) -> int:
    """Give up the calls that have waited for a week, and forget those that ended a month ago; return how many.

    Cost: three statements, each for a few thousand rows at most.
    """
    waiting = HookDelivery.objects.filter(state=DeliveryState.WAITING, occurred_at__lt=now - WAITS)
    stale = list(waiting.order_by("pk").values_list("pk", flat=True)[:_AT_ONCE])
    HookDelivery.objects.filter(pk__in=stale, state=DeliveryState.WAITING).update(
        state=DeliveryState.FAILED, next_at=None, ended_at=now
    )
    old = HookDelivery.objects.filter(ended_at__lt=now - KEPT).order_by("ended_at")
    ids = list(old.values_list("pk", flat=True)[:_AT_ONCE])
    return HookDelivery.objects.filter(pk__in=ids).delete()[0] if ids else 0
