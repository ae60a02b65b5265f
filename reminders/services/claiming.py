"""Claims: a sender takes due rows for a while, under a generation that makes every older claim void."""

from collections.abc import Iterable
from datetime import datetime

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet

from reminders.models import AttemptOutcome, DeliveryAttempt, Reminder, ReminderState
from reminders.services.outcomes import UNCLAIMED, settle_uncertain
from reminders.services.wire import LEASE, Claim


def claim_due(*, owner: str, now: datetime, limit: int, without: frozenset[str] = frozenset()) -> list[Claim]:
    """Take up to `limit` due rows, oldest first, that nobody else works on; none of the channels `without`.

    Rows are found by range: their time has come and their use has not passed. On PostgreSQL rows that
    another sender is just taking are skipped; elsewhere each is taken by compare-and-set.
    Cost: two queries on PostgreSQL, else one and one for each row.
    """
    with transaction.atomic():
        due = (
            Reminder.objects.filter(state=ReminderState.DUE, send_at__lte=now, expires_at__gt=now)
            .filter(Q(retry_at__isnull=True) | Q(retry_at__lte=now))
            .exclude(channel__in=without)
            .order_by("send_at", "pk")
        )
        if connection.features.has_select_for_update_skip_locked:
            return _claim_locked(due, owner=owner, now=now, limit=limit)
        return _claim_each(due, owner=owner, now=now, limit=limit)


def _claim_locked(due: QuerySet[Reminder], *, owner: str, now: datetime, limit: int) -> list[Claim]:
    rows = list(due.select_for_update(skip_locked=True).values_list("pk", "generation")[:limit])
    Reminder.objects.filter(pk__in=[pk for pk, _ in rows]).update(
        state=ReminderState.CLAIMED,
        lease_owner=owner,
        lease_until=now + LEASE,
        generation=F("generation") + 1,
    )
    return [Claim(pk, generation + 1) for pk, generation in rows]


def _claim_each(due: QuerySet[Reminder], *, owner: str, now: datetime, limit: int) -> list[Claim]:
    claims = []
    for pk, generation in list(due.values_list("pk", "generation")[:limit]):
        taken = Reminder.objects.filter(pk=pk, state=ReminderState.DUE, generation=generation).update(
            state=ReminderState.CLAIMED,
            lease_owner=owner,
            lease_until=now + LEASE,
            generation=generation + 1,
        )
        if taken:
            claims.append(Claim(pk, generation + 1))
    return claims


def release(claims: Iterable[Claim], *, retry_at: datetime | None = None) -> None:
    """Give claims back at once, so that another sender need not wait for their lease."""
    for claim in claims:
        Reminder.objects.filter(
            pk=claim.reminder_id, generation=claim.generation, state=ReminderState.CLAIMED, on_wire_at=None
        ).update(state=ReminderState.DUE, retry_at=retry_at, **UNCLAIMED)


def recover_leases(*, now: datetime, limit: int = 500) -> int:
    """Take back the rows whose sender went silent, and return how many.

    A row that was not on the wire is simply due again. Of one that was, nobody knows whether it arrived:
    its attempt is closed as uncertain, and the channel's policy decides about another try.
    Cost: one query to find them, then a few for each.
    """
    silent = Reminder.objects.filter(state=ReminderState.CLAIMED, lease_until__lte=now).order_by(
        "lease_until"
    )
    return sum(
        _recover(pk, generation, now)
        for pk, generation in list(silent.values_list("pk", "generation")[:limit])
    )


def _recover(pk: int, generation: int, now: datetime) -> int:
    with transaction.atomic():
        mine = Reminder.objects.filter(
            pk=pk, generation=generation, state=ReminderState.CLAIMED, lease_until__lte=now
        )
        if mine.filter(on_wire_at=None).update(state=ReminderState.DUE, **UNCLAIMED):
            return 1
        row = mine.select_for_update().first()
        if row is None:
            return 0
        DeliveryAttempt.objects.filter(reminder=row, outcome=AttemptOutcome.SENDING).update(
            outcome=AttemptOutcome.UNCERTAIN, finished_at=now, error_code="sender-lost"
        )
        settle_uncertain(row, now=now)
        return 1
