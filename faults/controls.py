"""Senders that are wrong on purpose: each leaves out one guard, so that a run can show that the guard does the work.

Nothing of the application imports this package; a test sees to that. Each takes the run's clock, sends a batch of what
it finds due and returns how many messages it handed over.
"""

from __future__ import annotations

import os
import smtplib
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F

from clients.models import ContactPoint
from faults.clock import RunClock
from reminders.models import Reminder, ReminderState

_BATCH: Final = 20
_LEASE: Final = timedelta(seconds=60)


def without_claim(clock: RunClock) -> int:
    """Read what is due and send it: every sender that reads at the same time sends all of it."""
    rows = list(_due(clock())[:_BATCH])
    for row in rows:
        _hand_over([row])
        _mark_sent([row.pk], clock())
    return len(rows)


def marked_before(clock: RunClock) -> int:
    """Mark a row as sent and then send it: what dies in between is lost without a trace."""
    with transaction.atomic():
        rows = list(_locked(_due(clock()))[:_BATCH])
        _mark_sent([row.pk for row in rows], clock())
    _hand_over(rows)
    return len(rows)


def results_after_batch(clock: RunClock) -> int:
    """Claim, send the batch, mark it at the end: a crash forgets all that was sent of it."""
    rows = _claim(clock())
    _hand_over(rows)
    _mark_sent([row.pk for row in rows], clock())
    return len(rows)


def without_fence(clock: RunClock) -> int:
    """Claim and send row by row, never asking whether the claim still holds: a paused sender goes on as if it did."""
    rows = _claim(clock())
    for row in rows:
        _hand_over([row])
        _mark_sent([row.pk], clock())
    return len(rows)


def without_expiry(clock: RunClock) -> int:
    """Send whatever is due, however late."""
    rows = list(
        Reminder.objects.filter(state=ReminderState.DUE, send_at__lte=clock()).order_by("pk")[:_BATCH]
    )
    for row in rows:
        _hand_over([row])
        _mark_sent([row.pk], clock())
    return len(rows)


def without_second_look(clock: RunClock) -> int:
    """Claim a batch and send it as it was when it was claimed: what has been cancelled since goes all the same."""
    return without_fence(clock)


CONTROLS: Final[dict[str, Callable[[RunClock], int]]] = {
    "claim off": without_claim,
    "marked before": marked_before,
    "results after the batch": results_after_batch,
    "fence off": without_fence,
    "expiry off": without_expiry,
    "second look off": without_second_look,
}


def _due(now: datetime) -> Any:
    return Reminder.objects.filter(state=ReminderState.DUE, send_at__lte=now, expires_at__gt=now).order_by(
        "send_at", "pk"
    )


def _locked(rows: Any) -> Any:
    if connection.features.has_select_for_update_skip_locked:
        return rows.select_for_update(skip_locked=True)
    return rows


def _claim(now: datetime) -> list[Reminder]:
    with transaction.atomic():
        Reminder.objects.filter(state=ReminderState.CLAIMED, lease_until__lte=now).update(
            state=ReminderState.DUE, lease_owner="", lease_until=None
        )
        rows = list(_locked(_due(now))[:_BATCH])
        Reminder.objects.filter(pk__in=[row.pk for row in rows]).update(
            state=ReminderState.CLAIMED,
            lease_owner=f"naive:{os.getpid()}",
            lease_until=now + _LEASE,
            generation=F("generation") + 1,
        )
    return rows


def _mark_sent(ids: Iterable[int], now: datetime) -> None:
    Reminder.objects.filter(pk__in=ids).update(
        state=ReminderState.SENT, sent_at=now, decided_at=now, lease_owner="", lease_until=None
    )


def _hand_over(rows: Iterable[Reminder]) -> None:
    """Send over one plain connection, each message under its row's code."""
    with smtplib.SMTP(settings.EMAIL_HOST, settings.EMAIL_PORT, timeout=15) as server:
        for row in rows:
            to = ContactPoint.objects.get(client=row.client_id, channel="email").value
            message = EmailMessage()
            message["Message-ID"], message["To"] = f"<{row.code}@naive>", to
            message["From"], message["Subject"] = "clinic@example.com", "Your visit"
            message.set_content("See you soon.")
            server.send_message(message)
