"""From claimed rows to delivered messages, row by row, each with its own decision on record."""

import logging
import os
import socket
import time
import uuid
from collections import Counter, deque
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import DatabaseError, transaction

from clients.models import Client
from reminders.channels.base import Channel, ChannelFactory, Message, Outcome
from reminders.channels.email import EmailChannel
from reminders.convert import write_told
from reminders.models import DeliveryAttempt, Reason, Reminder, ReminderState, Trigger
from reminders.services.checking import Ruling, booked_slots, checked_rows, load_schedule, rule_on
from reminders.services.claiming import LEASE, Claim, claim_due, release
from reminders.services.clock import Clock, database_clock
from reminders.services.outcomes import RETRY_FIRST, UNCLAIMED, decide, settle
from reminders.texts import message_key, write_message

logger = logging.getLogger(__name__)

BATCH: Final = 20
# A claim with less left than one send may take is no longer worth starting.
SEND_TIMEOUT: Final = timedelta(seconds=20)

CHANNELS: Final[dict[str, ChannelFactory]] = {EmailChannel.name: EmailChannel}


@dataclass(frozen=True, slots=True)
class _Prepared:
    attempt_id: int
    message: Message


class Channels:
    """The channels of one drain, each opened when first needed, and those found down."""

    def __init__(self, factories: dict[str, ChannelFactory] | None = None) -> None:
        self._factories = CHANNELS if factories is None else factories
        self._open: dict[str, Channel] = {}
        self._stack = ExitStack()
        self.down: set[str] = set()

    def __enter__(self) -> "Channels":
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def __contains__(self, name: str) -> bool:
        return name in self._factories

    def __getitem__(self, name: str) -> Channel:
        if name not in self._open:
            self._open[name] = self._stack.enter_context(self._factories[name]())
        return self._open[name]


def drain(
    *,
    clock: Clock | None = None,
    seconds: float | None = None,
    factories: dict[str, ChannelFactory] | None = None,
) -> Counter[str]:
    """Send what is due until nothing is left or the time is up; return how many rows ended in each state.

    A channel that is down is left alone until the next drain. Safe to run many times at once.
    Units: seconds after which no further batch is begun; None means no limit.
    """
    clock = clock or database_clock()
    owner = f"{socket.gethostname()[:32]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
    stop_at = None if seconds is None else time.monotonic() + seconds
    counts: Counter[str] = Counter()
    with Channels(factories) as channels:
        while stop_at is None or time.monotonic() < stop_at:
            claims = claim_due(owner=owner, now=clock(), limit=BATCH, without=frozenset(channels.down))
            if not claims:
                break
            counts += deliver_claimed(claims, channels=channels, clock=clock)
    return counts


def deliver_claimed(claims: Iterable[Claim], *, channels: Channels, clock: Clock) -> Counter[str]:
    """Work claimed rows one by one and return how many ended in each state.

    Whatever stops it, the rows not yet begun are given back at once.
    """
    counts: Counter[str] = Counter()
    waiting = deque(claims)
    try:
        while waiting:
            counts[_deliver(waiting.popleft(), channels=channels, clock=clock)] += 1
    finally:
        release(waiting)
    return counts


def _deliver(claim: Claim, *, channels: Channels, clock: Clock) -> str:
    now = clock()
    try:
        prepared = _begin(claim, channels=channels, now=now)
    except DatabaseError:
        # The database's trouble is not the row's: its lease runs out and it is due again.
        logger.exception("Reminder %s could not be read.", claim.reminder_id)
        return "void"
    except Exception:
        # One row that cannot be read or written must not hold up those behind it.
        logger.exception("Reminder %s could not be prepared.", claim.reminder_id)
        return _park(claim, now=now)
    if isinstance(prepared, str):
        return prepared
    outcome = _send(channels[prepared[0]], prepared[1].message)
    if outcome.is_channel_down:
        channels.down.add(prepared[0])
    return settle(
        reminder_id=claim.reminder_id,
        generation=claim.generation,
        attempt_id=prepared[1].attempt_id,
        outcome=outcome,
        now=clock(),
    )


def _send(channel: Channel, message: Message) -> Outcome:
    try:
        return channel.send(message)
    except Exception:
        # A channel promises not to raise; of one that does, nobody knows how far it came.
        logger.exception("Channel %s raised.", channel.name)
        return Outcome("uncertain", "channel-raised")


def _begin(claim: Claim, *, channels: Channels, now: datetime) -> tuple[str, _Prepared] | str:
    """Check the row once more and put it on the wire, in one short transaction; else return its state.

    Cost: six queries.
    """
    with transaction.atomic():
        # Two senders with two messages to one client: the second counts the first towards the day's cap.
        # Not a full lock, which would wait for rows that merely refer to the client.
        list(Client.objects.select_for_update(no_key=True).filter(pk=claim.client_id).values_list("pk"))
        row = checked_rows().filter(pk=claim.reminder_id).get()
        if not _is_mine(row, claim, now):
            return "void"
        if row.channel in channels.down:
            release([claim], retry_at=now + RETRY_FIRST)
            return ReminderState.DUE
        ruling = rule_on(row, has_channel=row.channel in channels, now=now)
        if ruling.contact is None:
            return _put_down(row, claim, ruling, now=now)
        prepared = _put_on_wire(row, claim, ruling, now=now)
        return (row.channel, prepared) if prepared else "void"


def _is_mine(row: Reminder, claim: Claim, now: datetime) -> bool:
    return (
        row.generation == claim.generation
        and row.state == ReminderState.CLAIMED
        and row.on_wire_at is None
        and row.lease_until is not None
        and row.lease_until > now + SEND_TIMEOUT
    )


def _put_down(row: Reminder, claim: Claim, ruling: Ruling, *, now: datetime) -> str:
    if ruling.state is None or ruling.reason is None:
        release([claim], retry_at=ruling.wait_until)
        return ReminderState.DUE
    mine = Reminder.objects.select_for_update().filter(
        pk=row.pk, generation=claim.generation, state=ReminderState.CLAIMED, on_wire_at=None
    )
    return decide(row, ruling.state, ruling.reason, now) if mine.exists() else "void"


def _put_on_wire(row: Reminder, claim: Claim, ruling: Ruling, *, now: datetime) -> _Prepared | None:
    contact = ruling.contact
    assert contact is not None, "only a message with an address goes out"
    schedule = load_schedule(row) if row.trigger == Trigger.SCHEDULE else None
    told = booked_slots(schedule, now=now) if schedule else frozenset()
    message = write_message(row, address=contact.value, schedule=schedule, now=now)
    # The fence: whoever took the row back, moved it or cancelled it in the meantime has changed this.
    mine = Reminder.objects.filter(
        pk=row.pk, generation=claim.generation, state=ReminderState.CLAIMED, on_wire_at=None
    ).update(
        on_wire_at=now,
        lease_until=now + LEASE,
        attempt_count=row.attempt_count + 1,
        message_id=message_key(row),
        told=write_told(told),
    )
    if not mine:
        return None
    attempt = DeliveryAttempt.objects.create(
        clinic_id=row.clinic_id,
        reminder_id=row.pk,
        number=row.attempt_count + 1,
        generation=claim.generation,
        contact_point=contact,
        started_at=now,
    )
    return _Prepared(attempt.pk, message)


def _park(claim: Claim, *, now: datetime) -> str:
    """Fail a row that cannot be prepared, so that it is seen and never tried for ever."""
    parked = Reminder.objects.filter(
        pk=claim.reminder_id, generation=claim.generation, state=ReminderState.CLAIMED, on_wire_at=None
    ).update(
        state=ReminderState.FAILED, decision_reason=Reason.BROKEN, decided_at=now, retry_at=None, **UNCLAIMED
    )
    return ReminderState.FAILED if parked else "void"
