"""From what a channel answered to what becomes of the row."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from audit.services import SYSTEM, record
from clients.models import ContactPoint
from reminders.channels.base import Outcome
from reminders.models import DeliveryAttempt, Reason, Reminder, ReminderState
from reminders.services.wire import end_attempt, mark_sent

RETRY_FIRST: Final = timedelta(seconds=60)
# The first try and five more, each pause twice as long as the one before.
ATTEMPTS_MOST: Final = 6
# A mail server knows no key of ours: after a crash one more try under the same Message-ID, then a person decides.
UNCERTAIN_MOST: Final = 2

# What gives a claim back: another sender may take the row, the one that had it finds its claim void.
UNCLAIMED: Final[dict[str, Any]] = {"lease_owner": "", "lease_until": None, "on_wire_at": None}


@dataclass(frozen=True, slots=True)
class Result:
    """What a channel answered to one attempt (numbered from 1) of one claim."""

    reminder_id: int
    generation: int
    number: int
    outcome: Outcome


def settle(result: Result, *, now: datetime) -> str:
    """Record how an attempt ended and what that makes of its row; return the row's state, "" if not mine.

    Runs in the caller's transaction. A result that comes after another sender took the row is kept with the
    attempt only; one that comes after the lease ran out, but before anybody took the row, still counts.
    Cost: two statements when it was sent.
    """
    outcome = result.outcome
    end_attempt(
        reminder_id=result.reminder_id,
        number=result.number,
        outcome=outcome.kind,
        code=outcome.code,
        now=now,
    )
    if outcome.kind == "sent":
        is_mine = mark_sent(reminder_id=result.reminder_id, generation=result.generation, now=now)
        return ReminderState.SENT if is_mine else ""
    row = (
        Reminder.objects.select_for_update()
        .filter(pk=result.reminder_id, generation=result.generation, state=ReminderState.CLAIMED)
        .first()
    )
    if row is None:
        return ""
    if outcome.kind == "uncertain":
        return settle_uncertain(row, now=now)
    if outcome.kind == "transient":
        return _settle_transient(row, now=now)
    if outcome.is_address_bad:
        _disable_contact(result, now=now)
    return decide(
        row, ReminderState.FAILED, Reason.BOUNCED if outcome.is_address_bad else Reason.REFUSED, now
    )


def decide(row: Reminder, state: ReminderState, reason: Reason, now: datetime) -> str:
    """Write a final decision on a row that the caller holds."""
    Reminder.objects.filter(pk=row.pk).update(
        state=state, decision_reason=reason, decided_at=now, retry_at=None, **UNCLAIMED
    )
    return state


def settle_uncertain(row: Reminder, *, now: datetime) -> str:
    """Count one more attempt of unknown fate; try again under the same Message-ID, or leave it to a person."""
    count = row.uncertain_count + 1
    Reminder.objects.filter(pk=row.pk).update(uncertain_count=count)
    if count >= UNCERTAIN_MOST or now + RETRY_FIRST >= row.expires_at:
        return decide(row, ReminderState.UNCERTAIN, Reason.LOST_IN_FLIGHT, now)
    return _retry(row, now + RETRY_FIRST)


def retry_pause(attempt_count: int) -> timedelta:
    """Return the pause after the n-th attempt (1-based): doubling from a minute, a quarter more or less.

    Scattered, so that a server that comes back is not met by everybody at once.
    """
    scatter = random.uniform(0.75, 1.25)  # noqa: S311  # no secret
    return timedelta(seconds=RETRY_FIRST.total_seconds() * 2 ** max(0, attempt_count - 1) * scatter)


def _settle_transient(row: Reminder, *, now: datetime) -> str:
    retry_at = now + retry_pause(row.attempt_count)
    if row.attempt_count >= ATTEMPTS_MOST or retry_at >= row.expires_at:
        return decide(row, ReminderState.FAILED, Reason.GAVE_UP, now)
    return _retry(row, retry_at)


def _retry(row: Reminder, retry_at: datetime) -> str:
    Reminder.objects.filter(pk=row.pk).update(state=ReminderState.DUE, retry_at=retry_at, **UNCLAIMED)
    return ReminderState.DUE


def _disable_contact(result: Result, *, now: datetime) -> None:
    code = result.outcome.code
    attempt = DeliveryAttempt.objects.select_related("contact_point__client", "contact_point__clinic").get(
        reminder=result.reminder_id, number=result.number
    )
    contact = attempt.contact_point
    if contact is None:
        return
    disabled = ContactPoint.objects.filter(pk=contact.pk, disabled_at=None).update(
        disabled_at=now, disabled_reason=code
    )
    if disabled:
        record(
            "contact.disabled",
            at=now,
            by=SYSTEM,
            clinic_code=contact.clinic.code,
            subject_kind="client",
            subject_code=contact.client.code,
            new={"contact": str(contact.code), "reason": code},
        )
