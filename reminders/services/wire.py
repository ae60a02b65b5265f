"""The statements that decide: a message goes on the wire only if all that was seen still holds.

Written in SQL, the same for both databases, and for several rows at once: these are the hottest writes there are,
a commit is the dearest part of each, and building them anew from a queryset costs more than running them.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection

from clients.links import NewLink
from reminders.channels.base import Message, Way

# Longer than one send may take: the socket's limit is 15 s, and each row renews it.
LEASE: Final = timedelta(seconds=60)
# A claim with less left than one send may take is no longer worth starting.
SEND_TIMEOUT: Final = timedelta(seconds=20)

# The fence, and the last look: my claim, its lease, its use; the course, rule, recipient, address and consent as they
# were seen. Every change of a course bumps its version, and cancels or moves the row itself.
# Values: row, generation, attempt, course's version, rule's version, contact (0 for none), Message-ID.
_PUT: Final = """
    UPDATE reminders_reminder AS r
    SET on_wire_at = %s, lease_until = %s, attempt_count = v.column3, message_id = v.column7
    FROM (VALUES {rows}) AS v
    WHERE r.id = v.column1 AND r.generation = v.column2 AND r.state = 'claimed' AND r.on_wire_at IS NULL
        AND r.lease_until > %s AND r.expires_at > %s
        AND (r.course_id IS NULL
            OR EXISTS (SELECT 1 FROM courses_course c WHERE c.id = r.course_id AND c.version = v.column4))
        AND EXISTS (
            SELECT 1 FROM reminders_reminderrule u WHERE u.id = r.rule_id AND u.version = v.column5 AND u.is_active)
        AND CASE WHEN r.client_id IS NULL
            THEN EXISTS (SELECT 1 FROM clinics_staffmember s WHERE s.id = r.staff_member_id AND s.is_active)
            ELSE EXISTS (SELECT 1 FROM clients_client p WHERE p.id = r.client_id AND p.erased_at IS NULL)
                AND EXISTS (
                    SELECT 1 FROM clients_consent a
                    WHERE a.client_id = r.client_id AND a.channel = r.channel AND a.withdrawn_at IS NULL)
                AND (v.column6 = 0 OR EXISTS (
                    SELECT 1 FROM clients_contactpoint d WHERE d.id = v.column6 AND d.disabled_at IS NULL))
            END
    RETURNING id
"""
_TELL: Final = "UPDATE reminders_reminder SET told = %s WHERE id = %s"
_BEGIN: Final = """
    INSERT INTO reminders_deliveryattempt
        (clinic_id, reminder_id, number, generation, contact_point_id, started_at, outcome, error_code, provider_id)
    SELECT column1, column2, column3, column4, NULLIF(column5, 0), %s, 'sending', '', '' FROM (VALUES {rows}) AS v
"""
_LINK: Final = """
    INSERT INTO clients_accesslink
        (clinic_id, client_id, purpose, token_hash, subject_key, reminder_code, created_at, expires_at, use_count)
    VALUES {rows}
"""
# Values: row, attempt, outcome, error code, the provider's id.
_END: Final = """
    UPDATE reminders_deliveryattempt AS a
    SET outcome = v.column3, finished_at = %s, error_code = v.column4, provider_id = v.column5
    FROM (VALUES {rows}) AS v
    WHERE a.reminder_id = v.column1 AND a.number = v.column2
"""
# A result that comes after the lease ran out still counts while nobody else has taken the row.
# Values: row, generation, the row it went with (0 for none).
_SENT: Final = """
    UPDATE reminders_reminder AS r
    SET state = 'sent', sent_at = %s, decided_at = %s, decision_reason = '', retry_at = NULL,
        lease_owner = '', lease_until = NULL, on_wire_at = NULL, sent_with_id = NULLIF(v.column3, 0)
    FROM (VALUES {rows}) AS v
    WHERE r.id = v.column1 AND r.generation = v.column2 AND r.state IN ('claimed', 'due', 'uncertain')
    RETURNING id
"""
# Back to where they were before they went on the wire, for rows of which it is certain that they were never sent.
# Values: row, generation, attempt.
_TAKE_BACK: Final = """
    UPDATE reminders_reminder AS r
    SET state = 'due', lease_owner = '', lease_until = NULL, on_wire_at = NULL, retry_at = %s,
        attempt_count = v.column3 - 1
    FROM (VALUES {rows}) AS v
    WHERE r.id = v.column1 AND r.generation = v.column2 AND r.state = 'claimed'
"""
_FORGET: Final = "DELETE FROM reminders_deliveryattempt WHERE outcome = 'sending' AND ({rows})"


# Nothing that ends a string or means something to a database or its driver.
_PLAIN: Final = re.compile(r"[A-Za-z0-9 @.:+<>_-]*")


@dataclass(frozen=True, slots=True)
class Claim:
    """One row taken by one sender; the generation tells it from every earlier and later claim."""

    reminder_id: int
    generation: int


@dataclass(frozen=True, slots=True)
class Piece:
    """One row of a message that may go, as it was seen; `contact_id` is 0 where no address of the client is needed."""

    claim: Claim
    row: Any
    contact_id: int
    told: list[list[str]]

    @property
    def number(self) -> int:
        """The number of the attempt that it is about to make, from 1."""
        return int(self.row.attempt_count) + 1


@dataclass(frozen=True, slots=True)
class Ready:
    """A message that may go: one row, or several that go as one, the leading one first."""

    pieces: tuple[Piece, ...]
    message: Message
    way: Way
    links: tuple[NewLink, ...] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    """How one attempt of one row ended, as its record has it."""

    reminder_id: int
    number: int
    outcome: str
    code: str
    provider_id: str


def put_on_wire(window: Sequence[Ready], *, now: datetime) -> list[Ready]:
    """Begin attempts of those messages of which all that was seen still holds, and return them.

    Of a message made of several rows either all go or none. Runs in the caller's transaction.
    Cost: two statements for all, one more for links, for each schedule, and where a message may not go.
    """
    pieces = [piece for ready in window for piece in ready.pieces]
    if not pieces:
        return []
    at = _instant(now)
    with connection.cursor() as cursor:
        rows, values = _rows(_put_values(piece, ready) for ready in window for piece in ready.pieces)
        cursor.execute(
            _PUT.format(rows=rows),
            [at, _instant(now + LEASE), *values, _instant(now + SEND_TIMEOUT), at],
        )
        put = {row[0] for row in cursor.fetchall()}
        going = [ready for ready in window if all(p.claim.reminder_id in put for p in ready.pieces)]
        gone = {piece.claim.reminder_id for ready in going for piece in ready.pieces}
        halves = [piece for piece in pieces if piece.claim.reminder_id in put - gone]
        if halves:
            _take_back(cursor, halves, retry_at=None)
        if going:
            _begin(cursor, going, at)
        _save_links(cursor, [link for ready in going for link in ready.links])
    return going


def _put_values(piece: Piece, ready: Ready) -> tuple[int | str, ...]:
    row = piece.row
    course_version = row.course.version if row.course_id is not None else 0
    return (
        *(piece.claim.reminder_id, piece.claim.generation, piece.number),
        *(course_version, row.rule.version, piece.contact_id, ready.message.key),
    )


def _begin(cursor: Any, going: Sequence[Ready], at: Any) -> None:
    pieces = [piece for ready in going for piece in ready.pieces]
    rows, _ = _rows(
        (p.row.clinic_id, p.claim.reminder_id, p.number, p.claim.generation, p.contact_id) for p in pieces
    )
    cursor.execute(_BEGIN.format(rows=rows), [at])
    for piece in pieces:
        if piece.told:
            cursor.execute(_TELL, [json.dumps(piece.told), piece.claim.reminder_id])


def _save_links(cursor: Any, links: Sequence[NewLink]) -> None:
    if not links:
        return
    rows, values = _rows(
        (
            *(link.clinic_id, link.client_id, link.purpose, link.token_hash, link.subject_key),
            *(_uuid(link.reminder_code), str(_instant(link.created_at)), str(_instant(link.expires_at)), 0),
        )
        for link in links
    )
    cursor.execute(_LINK.format(rows=rows), values)


def take_back(window: Sequence[Ready], *, retry_at: datetime | None) -> None:
    """Make the rows of messages due again that were put on the wire and certainly never sent.

    Their attempts leave no trace: there was none. Runs in the caller's transaction.
    """
    pieces = [piece for ready in window for piece in ready.pieces]
    if not pieces:
        return
    with connection.cursor() as cursor:
        _take_back(cursor, pieces, retry_at=retry_at)
        cursor.execute(
            _FORGET.format(
                rows=" OR ".join(
                    f"reminder_id = {int(p.claim.reminder_id)} AND number = {int(p.number)}"
                    f" AND generation = {int(p.claim.generation)}"
                    for p in pieces
                )
            )
        )


def _take_back(cursor: Any, pieces: Sequence[Piece], *, retry_at: datetime | None) -> None:
    cursor.execute(
        _TAKE_BACK.format(rows=_rows((p.claim.reminder_id, p.claim.generation, p.number) for p in pieces)[0]),
        [None if retry_at is None else _instant(retry_at)],
    )


def end_attempts(ended: Sequence[Ended], *, now: datetime) -> None:
    """Record how attempts ended.

    Cost: one statement.
    """
    if not ended:
        return
    with connection.cursor() as cursor:
        rows, values = _rows(
            (
                one.reminder_id,
                one.number,
                one.outcome,
                _storable(one.code)[:40],
                _storable(one.provider_id)[:120],
            )
            for one in ended
        )
        cursor.execute(_END.format(rows=rows), [_instant(now), *values])


def _storable(text: str) -> str:
    # Providers' words: what no column takes must not keep the results beside it from being recorded.
    return text.replace("\x00", "").encode(errors="replace").decode()


def mark_sent(sent: Sequence[tuple[Claim, int]], *, now: datetime) -> set[int]:
    """Mark rows as sent unless another sender has taken them since, and return the ids of those marked.

    Each comes with the id of the row it went with, 0 where it led or went alone.
    Cost: one statement.
    """
    if not sent:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            _SENT.format(rows=_rows((claim.reminder_id, claim.generation, lead) for claim, lead in sent)[0]),
            [_instant(now), _instant(now)],
        )
        return {row[0] for row in cursor.fetchall()}


def _rows(rows: Iterable[Sequence[int | str]]) -> tuple[str, list[str]]:
    """Return rows of values as SQL, and the parameters for those that cannot be written as they are.

    Numbers and plain words are written out: to read hundreds of parameters takes longer than to run the
    statement.
    """
    parameters: list[str] = []
    written = [", ".join([_value(value, parameters) for value in row]) for row in rows]
    return "(" + "), (".join(written) + ")", parameters


def _value(value: int | str, parameters: list[str]) -> str:
    if isinstance(value, int):
        return str(int(value))
    if _PLAIN.fullmatch(value):
        return f"'{value}'"
    parameters.append(value)
    return "%s"


def _uuid(code: UUID | None) -> str:
    assert code is not None, "a link of a message"
    return str(code) if connection.features.has_native_uuid_field else code.hex


def _instant(at: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(at)
