"""From due rows to delivered messages, each with its own decision on record.

A sender claims some messages, looks at them together, puts a few on the wire in one commit and hands them over one
by one, while it settles those before and prepares those behind them. How few depends on how long a send takes: what
is on the wire cannot be called back, so it is never more than a blink's worth, and one at a time for a channel that
is not a network's, that is slow or that is failing. What a killed sender leaves unknown is said by its journal.
"""

import logging
import math
import os
import socket
import threading
import time
import uuid
from collections import Counter, deque
from collections.abc import Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Final, Self

from celery.exceptions import SoftTimeLimitExceeded
from django.db import DatabaseError, IntegrityError, InterfaceError, OperationalError, connection, transaction

from clients.links import NewLink
from clinics.clock import Clock, database_clock
from reminders.channels.base import Channel, ChannelFactory, Outcome, Way
from reminders.channels.registry import find_ways
from reminders.convert import write_told
from reminders.models import TELLING_TRIGGERS, Reason, Reminder, ReminderState
from reminders.services.breaker import Breakers
from reminders.services.checking import (
    Ruling,
    Shared,
    Surroundings,
    booked_slots,
    load_rows,
    load_schedule,
    load_surroundings,
    rule_on,
)
from reminders.services.claiming import claim_due, recover_journals, release
from reminders.services.fence import is_held
from reminders.services.journal import Journal, entries_of
from reminders.services.linking import new_links
from reminders.services.outcomes import RETRY_FIRST, Result, decided, settle
from reminders.services.rates import Pair, take_tokens
from reminders.services.wire import LEASE, Claim, Piece, Ready, put_on_wire, take_back
from reminders.texts import Part, write_message

logger = logging.getLogger(__name__)

# How many messages are claimed at first, at least and at most; fast channels take more at a time.
_CHUNK_FIRST: Final = 16
_CHUNK_LEAST: Final = 4
_CHUNK_MOST: Final = 128
# A chunk should keep a sender busy for about as long.
_CHUNK_SECONDS: Final = 1.0
# How much sending may be on the wire at a time, in seconds and in messages.
_WINDOW_SECONDS: Final = 0.04
_WINDOW_MOST: Final = 64
# How old a look at a row may be when it goes on the wire.
FRESH: Final = timedelta(seconds=5)
# How long after it was put on the wire a message may still be begun: well before its lease runs out.
_BEGIN_WITHIN: Final = 20.0
# How soon a row is taken up again that changed between the look and the wire.
LOOK_AGAIN: Final = timedelta(seconds=1)
VOID: Final = "void"
# Errors that say nothing about the row at hand.
_NOT_THE_ROWS: Final = (DatabaseError, InterfaceError, SoftTimeLimitExceeded)


def drain(
    *,
    clock: Clock | None = None,
    seconds: float | None = None,
    channels: Collection[str] | None = None,
    factories: dict[str, ChannelFactory] | None = None,
) -> Counter[str]:
    """Send what is due until nothing is left or the time is up; return how many rows ended in each state.

    A channel that is down is left alone for a while. Safe to run many times at once. Sends nothing while
    the outbox is held.
    Units: seconds after which no further message is begun; None means no limit.
    """
    clock = clock or database_clock()
    if is_held():
        return Counter()
    recover_journals(now=clock())
    with Sender(clock=clock, channels=channels, factories=factories) as sender:
        return sender.run(seconds)


@dataclass(slots=True)
class _Window:
    """What came back of a window: what was answered, and what was not begun."""

    results: list[tuple[Ready, Outcome]] = field(default_factory=list)
    unsent: list[Ready] = field(default_factory=list)
    seconds: float = 0.0


class Sender:
    """One sender: what it has claimed, looked at, put on the wire and not yet settled."""

    def __init__(
        self,
        *,
        clock: Clock,
        channels: Collection[str] | None = None,
        factories: dict[str, ChannelFactory] | None = None,
    ) -> None:
        self.owner = f"{socket.gethostname()[:32]}:{os.getpid()}:{uuid.uuid4().hex}"
        self.counts: Counter[str] = Counter()
        self._clock = clock
        self._names = channels
        self._factories = factories
        self._stack = ExitStack()
        self._open: dict[str, Channel] = {}
        self._breakers = Breakers()
        self._down: set[str] = set()
        self._groups: deque[list[Claim]] = deque()
        self._ready: deque[Ready] = deque()
        self._looked_at: datetime | None = None
        self._shared = Shared()
        self._shared_until: datetime | None = None
        self._chunk = _CHUNK_FIRST
        self._came: _Window = _Window()
        self._sending: Future[_Window] | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._journal: Journal | None = None
        self._stop = threading.Event()
        self._stop_at = math.inf
        self._send_seconds = _WINDOW_SECONDS

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        is_settled = False
        try:
            self._collect()
            self._commit([])
            is_settled = True
        finally:
            try:
                release(claim for ready in self._ready for claim in _claims_of(ready))
                release(claim for group in self._groups for claim in group)
            finally:
                self._let_go(is_settled=is_settled)

    def _let_go(self, *, is_settled: bool) -> None:
        try:
            if self._pool is not None:
                self._pool.shutdown()
            self._stack.close()
        finally:
            # A journal that stays locked could tell nobody what was sent, for as long as this process lives.
            if self._journal is not None:
                self._journal.close(is_settled=is_settled)

    def run(self, seconds: float | None = None) -> Counter[str]:
        """Send until nothing is due or the time is up, and return how many rows ended in each state.

        What is claimed and not begun by then is given back when the sender is left.
        """
        self._stop_at = math.inf if seconds is None else time.monotonic() + seconds
        while time.monotonic() < self._stop_at:
            started = time.monotonic()
            claimed = claim_due(
                owner=self.owner, now=self._clock(), limit=self._chunk, channels=self._channels_up()
            )
            # While a window is on its way, the next one should stand ready and the one after it be looked at.
            self.work(claimed, leave=self._window_size() if claimed else 0)
            if not claimed:
                break
            self._pace(time.monotonic() - started, len(claimed))
        self._collect()
        self._commit([])
        return self.counts

    def work(self, groups: Sequence[list[Claim]], *, leave: int = 0) -> None:
        """Work claimed messages until the time is up or no more than `leave` are left.

        The last of them may still be on their way then.
        """
        self._groups.extend(groups)
        # A slow channel may take longer for what was claimed at once than a task may.
        while len(self._groups) + len(self._ready) > leave and time.monotonic() < self._stop_at:
            now = self._clock()
            if self._looked_at is not None and now >= self._looked_at + FRESH:
                self._groups.extendleft([_claims_of(ready) for ready in reversed(self._ready)])
                self._ready.clear()
            if self._groups:
                self._look_at(now)
                continue
            self._step(now)

    # ------------------------------------------------------------ the look

    def _look_at(self, now: datetime) -> None:
        """Look at everything claimed, together; what may not go is decided.

        Cost: a handful of queries, one more for each row that does not go.
        """
        groups, self._groups = list(self._groups), deque()
        if not self._ready:
            self._looked_at = now
        if self._shared_until is None or now >= self._shared_until:
            self._shared, self._shared_until = Shared(), now + FRESH
        claimed = [claim.reminder_id for group in groups for claim in group]
        rows = load_rows(claimed, now=now, shared=self._shared)
        around = load_surroundings(rows.values(), now=now)
        ways = self._find_ways({(row.clinic_id, row.channel) for row in rows.values()})
        self._breakers.admit({way.scope for way in ways.values()}, now=now)
        groups = self._within_rates(groups, rows, ways, now)
        waiting = deque(groups)
        while waiting:
            group = waiting.popleft()
            try:
                ready = self._prepare(group, rows, around, ways, now)
            except BaseException as error:
                if not isinstance(error, Exception) or isinstance(error, _NOT_THE_ROWS):
                    self._groups.extend([group, *waiting])
                    raise
                # One row that cannot be worked out must not hold up those behind it, nor those beside it.
                logger.exception("Reminder %s could not be looked at.", group[0].reminder_id)
                if len(group) > 1:
                    waiting.extendleft([claim] for claim in reversed(group))
                else:
                    self._give_up(group[0], now)
                continue
            if ready is not None:
                self._ready.append(ready)

    def _find_ways(self, pairs: Collection[Pair]) -> dict[Pair, Way]:
        if self._factories is None:
            return find_ways(pairs)
        return {
            pair: Way(pair[1], "retry_once", _WINDOW_MOST**2, self._factories[pair[1]])
            for pair in pairs
            if pair[1] in self._factories
        }

    def _within_rates(
        self, groups: list[list[Claim]], rows: dict[int, Any], ways: dict[Pair, Way], now: datetime
    ) -> list[list[Claim]]:
        pairs = [(rows[g[0].reminder_id].clinic_id, rows[g[0].reminder_id].channel) for g in groups]
        wanted = Counter(pair for pair in pairs if pair in ways)
        if not wanted:
            return groups
        with transaction.atomic():
            granted, later = take_tokens(
                wanted, {pair: way.per_minute for pair, way in ways.items()}, now=now
            )
        kept = []
        for pair, group in zip(pairs, groups, strict=True):
            if pair not in later:
                kept.append(group)
            elif granted[pair]:
                granted[pair] -= 1
                kept.append(group)
            else:
                self._give_back(group, later[pair])
        return kept

    def _prepare(
        self,
        group: list[Claim],
        rows: dict[int, Any],
        around: Surroundings,
        ways: dict[Pair, Way],
        now: datetime,
    ) -> Ready | None:
        pieces: list[Piece] = []
        parts: list[Part] = []
        links: list[NewLink] = []
        address = ""
        for claim in group:
            row = rows[claim.reminder_id]
            if row.generation != claim.generation or row.state != ReminderState.CLAIMED or row.on_wire_at:
                self.counts[VOID] += 1
                continue
            way = ways.get((row.clinic_id, row.channel))
            if way is not None and (closed := self._closed_until(way.scope, now)):
                if closed < row.expires_at:
                    self._give_back([claim], closed)
                else:
                    late = Ruling(state=ReminderState.EXPIRED, reason=Reason.CHANNEL_PAUSED)
                    self.counts[self._put_down(claim, late, now=now)] += 1
                continue
            ruling = rule_on(row, around, has_channel=way is not None, now=now)
            if not ruling.address:
                if row.send_at > now:
                    # It only came along: what speaks against it now need not do so when its time has come.
                    self._give_back([claim], None)
                else:
                    self.counts[self._put_down(claim, ruling, now=now)] += 1
                continue
            schedule = load_schedule(row) if row.trigger in TELLING_TRIGGERS else None
            found, made = new_links(row, now=now)
            part = Part(row=row, schedule=schedule, links=found)
            if not self._can_write(part, ruling.address, claim, now):
                continue
            told = write_told(booked_slots(schedule, now=now)) if schedule else []
            pieces.append(Piece(claim, row, ruling.contact.pk if ruling.contact else 0, told))
            parts.append(part)
            links += made
            address = ruling.address
        if not pieces:
            return None
        if all(piece.row.send_at > now for piece in pieces):
            # What they were to go along with does not go: each has its own time.
            self._give_back([piece.claim for piece in pieces], None)
            return None
        if pieces[0].row.client_id is not None:
            # Whatever is next in line for the same client counts this one already.
            around.pending[pieces[0].row.client_id] += 1
        message = write_message(parts, address=address, now=now) if len(parts) > 1 else self._written
        return Ready(
            tuple(pieces), message, ways[pieces[0].row.clinic_id, pieces[0].row.channel], tuple(links)
        )

    def _can_write(self, part: Part, address: str, claim: Claim, now: datetime) -> bool:
        try:
            self._written = write_message([part], address=address, now=now)
        except _NOT_THE_ROWS:
            raise
        except Exception:
            # One row that cannot be written must not hold up those behind it.
            logger.exception("Reminder %s could not be prepared.", claim.reminder_id)
            self._give_up(claim, now)
            return False
        return True

    def _give_up(self, claim: Claim, now: datetime) -> None:
        broken = Ruling(state=ReminderState.FAILED, reason=Reason.BROKEN)
        self.counts[self._put_down(claim, broken, now=now)] += 1

    def _put_down(self, claim: Claim, ruling: Ruling, *, now: datetime) -> str:
        if ruling.state is None or ruling.reason is None:
            release([claim], retry_at=ruling.wait_until)
            return ReminderState.DUE
        held = Reminder.objects.filter(
            pk=claim.reminder_id, generation=claim.generation, state=ReminderState.CLAIMED, on_wire_at=None
        )
        put = held.update(**decided(ruling.state, ruling.reason, now=now))
        return ruling.state if put else VOID

    def _give_back(self, claims: Sequence[Claim], retry_at: datetime | None) -> None:
        release(claims, retry_at=retry_at)
        self.counts[ReminderState.DUE] += len(claims)

    def _closed_until(self, scope: str, now: datetime) -> datetime | None:
        if scope in self._down:
            return now + RETRY_FIRST
        return self._breakers.closed_until.get(scope)

    # ------------------------------------------------------------ on the wire

    def _step(self, now: datetime) -> None:
        """Put the next window on the wire, and hand it over once the one before has come back."""
        first = self._ready[0]
        if closed := self._closed_until(first.way.scope, now):
            self._give_back(_claims_of(self._ready.popleft()), closed)
            return
        channel = self._channel(first.way)
        if not channel.runs_apart:
            # Nothing goes before the one before it is on record.
            self._collect()
            if first.way.scope in self._down:
                return
        size = (
            self._window_size()
            if channel.runs_apart and not self._breakers.is_failing(first.way.scope)
            else 1
        )
        window: list[Ready] = []
        while self._ready and len(window) < size and self._ready[0].way.scope == first.way.scope:
            window.append(self._ready.popleft())
        put_at = _since_boot()
        going = self._commit(window)
        self._collect()
        if not going:
            return
        if first.way.scope in self._down:
            # Found down while this was being put on the wire.
            self._came.unsent += going
            return
        if channel.runs_apart:
            self._sending = self._threads().submit(self._hand_over, going, channel, put_at, self._note())
        else:
            # Where there is a journal it must know of everything: what it does not name was never begun.
            self._came = self._hand_over(going, channel, put_at, self._journal)

    def _hand_over(
        self, going: list[Ready], channel: Channel, put_at: float, journal: Journal | None
    ) -> _Window:
        came = _Window()
        started = time.monotonic()
        for number, ready in enumerate(going):
            # A process that was stopped meanwhile must not go on as if no time had passed.
            if self._stop.is_set() or _since_boot() - put_at > _BEGIN_WITHIN:
                came.unsent = going[number:]
                break
            if journal is not None:
                journal.begin(ready)
            outcome = _send(channel, ready)
            if journal is not None:
                journal.end(ready, outcome)
            came.results.append((ready, outcome))
            if outcome.is_channel_down:
                came.unsent = going[number + 1 :]
                break
        came.seconds = time.monotonic() - started
        return came

    def _collect(self) -> None:
        """Wait for the window on its way, and learn from how it went."""
        if self._sending is None:
            came = self._came
            self._note_down(came)
            return
        came, self._sending = self._sending.result(), None
        self._came.results += came.results
        self._came.unsent += came.unsent
        if came.results:
            self._send_seconds += (came.seconds / len(came.results) - self._send_seconds) / 4
        self._note_down(came)

    def _note_down(self, came: _Window) -> None:
        for ready, outcome in came.results:
            if outcome.is_channel_down:
                self._down.add(ready.way.scope)

    def _commit(self, window: list[Ready]) -> list[Ready]:
        """Settle what came back and put a window on the wire, in one commit; return what went on the wire."""
        if not window and not self._came.results and not self._came.unsent:
            return []
        try:
            going = self._write(window)
        except (OperationalError, InterfaceError):
            if connection.in_atomic_block:
                raise
            logger.exception("The database went away while messages were on their way.")
            self._ride_out(window)
            return []
        except IntegrityError:
            if connection.in_atomic_block or not window:
                raise
            # Something it names was removed in the same moment, such as an address: nothing went on the wire.
            logger.warning("Messages could not be put on the wire; they are looked at again.", exc_info=True)
            going = self._write([])
        self._came = _Window()
        gone = {id(ready) for ready in going}
        for ready in window:
            if id(ready) not in gone:
                # Something has changed since the look: another look, a moment later, says what.
                claims = _claims_of(ready)
                release(claims, retry_at=self._clock() + LOOK_AGAIN)
                self.counts[VOID] += len(claims)
        return going

    def _write(self, window: list[Ready]) -> list[Ready]:
        now, came = self._clock(), self._came
        with transaction.atomic():
            counts = self._settle(came, now)
            going = put_on_wire(window, now=now)
        self.counts += counts
        return going

    def _settle(self, came: _Window, now: datetime) -> Counter[str]:
        counts = settle(
            [Result(tuple(entries_of(ready)), outcome) for ready, outcome in came.results], now=now
        )
        for ready, outcome in came.results:
            row = ready.pieces[0].row
            self._breakers.note(ready.way, outcome, clinic_id=row.clinic_id, now=now)
        if came.unsent:
            is_down = any(ready.way.scope in self._down for ready in came.unsent)
            take_back(came.unsent, retry_at=now + RETRY_FIRST if is_down else None)
            counts[ReminderState.DUE] += sum(len(ready.pieces) for ready in came.unsent)
        return counts

    def _ride_out(self, window: list[Ready]) -> None:
        """Wait until the database is back, and write down what is known: what came back, what never left.

        Raises: the database's own error when it stays away for as long as a lease.
        """
        self._came.unsent += window
        give_up_at = time.monotonic() + LEASE.total_seconds()
        pause = 0.25
        while True:
            time.sleep(pause)
            pause = min(pause * 2, 4.0)
            connection.close()
            try:
                self._write([])
            except (OperationalError, InterfaceError):
                if time.monotonic() >= give_up_at:
                    raise
                continue
            self._came = _Window()
            return

    # ------------------------------------------------------------ its means

    def _channels_up(self) -> Collection[str] | None:
        """Return the channels worth claiming for; None means all."""
        if "email" not in self._down:
            return self._names
        names = [name for name, _ in Reminder._meta.get_field("channel").flatchoices]
        return [name for name in self._names or names if name not in self._down]

    def _channel(self, way: Way) -> Channel:
        if way.scope not in self._open:
            self._open[way.scope] = self._stack.enter_context(way.open())
        return self._open[way.scope]

    def _threads(self) -> ThreadPoolExecutor:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sender")
        return self._pool

    def _note(self) -> Journal:
        if self._journal is None:
            self._journal = Journal(self.owner)
        return self._journal

    def _window_size(self) -> int:
        return max(1, min(_WINDOW_MOST, int(_WINDOW_SECONDS / max(self._send_seconds, 1e-6))))

    def _pace(self, seconds: float, claimed: int) -> None:
        """Claim more at a time while it goes fast, fewer when it goes slowly."""
        if seconds < _CHUNK_SECONDS / 2 and claimed >= self._chunk:
            self._chunk = min(_CHUNK_MOST, self._chunk * 2)
        elif seconds > 2 * _CHUNK_SECONDS:
            self._chunk = max(_CHUNK_LEAST, self._chunk // 2)


def _claims_of(ready: Ready) -> list[Claim]:
    return [piece.claim for piece in ready.pieces]


def _since_boot() -> float:
    # Counts on while the machine sleeps, where the system can say so.
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def _send(channel: Channel, ready: Ready) -> Outcome:
    try:
        return channel.send(ready.message)
    except Exception:
        # A channel promises not to raise; of one that does, nobody knows how far it came.
        logger.exception("Channel %s raised.", channel.name)
        return Outcome("uncertain", "channel-raised")
