"""The one statement that decides: a message goes on the wire only if all that was seen still holds.

Written in SQL, the same for both databases: this is the hottest write there is, and building it anew for each
message costs several times what the database takes to run it.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection

from reminders.channels.base import Message

# Longer than one send may take: the socket's limit is 15 s, and each row renews it.
LEASE: Final = timedelta(seconds=60)
# A claim with less left than one send may take is no longer worth starting.
SEND_TIMEOUT: Final = timedelta(seconds=20)

# The fence, and the last look: my claim, its lease, its use; the course, rule, client, address and consent as they
# were seen. Every change of a course bumps its version, and cancels or moves the row itself.
_PUT: Final = """
    UPDATE reminders_reminder
    SET on_wire_at = %s, lease_until = %s, attempt_count = %s, message_id = %s, told = %s
    WHERE id = %s AND generation = %s AND state = 'claimed' AND on_wire_at IS NULL
        AND lease_until > %s AND expires_at > %s
        AND EXISTS (SELECT 1 FROM courses_course WHERE id = %s AND version = %s)
        AND EXISTS (SELECT 1 FROM reminders_reminderrule WHERE id = %s AND version = %s AND is_active)
        AND EXISTS (SELECT 1 FROM clients_client WHERE id = %s AND erased_at IS NULL)
        AND EXISTS (SELECT 1 FROM clients_contactpoint WHERE id = %s AND disabled_at IS NULL)
        AND EXISTS (
            SELECT 1 FROM clients_consent WHERE client_id = %s AND channel = %s AND withdrawn_at IS NULL
        )
"""
_BEGIN: Final = """
    INSERT INTO reminders_deliveryattempt
        (clinic_id, reminder_id, number, generation, contact_point_id, started_at, outcome, error_code, provider_id)
    VALUES (%s, %s, %s, %s, %s, %s, 'sending', '', '')
"""
_END: Final = """
    UPDATE reminders_deliveryattempt SET outcome = %s, finished_at = %s, error_code = %s
    WHERE reminder_id = %s AND number = %s
"""
# A result that comes after the lease ran out still counts while nobody else has taken the row.
_SENT: Final = """
    UPDATE reminders_reminder
    SET state = 'sent', sent_at = %s, decided_at = %s, decision_reason = '', retry_at = NULL,
        lease_owner = '', lease_until = NULL, on_wire_at = NULL
    WHERE id = %s AND generation = %s AND state IN ('claimed', 'due', 'uncertain')
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """One row taken by one sender; the generation tells it from every earlier and later claim."""

    reminder_id: int
    generation: int


@dataclass(frozen=True, slots=True)
class Ready:
    """A message that may go, with its row as it was seen."""

    claim: Claim
    row: Any
    contact_id: int
    message: Message
    told: list[list[str]]


def put_on_wire(ready: Ready, *, now: datetime) -> bool:
    """Begin an attempt if all that was seen still holds; runs in the caller's transaction.

    Cost: two statements.
    """
    row, claim, at = ready.row, ready.claim, _instant(now)
    with connection.cursor() as cursor:
        cursor.execute(
            _PUT,
            [
                *(
                    at,
                    _instant(now + LEASE),
                    row.attempt_count + 1,
                    ready.message.key,
                    json.dumps(ready.told),
                ),
                *(claim.reminder_id, claim.generation, _instant(now + SEND_TIMEOUT), at),
                *(row.course_id, row.course.version, row.rule_id, row.rule.version),
                *(row.client_id, ready.contact_id, row.client_id, row.channel),
            ],
        )
        if cursor.rowcount != 1:
            return False
        cursor.execute(
            _BEGIN,
            [row.clinic_id, row.pk, row.attempt_count + 1, claim.generation, ready.contact_id, at],
        )
    return True


def end_attempt(*, reminder_id: int, number: int, outcome: str, code: str, now: datetime) -> None:
    """Record how an attempt ended."""
    with connection.cursor() as cursor:
        cursor.execute(_END, [outcome, _instant(now), code[:40], reminder_id, number])


def mark_sent(*, reminder_id: int, generation: int, now: datetime) -> bool:
    """Mark a row as sent unless another sender has taken it since."""
    with connection.cursor() as cursor:
        cursor.execute(_SENT, [_instant(now), _instant(now), reminder_id, generation])
        return bool(cursor.rowcount == 1)


def _instant(at: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(at)
