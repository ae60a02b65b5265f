"""Messages that have outlived their use: recorded as expired, never sent."""

from datetime import datetime

from reminders.models import Reason, Reminder, ReminderState
from reminders.services.outcomes import decided


def expire_stale(*, now: datetime) -> int:
    """Expire every due row whose use has passed, and return how many; the boundary itself has passed.

    Cost: one query over the index of due rows by expiry.
    """
    return Reminder.objects.filter(state=ReminderState.DUE, expires_at__lte=now).update(
        **decided(ReminderState.EXPIRED, Reason.STALE, now=now)
    )
