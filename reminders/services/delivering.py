"""From claimed rows to delivered messages, row by row, each with its own decision on record."""

import logging
import os
import socket
import time
import uuid
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import DatabaseError, transaction
from django.db.models import QuerySet

from reminders.channels.base import Channel, ChannelFactory, Message, Outcome
from reminders.channels.email import EmailChannel
from reminders.convert import write_told
from reminders.models import Reason, Reminder, ReminderState, Trigger
from reminders.services.checking import (
    Ruling,
    Surroundings,
    booked_slots,
    checked_rows,
    load_schedule,
    load_surroundings,
    rule_on,
)
from reminders.services.claiming import claim_due, release
from reminders.services.clock import Clock, database_clock
from reminders.services.outcomes import RETRY_FIRST, UNCLAIMED, Result, settle
from reminders.services.wire import Claim, Ready, put_on_wire
from reminders.texts import write_message

logger = logging.getLogger(__name__)

BATCH: Final = 20
# How old a look at a row may be when it goes on the wire.
FRESH: Final = timedelta(seconds=5)
# How soon a row is taken up again that changed between the look and the wire.
LOOK_AGAIN: Final = timedelta(seconds=1)
VOID: Final = "void"

CHANNELS: Final[dict[str, ChannelFactory]] = {EmailChannel.name: EmailChannel}


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

    They are looked at together and again whenever that look is a few seconds old; what may have changed
    since is part of the condition under which each goes on the wire. Whatever stops it, the rows not yet
    begun are given back at once.
    """
    counts: Counter[str] = Counter()
    waiting = {claim.reminder_id: claim for claim in claims}
    try:
        while waiting:
            now = clock()
            ready = _look_at(waiting, channels=channels, now=now, counts=counts)
            _send_ready(ready, waiting, channels=channels, clock=clock, until=now + FRESH, counts=counts)
    finally:
        release(waiting.values())
    return counts


def _look_at(
    waiting: dict[int, Claim], *, channels: Channels, now: datetime, counts: Counter[str]
) -> list[Ready]:
    """Return the messages that may go now; rows that may not are decided, and leave `waiting`.

    A client's second message of the batch stays for the next look, which knows what became of the first.
    Cost: three queries, one more for each row that does not go.
    """
    rows = {row.pk: row for row in checked_rows().filter(pk__in=waiting)}
    around = load_surroundings(rows.values(), now=now)
    ready: list[Ready] = []
    clients: set[int] = set()
    for pk, claim in list(waiting.items()):
        row = rows[pk]
        if row.client_id in clients:
            continue
        try:
            found = _look_at_one(row, claim, around, channels=channels, now=now)
        except DatabaseError:
            raise
        except Exception:
            # One row that cannot be written must not hold up those behind it.
            logger.exception("Reminder %s could not be prepared.", pk)
            found = _park(claim, now=now)
        if isinstance(found, Ready):
            ready.append(found)
            if row.client_id is not None:
                clients.add(row.client_id)
        else:
            del waiting[pk]
            counts[found] += 1
    return ready


def _look_at_one(
    row: Any, claim: Claim, around: Surroundings, *, channels: Channels, now: datetime
) -> Ready | str:
    if row.generation != claim.generation or row.state != ReminderState.CLAIMED or row.on_wire_at is not None:
        return VOID
    if row.channel in channels.down:
        release([claim], retry_at=now + RETRY_FIRST)
        return ReminderState.DUE
    ruling = rule_on(row, around, has_channel=row.channel in channels, now=now)
    if ruling.contact is None:
        return _put_down(claim, ruling, now=now)
    schedule = load_schedule(row) if row.trigger == Trigger.SCHEDULE else None
    return Ready(
        claim=claim,
        row=row,
        contact_id=ruling.contact.pk,
        message=write_message(row, address=ruling.contact.value, schedule=schedule, now=now),
        told=write_told(booked_slots(schedule, now=now)) if schedule else [],
    )


def _put_down(claim: Claim, ruling: Ruling, *, now: datetime) -> str:
    if ruling.state is None or ruling.reason is None:
        release([claim], retry_at=ruling.wait_until)
        return ReminderState.DUE
    put = _held(claim).update(
        state=ruling.state, decision_reason=ruling.reason, decided_at=now, retry_at=None, **UNCLAIMED
    )
    return ruling.state if put else VOID


def _park(claim: Claim, *, now: datetime) -> str:
    """Fail a row that cannot be written, so that it is seen and never tried for ever."""
    return _put_down(claim, Ruling(state=ReminderState.FAILED, reason=Reason.BROKEN), now=now)


def _held(claim: Claim) -> QuerySet[Reminder]:
    return Reminder.objects.filter(
        pk=claim.reminder_id, generation=claim.generation, state=ReminderState.CLAIMED, on_wire_at=None
    )


# ---------------------------------------------------------------- on the wire


def _send_ready(
    ready: list[Ready],
    waiting: dict[int, Claim],
    *,
    channels: Channels,
    clock: Clock,
    until: datetime,
    counts: Counter[str],
) -> None:
    """Send messages one by one until the look at them is too old; those begun leave `waiting`.

    The result of one and the beginning of the next are one commit: nothing is open while a channel is
    called, and nothing goes before the one before it is on record.
    """
    result: Result | None = None
    try:
        for one in ready:
            now = clock()
            if now >= until or one.row.channel in channels.down:
                break
            with transaction.atomic():
                if result is not None:
                    counts[settle(result, now=now)] += 1
                is_on_wire = put_on_wire(one, now=now)
            result = None
            del waiting[one.claim.reminder_id]
            if not is_on_wire:
                # Something has changed since the look: another look, a moment later, says what.
                release([one.claim], retry_at=now + LOOK_AGAIN)
                counts[VOID] += 1
                continue
            outcome = _send(channels[one.row.channel], one.message)
            if outcome.is_channel_down:
                channels.down.add(one.row.channel)
            result = Result(one.claim.reminder_id, one.claim.generation, one.row.attempt_count + 1, outcome)
    finally:
        if result is not None:
            with transaction.atomic():
                counts[settle(result, now=clock())] += 1


def _send(channel: Channel, message: Message) -> Outcome:
    try:
        return channel.send(message)
    except Exception:
        # A channel promises not to raise; of one that does, nobody knows how far it came.
        logger.exception("Channel %s raised.", channel.name)
        return Outcome("uncertain", "channel-raised")
