"""From what a channel answered to what becomes of the row."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Case, Q, Value, When

from audit.services import SYSTEM, record
from clients.models import ContactPoint
from reminders.channels.base import Outcome, UncertainPolicy
from reminders.channels.registry import find_ways
from reminders.convert import load_client_facts
from reminders.models import DeliveryAttempt, Reason, Reminder, ReminderState
from reminders.services.journal import Entry
from reminders.services.wire import Claim, Ended, end_attempts, mark_sent

RETRY_FIRST: Final = timedelta(seconds=60)
# The first try and five more, each pause twice as long as the one before.
ATTEMPTS_MOST: Final = 6
# How many attempts of unknown fate there may be before a person decides. A mail server knows no key of ours: one
# more try under the same Message-ID. A receiver that drops copies may be asked as often as any other failure.
_TRIES: Final[dict[UncertainPolicy, int]] = {"park": 1, "retry_once": 2, "retry": ATTEMPTS_MOST}

# What gives a claim back: another sender may take the row, the one that had it finds its claim void.
UNCLAIMED: Final[dict[str, Any]] = {"lease_owner": "", "lease_until": None, "on_wire_at": None}


@dataclass(frozen=True, slots=True)
class Result:
    """What a channel answered to one message: its rows as a journal has them, the leading one first."""

    entries: tuple[Entry, ...]
    outcome: Outcome


def settle(results: Sequence[Result], *, now: datetime) -> Counter[str]:
    """Record how messages ended and what that makes of their rows; return how many rows are in which state.

    Runs in the caller's transaction. A result that comes after another sender took the row is kept with the
    attempt only, and counts as ""; one that comes after the lease ran out, but before anybody took the row,
    still counts.
    Cost: two statements for all that were sent, a few for each row that was not.
    """
    end_attempts(
        [
            Ended(pk, number, result.outcome.kind, result.outcome.code, result.outcome.provider_id)
            for result in results
            for pk, _, number, _ in result.entries
        ],
        now=now,
    )
    sent = [
        (Claim(pk, generation), lead)
        for result in results
        if result.outcome.kind == "sent"
        for pk, generation, _, lead in result.entries
    ]
    marked = mark_sent(sent, now=now)
    counts = Counter({ReminderState.SENT.value: len(marked), "": len(sent) - len(marked)})
    for result in results:
        if result.outcome.kind != "sent":
            for pk, generation, number, _ in result.entries:
                counts[_settle_unsent(pk, generation, number, result.outcome, now)] += 1
    return +counts


def _settle_unsent(pk: int, generation: int, number: int, outcome: Outcome, now: datetime) -> str:
    row = (
        Reminder.objects.select_for_update()
        .filter(pk=pk, generation=generation, state=ReminderState.CLAIMED)
        .first()
    )
    if row is None:
        return ""
    if outcome.kind == "uncertain":
        return settle_uncertain(row, now=now)
    if outcome.kind == "transient":
        return _settle_transient(row, outcome, now=now)
    if outcome.is_address_bad:
        _disable_contact(pk, number, outcome.code, now=now)
    return _fail(row, Reason.BOUNCED if outcome.is_address_bad else Reason.REFUSED, now=now)


def _fail(row: Reminder, reason: Reason, *, now: datetime) -> str:
    state = decide(row, ReminderState.FAILED, reason, now)
    if state == ReminderState.FAILED:
        # Not of one that may have arrived: over another channel it would be a second copy.
        fall_back(row, now=now)
    return state


def fall_back(row: Reminder, *, now: datetime) -> Reminder | None:
    """Make a message for the next channel on which the client can be reached, after one that cannot be delivered.

    Returns None when there is no such channel or no time left: then it is for staff to see.
    Cost: a handful of queries.
    """
    if now >= row.expires_at or row.client is None:
        return None
    reachable = load_client_facts(row.client, row.clinic).reachable
    channels = list(row.rule.channels)
    further = channels[channels.index(row.channel) + 1 :] if row.channel in channels else []
    channel = next((name for name in further if name in reachable), None)
    if channel is None:
        return None
    key = {
        "rule_id": row.rule_id,
        "subject_key": row.subject_key,
        "subject_revision": row.subject_revision,
        "channel": channel,
        "occurrence": row.occurrence,
    }
    values = {
        "rule_version": row.rule_version,
        "about": row.about,
        "send_at": now,
        "expires_at": row.expires_at,
        "fallback_for": row,
    }
    made = Reminder(
        clinic_id=row.clinic_id,
        client_id=row.client_id,
        course_id=row.course_id,
        session_id=row.session_id,
        trigger=row.trigger,
        created_at=now,
        **key,
        **values,
    )
    # Another sender may have come to the same end.
    Reminder.objects.bulk_create([made], ignore_conflicts=True)
    # Or the message stood on that channel before, and was called off when this one became the better.
    Reminder.objects.filter(**key, state=ReminderState.CANCELLED).update(
        state=ReminderState.DUE, decision_reason="", decided_at=None, retry_at=None, **values
    )
    return Reminder.objects.filter(**key).first()


def decided(state: str, reason: str, *, now: datetime) -> dict[str, Any]:
    """Return the columns of a final decision, for an update.

    Of a row that may have arrived nobody can say that it expired, failed or was called off: however it ends
    short of being sent, it is uncertain.
    """
    is_in_doubt = Q(uncertain_count__gt=0)
    return {
        "state": Case(When(is_in_doubt, then=Value(ReminderState.UNCERTAIN)), default=Value(state)),
        "decision_reason": Case(When(is_in_doubt, then=Value(Reason.LOST_IN_FLIGHT)), default=Value(reason)),
        "decided_at": now,
        "retry_at": None,
        **UNCLAIMED,
    }


def decide(row: Reminder, state: ReminderState, reason: Reason, now: datetime) -> str:
    """Write a final decision on a row that the caller holds."""
    Reminder.objects.filter(pk=row.pk).update(**decided(state, reason, now=now))
    return ReminderState.UNCERTAIN if row.uncertain_count else state


def settle_uncertain(row: Reminder, *, now: datetime) -> str:
    """Count one more attempt of unknown fate; try again where that is harmless, or leave it to a person."""
    count = row.uncertain_count + 1
    Reminder.objects.filter(pk=row.pk).update(uncertain_count=count)
    most = _TRIES[_policy_of(row)]
    if count >= most or row.attempt_count >= ATTEMPTS_MOST or now + RETRY_FIRST >= row.expires_at:
        return decide(row, ReminderState.UNCERTAIN, Reason.LOST_IN_FLIGHT, now)
    return _retry(row, now + RETRY_FIRST)


def _policy_of(row: Reminder) -> UncertainPolicy:
    pair = (row.clinic_id, row.channel)
    way = find_ways([pair]).get(pair)
    # Without a way out there is nobody to ask, and nobody to send it again.
    return "park" if way is None else way.policy


def retry_pause(attempt_count: int) -> timedelta:
    """Return the pause after the n-th attempt (1-based): doubling from a minute, a quarter more or less.

    Scattered, so that a server that comes back is not met by everybody at once.
    """
    scatter = random.uniform(0.75, 1.25)  # noqa: S311  # no secret
    return timedelta(seconds=RETRY_FIRST.total_seconds() * 2 ** max(0, attempt_count - 1) * scatter)


def _settle_transient(row: Reminder, outcome: Outcome, *, now: datetime) -> str:
    retry_at = now + retry_pause(row.attempt_count)
    if outcome.retry_after is not None:
        # Asked to be left alone for so long: not a second earlier, and not all at once.
        retry_at = max(retry_at, now + timedelta(seconds=outcome.retry_after * random.uniform(1.0, 1.25)))  # noqa: S311  # no secret
    if row.attempt_count >= ATTEMPTS_MOST or retry_at >= row.expires_at:
        return _fail(row, Reason.GAVE_UP, now=now)
    return _retry(row, retry_at)


def _retry(row: Reminder, retry_at: datetime) -> str:
    Reminder.objects.filter(pk=row.pk).update(state=ReminderState.DUE, retry_at=retry_at, **UNCLAIMED)
    return ReminderState.DUE


def _disable_contact(pk: int, number: int, code: str, *, now: datetime) -> None:
    attempt = DeliveryAttempt.objects.select_related("contact_point__client", "contact_point__clinic").get(
        reminder=pk, number=number
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
