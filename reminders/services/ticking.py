"""One tick: what time alone makes due, found by many schedulers and done by one."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q

from clients.links import remove_expired_links
from clients.models import Channel
from courses.services import offer_freed_slots, reassess_due, roll_forward_due
from reminders.models import JobState, Reminder, ReminderState, TickRun
from reminders.services.claiming import recover_journals, recover_leases
from reminders.services.digest import plan_digests
from reminders.services.earlier import tell_earlier_slots
from reminders.services.expiring import expire_stale
from reminders.services.fence import note_alive
from reminders.services.reconciling import reconcile
from reminders.services.resyncing import work_resyncs

logger = logging.getLogger(__name__)

TICK: Final = "tick"
ROLL_FORWARD: Final = "roll_forward"
RECONCILE: Final = "reconcile"
_ROLL_FORWARD_EVERY: Final = timedelta(hours=1)
_RECONCILE_EVERY: Final = timedelta(minutes=5)
_TICK_SECONDS: Final = 60
_RUNS_KEPT: Final = timedelta(days=1)
# One more sender for each this many due rows, as far as workers are likely to be there.
_ROWS_PER_SENDER: Final = 500
# Of one channel, so that a slow one cannot take all workers. Where one process does it all, its database lets in one
# writer at a time, and every channel needs a thread beside those of the tick.
SENDERS_MOST: Final = 3
SENDERS_EMBEDDED: Final = 1
# E-mail waits behind nothing but e-mail; the others share a queue whose worker has room for all their senders.
_EMAIL_QUEUE: Final = "send"
_OTHER_QUEUE: Final = "send_other"


def tick_period(now: datetime) -> timedelta:
    """Return the time from one tick to the next: a minute, or a few seconds where one process does it all."""
    return timedelta(seconds=_TICK_SECONDS if settings.IS_QUEUE_REMOTE else settings.TICK_SECONDS_EMBEDDED)


def run_tick(*, now: datetime) -> dict[str, int] | None:
    """Do one period's work and return its counts, or None when somebody else has this period.

    Takes silent claims back, expires what has outlived its use, reassesses the courses whose time has come,
    which brings their rows up to date, lets rows follow changed rules, plans the digests of staff, and offers slots that became free to those who wait. Every few minutes it compares what
    should be with what is; once an hour it books what the booking horizon has reached and clears away
    addresses that no longer work. Sending is the senders' work: see wake_senders().
    """
    if not _take_period(TICK, now, tick_period(now)):
        return None
    JobState.objects.update_or_create(
        job=TICK, defaults={"last_started_at": now}, create_defaults={"last_started_at": now}
    )
    counts = {
        # The journals first: they know of rows what a lease that ran out does not.
        "recovered": recover_journals(now=now) + recover_leases(now=now),
        # Before the courses, whose own sync would expire their rows uncounted.
        "expired": expire_stale(now=now),
        "reassessed": reassess_due(now=now),
        "resynced": work_resyncs(now=now),
        "digests": plan_digests(now=now),
        "offered": offer_freed_slots(now=now),
        "earlier": tell_earlier_slots(now=now),
    }
    if _take_period(ROLL_FORWARD, now, _ROLL_FORWARD_EVERY):
        counts["rolled_forward"] = roll_forward_due(now=now)
        counts["links_removed"] = remove_expired_links(now=now)
    if _take_period(RECONCILE, now, _RECONCILE_EVERY):
        _reconcile(now)
    note_alive(now=now)
    JobState.objects.filter(job=TICK).update(last_succeeded_at=now, last_counts=counts)
    TickRun.objects.filter(period_start__lt=now - _RUNS_KEPT).delete()
    return counts


def _reconcile(now: datetime) -> None:
    JobState.objects.update_or_create(
        job=RECONCILE, defaults={"last_started_at": now}, create_defaults={"last_started_at": now}
    )
    found = reconcile(now=now)
    JobState.objects.filter(job=RECONCILE).update(last_succeeded_at=now, last_counts=found)


def _take_period(job: str, now: datetime, every: timedelta) -> bool:
    """Tell whether a job's period at a moment is this caller's to work; one row says so, for everybody."""
    with transaction.atomic():
        _, is_mine = TickRun.objects.get_or_create(job=job, period_start=_period_start(now, every))
    return is_mine


def wake_senders(*, now: datetime, successor_of: str | None = None) -> dict[str, int]:
    """Wake for each channel as many senders as its due rows are worth; return how many, by channel.

    With `successor_of` a channel, one at most and only there: for a sender whose time is up before its work is.
    Channels are worked apart and by a few senders each, so that a slow one delays no other. A wake-up that is
    lost is harmless: the next tick finds the same rows. One that has waited until then is worth nothing.
    Cost: two queries.
    """
    woken: dict[str, int] = {}
    busy = _senders_by_channel()
    most = SENDERS_MOST if settings.IS_QUEUE_REMOTE else SENDERS_EMBEDDED
    for channel, number in sorted(_due_by_channel(now).items()):
        if successor_of not in (None, channel):
            continue
        free = most - busy.get(channel, 0)
        worth = -(-number // _ROWS_PER_SENDER) if successor_of is None else 1
        woken[channel] = max(0, min(free, worth))
        for _ in range(woken[channel]):
            transaction.on_commit(_waking(channel, now), robust=True)
    return woken


def _waking(channel: str, now: datetime) -> Callable[[], None]:
    from reminders.tasks import send_due  # noqa: PLC0415  # leaf: the task imports its service

    queue = _EMAIL_QUEUE if channel == Channel.EMAIL else _OTHER_QUEUE
    expires = tick_period(now).total_seconds()

    # Not partial(): a wake-up that fails is logged by its name, and that has none.
    def wake_sender() -> None:
        send_due.apply_async((channel,), queue=queue, expires=expires)

    return wake_sender


def _due_by_channel(now: datetime) -> dict[str, int]:
    due = Reminder.objects.filter(state=ReminderState.DUE, send_at__lte=now, expires_at__gt=now)
    due = due.filter(Q(retry_at__isnull=True) | Q(retry_at__lte=now))
    return dict(due.order_by().values_list("channel").annotate(number=Count("pk")))


def _senders_by_channel() -> dict[str, int]:
    claimed = Reminder.objects.filter(state=ReminderState.CLAIMED).order_by()
    return dict(claimed.values_list("channel").annotate(number=Count("lease_owner", distinct=True)))


def last_success() -> datetime | None:
    """Return when a tick last succeeded."""
    return JobState.objects.filter(job=TICK).values_list("last_succeeded_at", flat=True).first()


def _period_start(now: datetime, every: timedelta) -> datetime:
    seconds = int(every.total_seconds())
    return datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, tz=UTC)
