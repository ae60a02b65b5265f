"""Claims: a sender takes due rows for a while, under a generation that makes every older claim void."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final

from django.db import connection, transaction

from reminders.models import AttemptOutcome, DeliveryAttempt, Reminder, ReminderState
from reminders.services.journal import Remains, dead_journals
from reminders.services.outcomes import UNCLAIMED, Result, settle, settle_uncertain
from reminders.services.wire import LEASE, Claim

# What is due to one client within this time goes with what is due now.
TOGETHER: Final = timedelta(hours=1)

# A client's later message waits for the earlier one, so that two senders never write to one client at once.
# OFFSET has PostgreSQL look that up for each row: as a join it compares all due rows with each other when its
# statistics are from a time at which few were due, and takes seconds for some thousands.
_LEADS: Final = """
    SELECT r.id, r.client_id, r.channel FROM reminders_reminder r
    WHERE r.state = 'due' AND r.send_at <= %(now)s AND r.expires_at > %(now)s
        AND (r.retry_at IS NULL OR r.retry_at <= %(now)s)
        AND r.channel IN ({channels})
        AND NOT EXISTS (
            SELECT 1 FROM reminders_reminder e
            WHERE e.client_id = r.client_id AND e.channel = r.channel AND e.state IN ('due', 'claimed')
                AND (e.send_at, e.id) < (r.send_at, r.id) AND e.expires_at > %(now)s
                AND (e.retry_at IS NULL OR e.retry_at <= %(now)s)
            LIMIT 1 OFFSET 0)
    ORDER BY r.send_at, r.id
    LIMIT %(limit)s
    {lock}
"""
# What waits on purpose, for further changes or for a correction, is not hurried.
_MATES: Final = """
    SELECT r.id FROM reminders_reminder r
    WHERE r.client_id IN ({clients}) AND r.channel IN ({channels}) AND r.state = 'due'
        AND r.expires_at > %(now)s AND (r.retry_at IS NULL OR r.retry_at <= %(now)s)
        AND (r.send_at <= %(now)s
            OR (r.send_at <= %(soon)s AND r.trigger NOT IN ('schedule', 'change', 'missed_session', 'after_session')))
    {lock}
"""
_CLAIM: Final = """
    UPDATE reminders_reminder
    SET state = 'claimed', lease_owner = %(owner)s, lease_until = %(until)s, generation = generation + 1
    WHERE id IN ({ids}) AND state = 'due'
    RETURNING id, generation, client_id, channel, send_at
"""


def claim_due(
    *, owner: str, now: datetime, limit: int, channels: Collection[str] | None = None
) -> list[list[Claim]]:
    """Take up to `limit` messages that are due, oldest first, and that nobody else works on.

    Each is a list of rows: the one that is due, then those to the same client over the same channel that
    come due within the hour and can go along. Rows are found by range: their time has come and their use
    has not passed. On PostgreSQL rows that another sender is just taking are skipped; SQLite lets one in at
    a time.
    Cost: three queries.
    """
    names = sorted(_all_channels() if channels is None else channels)
    if not names or limit < 1:
        return []
    instant = connection.ops.adapt_datetimefield_value
    values: dict[str, Any] = {
        "now": instant(now),
        "soon": instant(now + TOGETHER),
        "until": instant(now + LEASE),
        "owner": owner,
        "limit": limit,
        **{f"channel{number}": name for number, name in enumerate(names)},
    }
    lock = "FOR UPDATE OF r SKIP LOCKED" if connection.features.has_select_for_update_skip_locked else ""
    listed = ", ".join(f"%(channel{number})s" for number in range(len(names)))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LEADS.format(channels=listed, lock=lock), values)
        leads = cursor.fetchall()
        if not leads:
            return []
        ids = {row[0] for row in leads}
        clients = {row[1] for row in leads if row[1] is not None}
        if clients:
            cursor.execute(_MATES.format(channels=listed, clients=_listed(clients), lock=lock), values)
            ids |= {row[0] for row in cursor.fetchall()}
        cursor.execute(_CLAIM.format(ids=_listed(ids)), values)
        return _grouped(cursor.fetchall(), {row[0] for row in leads})


def _all_channels() -> list[str]:
    return [name for name, _ in Reminder._meta.get_field("channel").flatchoices]


def _listed(ids: Collection[int]) -> str:
    # Numbers out of the database itself.
    return ", ".join(str(int(pk)) for pk in sorted(ids))


def _grouped(rows: Iterable[tuple[Any, ...]], leads: set[int]) -> list[list[Claim]]:
    """Return claimed rows by message, the leading row first, the messages in the order of their times."""

    def recipient(row: tuple[Any, ...]) -> tuple[Any, ...]:
        pk, _, client_id, channel, _ = row
        return (client_id, channel) if client_id is not None else (0, str(pk))

    groups = []
    for _, members in groupby(sorted(rows, key=lambda row: (recipient(row), row[4], row[0])), key=recipient):
        group = sorted(members, key=lambda row: (row[0] not in leads, row[4], row[0]))
        groups.append((group[0][4], group[0][0], [Claim(row[0], row[1]) for row in group]))
    return [claims for _, _, claims in sorted(groups, key=lambda group: group[:2])]


def release(claims: Iterable[Claim], *, retry_at: datetime | None = None) -> None:
    """Give claims back at once, so that another sender need not wait for their lease."""
    for claim in claims:
        Reminder.objects.filter(
            pk=claim.reminder_id, generation=claim.generation, state=ReminderState.CLAIMED, on_wire_at=None
        ).update(state=ReminderState.DUE, retry_at=retry_at, **UNCLAIMED)


# ---------------------------------------------------------------- after a sender is gone


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
        _close_in_doubt(row, now=now)
        return 1


def _close_in_doubt(row: Reminder, *, now: datetime) -> None:
    DeliveryAttempt.objects.filter(reminder=row, outcome=AttemptOutcome.SENDING).update(
        outcome=AttemptOutcome.UNCERTAIN, finished_at=now, error_code="sender-lost"
    )
    settle_uncertain(row, now=now)


def recover_journals(*, now: datetime) -> int:
    """Put in order what dead senders of this host left behind, without waiting for their leases.

    Their journals tell what was sent and what was never begun; in doubt is only what was on the wire in the
    very moment. Returns how many rows it concerned.
    """
    found = 0
    for remains in dead_journals():
        with transaction.atomic():
            found += _recover_remains(remains, now=now)
    return found


def _recover_remains(remains: Remains, *, now: datetime) -> int:
    held = {
        (row.pk, row.generation): row
        for row in Reminder.objects.select_for_update().filter(
            lease_owner=remains.owner, state=ReminderState.CLAIMED
        )
    }
    # Also of rows whose lease has run out since: until somebody takes them, what was sent is still known.
    settle([Result(tuple(entries), outcome) for entries, outcome in remains.ended], now=now)
    ended = {entry[:2] for entries, _ in remains.ended for entry in entries}
    begun = {entry[:2] for entries in remains.begun for entry in entries}
    for key, row in held.items():
        if key in ended:
            continue
        if key in begun:
            _close_in_doubt(row, now=now)
        else:
            _never_begun(row)
    return len(held)


def _never_begun(row: Reminder) -> None:
    if row.on_wire_at is not None:
        DeliveryAttempt.objects.filter(reminder=row, outcome=AttemptOutcome.SENDING).delete()
        row.attempt_count -= 1
    Reminder.objects.filter(pk=row.pk).update(
        state=ReminderState.DUE, attempt_count=row.attempt_count, **UNCLAIMED
    )
