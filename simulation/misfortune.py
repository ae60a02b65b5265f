"""What goes wrong in a simulated clinic: senders and schedulers that die, outages, mail servers, clocks, second thoughts.

A death is total: from the chosen statement or word to the mail server on, every further statement of the dying process
fails as well, so that no tidying up can write anything. It strikes every point in turn.
"""

import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import connection

from clients.models import Consent
from courses.errors import CourseError
from courses.models import TreatmentSession
from courses.services import cancel_session
from reminders.channels.base import SENT, Channel, Message, Outcome
from reminders.models import LIVE_STATES, Reminder
from reminders.services import drain, run_tick
from simulation.ledger import Sink
from simulation.world import World

# How often each thing happens, per tick or sender's turn.
_DEATH: Final = 0.15
_HOST_LOST: Final = 0.3
_WAKE_UP_LOST: Final = 0.2
_TWICE: Final = 0.2
_JUMP: Final = 0.03
_OUTAGE_A_DAY: Final = 0.06
_SECOND_THOUGHT: Final = 0.1
_MOODS: Final = ("well",) * 12 + ("refusing", "unreachable", "bouncing", "silent", "silent")
# So many points of a process's life are tried in turn before it begins again.
_POINTS: Final = 60


class Death(BaseException):
    """The process is gone; only the story outlives it."""


class Misfortune:
    """Lets things go wrong by chance, and counts what it did."""

    def __init__(self, world: World, sink: Sink, rng: random.Random) -> None:
        self._world = world
        self._sink = sink
        self._rng = rng
        self._next_point = 0
        self._dies_in: int | None = None
        self._mood = "well"
        self.counts: Counter[str] = Counter()
        world.tick = self.tick
        world.drain = self.drain

    # ------------------------------------------------------------ the scheduler

    def tick(self, at: datetime) -> object:
        """Tick, perhaps twice, perhaps dying in the middle, perhaps by a clock that is wrong for a moment."""
        if self._is_down(at):
            return None
        if self._roll(_SECOND_THOUGHT):
            self._change_something(at)
        if self._roll(_JUMP):
            self.counts["clock jumps"] += 1
            self._live(lambda: run_tick(now=at - timedelta(hours=6)), dies=False)
        found = self._live(lambda: run_tick(now=at), dies=self._roll(_DEATH))
        if self._roll(_TWICE):
            self.counts["double ticks"] += 1
            self._live(lambda: run_tick(now=at), dies=False)
        return found

    def end_day(self, now: datetime) -> None:
        """Choose how the mail server behaves tomorrow and whether everything goes down for a while."""
        self._mood = self._rng.choice(_MOODS)
        self.counts[f"days {self._mood}"] += 1
        if self._world.down_until is None and self._roll(_OUTAGE_A_DAY):
            self._world.down_until = now + timedelta(hours=self._rng.choice((3, 20, 50, 170)))
            self.counts["outages"] += 1

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is down: only then every rule of the day can be asked for."""
        return self._world.down_until is None

    def _is_down(self, at: datetime) -> bool:
        if self._world.down_until is not None and at >= self._world.down_until:
            self._world.down_until = None
        return self._world.down_until is not None

    # ------------------------------------------------------------ the senders

    def drain(self, at: datetime) -> object:
        """Send, perhaps with a sender that dies; what was to wake it may be lost."""
        if self._is_down(at):
            return None
        if self._roll(_WAKE_UP_LOST):
            self.counts["lost wake-ups"] += 1
            return None
        self._sink.now = at
        return self._live(
            lambda: drain(clock=lambda: at, factories={"email": self._open}),
            dies=self._roll(_DEATH),
            whose="senders",
        )

    def _open(self) -> Channel:
        return _MoodyChannel(self, self._sink.open())

    def outcome(self, message: Message, channel: Channel) -> Outcome:
        """Answer for the mail server as it feels today; a dying sender may not live to hear it."""
        self._pass_point()
        if self._mood == "unreachable":
            return Outcome("transient", "smtp-unreachable", is_channel_down=True)
        if self._mood == "refusing" and self._roll(0.5):
            return Outcome("transient", "smtp-451")
        if self._mood == "bouncing" and self._roll(0.2):
            return Outcome("permanent", "smtp-554")
        if self._mood == "silent" and self._roll(0.3):
            self.counts["silences"] += 1
            if self._roll(0.5):
                channel.send(message)
                self.counts["silences after taking"] += 1
            return Outcome("uncertain", "smtp-silent")
        channel.send(message)
        self._pass_point()
        return SENT

    # ------------------------------------------------------------ death

    def _live(self, work: Callable[[], object], *, dies: bool, whose: str = "ticks") -> object:
        if not dies:
            return work()
        self._next_point = self._next_point % _POINTS + 1
        self._dies_in = self._next_point
        try:
            with connection.execute_wrapper(self._execute):
                return work()
        except Death:
            self.counts[f"deaths of {whose}"] += 1
            if self._roll(_HOST_LOST):
                self.counts["machines lost"] += 1
                shutil.rmtree(Path(settings.JOURNAL_DIR), ignore_errors=True)
            return None
        finally:
            self._dies_in = None

    def _execute(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        self._pass_point()
        return execute(sql, params, many, context)

    def _pass_point(self) -> None:
        if self._dies_in is None:
            return
        self._dies_in -= 1
        if self._dies_in <= 0:
            raise Death

    # ------------------------------------------------------------ people

    def _change_something(self, at: datetime) -> None:
        """Cancel a session, or withdraw a consent, about which a message is just due."""
        due = Reminder.objects.filter(state__in=LIVE_STATES, send_at__lte=at + timedelta(hours=1))
        row = due.filter(session__isnull=False).order_by("pk").first()
        if row is None or row.session_id is None:
            return
        session = TreatmentSession.objects.select_related("course__clinic").get(pk=row.session_id)
        if self._roll(0.2):
            self.counts["opt-outs"] += Consent.objects.filter(client=row.client_id, withdrawn_at=None).update(
                withdrawn_at=at, withdrawn_source="simulation"
            )
            return
        try:
            cancel_session(session=session, whose="client", by=self._world.cast.desk, now=at)
            self.counts["late cancellations"] += 1
        except CourseError:
            # It has an outcome by now: then there is nothing to cancel.
            return

    def _roll(self, chance: float) -> bool:
        return self._rng.random() < chance


class _MoodyChannel(Channel):
    name = "email"
    policy = "retry_once"

    def __init__(self, misfortune: Misfortune, channel: Channel) -> None:
        self._misfortune = misfortune
        self._channel = channel

    def send(self, message: Message) -> Outcome:
        return self._misfortune.outcome(message, self._channel)


@contextmanager
def own_journals(folder: Path) -> Iterator[None]:
    """Let the senders of a story keep their journals apart from those of this machine's real ones."""
    kept, settings.JOURNAL_DIR = settings.JOURNAL_DIR, folder
    try:
        yield
    finally:
        settings.JOURNAL_DIR = kept
