"""How the parts fare without which nothing goes out; about nobody, and without numbers."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import redis
from django.conf import settings
from django.db import DatabaseError
from django.db.models import Q
from redis.backoff import NoBackoff
from redis.retry import Retry

from clinics.clock import database_now
from reminders.models import (
    ChannelHealth,
    DeliveryAttempt,
    Installation,
    JobState,
    Reminder,
    ReminderState,
)
from reminders.services.fence import ROW, doubt, is_held
from reminders.services.jumps import CLOCK, is_jumping
from reminders.services.outside import read_marks
from reminders.services.ticking import RECONCILE, TICK, tick_period

logger = logging.getLogger(__name__)

OK: Final = "ok"
UNKNOWN: Final = "unknown"
# After this many missed ticks it is red.
_TICKS_MISSED: Final = 3
# A message this late, with nothing being sent, means that the senders are gone.
_SENT_WITHIN: Final = timedelta(minutes=10)
_FIRST_TICK_WITHIN: Final = timedelta(minutes=5)
# The reconciler runs every five minutes.
_RECONCILED_WITHIN: Final = timedelta(minutes=15)
# A broker that does not answer must not keep the page from answering.
_BROKER_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Part:
    """One part and its answer: "ok", or what is wrong with it in a word or two."""

    name: str
    answer: str
    is_red: bool


def check_parts() -> list[Part]:
    """Return how each part fares, the database first; without it the others that need it are unknown.

    Cost: ten queries, and a second at most where the queue's server does not answer.
    """
    try:
        now = database_now()
        is_held()
    except DatabaseError:
        logger.exception("The database does not answer.")
        return [
            Part("database", "unreachable", True),
            *(Part(name, UNKNOWN, True) for name in _CHECKS),
            *_broker(),
        ]
    parts = [Part("database", OK, False)]
    for name, check in _CHECKS.items():
        answer = check(now)
        parts.append(Part(name, answer, answer != OK))
    return [*parts, *_broker(), _check_channels(now)]


def find_trouble(*, now: datetime, up_for: timedelta) -> str:
    """Return why nobody should rely on messages going out: "held", "late", "jumping", or "".

    `up_for` is how long whoever asks has been up: what was all started together gets the time for its first tick.
    Cost: two queries and the reading of a small file.
    """
    marks = read_marks()
    row = Installation.objects.filter(pk=ROW).first()
    if row is None:
        return ""
    if doubt(row, marks):
        return "held"
    jobs = {job.job: job for job in JobState.objects.filter(job__in=(TICK, CLOCK))}
    if TICK not in jobs or jobs[TICK].last_succeeded_at is None:
        # A new installation gets a while for its first tick.
        return "late" if now - row.seen_at > _FIRST_TICK_WITHIN else ""
    answer = _judge_tick(jobs, now)
    if answer == "late" and up_for <= _TICKS_MISSED * tick_period(now):
        return ""
    return "" if answer == OK else answer


def _judge_tick(jobs: dict[str, JobState], now: datetime) -> str:
    succeeded_at = jobs[TICK].last_succeeded_at if TICK in jobs else None
    if succeeded_at is None:
        return "never"
    if is_jumping(jobs, now=now):
        return "jumping"
    return OK if now - succeeded_at <= _TICKS_MISSED * tick_period(now) else "late"


def _check_tick(now: datetime) -> str:
    return _judge_tick({job.job: job for job in JobState.objects.filter(job__in=(TICK, CLOCK))}, now)


def _check_outbox(_: datetime) -> str:
    return "held" if is_held() else OK


def _check_senders(now: datetime) -> str:
    """Tell whether messages wait although nothing is on its way; those of a channel that is down may."""
    late = now - _SENT_WITHIN
    waiting = Reminder.objects.filter(state=ReminderState.DUE, send_at__lt=late, expires_at__gt=now)
    waiting = waiting.filter(Q(retry_at__isnull=True) | Q(retry_at__lt=late))
    if not waiting.exclude(channel__in=_kinds(_open_scopes(now))).exists():
        return OK
    newest = DeliveryAttempt.objects.order_by("-pk").values_list("started_at", flat=True).first()
    return OK if newest is not None and newest > late else "stuck"


def _check_reconciler(now: datetime) -> str:
    job = JobState.objects.filter(job=RECONCILE).first()
    if job is None or job.last_succeeded_at is None:
        return "never"
    return OK if now - job.last_succeeded_at <= _RECONCILED_WITHIN else "late"


def _check_channels(now: datetime) -> Part:
    """Name the kinds of channels that are left alone; red only when everybody's is among them."""
    scopes = _open_scopes(now)
    answer = f"open: {', '.join(_kinds(scopes))}" if scopes else OK
    return Part("channels", answer, any(":" not in scope for scope in scopes))


def _open_scopes(now: datetime) -> list[str]:
    return list(ChannelHealth.objects.filter(open_until__gt=now).values_list("scope", flat=True))


def _kinds(scopes: list[str]) -> list[str]:
    return sorted({scope.partition(":")[0] for scope in scopes})


def _broker() -> list[Part]:
    """Return how the queue's server fares; nothing where the queue is in the process itself."""
    if not settings.IS_QUEUE_REMOTE:
        return []
    try:
        with redis.Redis.from_url(
            settings.REDIS_URL,
            socket_timeout=_BROKER_SECONDS,
            socket_connect_timeout=_BROKER_SECONDS,
            retry=Retry(NoBackoff(), 0),
        ) as server:
            server.ping()
    except (redis.RedisError, OSError):
        logger.warning("The queue's server does not answer.")
        return [Part("broker", "unreachable", True)]
    return [Part("broker", OK, False)]


_CHECKS: Final[dict[str, Callable[[datetime], str]]] = {
    "tick": _check_tick,
    "outbox": _check_outbox,
    "senders": _check_senders,
    "reconciler": _check_reconciler,
}
