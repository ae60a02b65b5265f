"""Schedulers that run twice, hang, or are dead for hours and days; clocks that jump."""

from __future__ import annotations

import signal
import time
from datetime import datetime, timedelta

from faults.cohort import PEAK, build_cohort
from faults.ledger import Ledger
from faults.scenario import scenario
from faults.stage import Stage, play, wait_until
from reminders.models import Reminder, TickRun


@scenario(
    "F04",
    given="messages that are due at one moment",
    when="ten senders claim them at once",
    then="each message is claimed by one of them",
)
def claim_at_once(stage: Stage, ledger: Ledger) -> Ledger:
    cohort = build_cohort(count=stage.size(80, 2000))
    with play(stage, cohort, delay=0.01) as run:
        run.crew.spawn_senders(stage.size(5, 10))
        ledger = run.finish(ledger)
    claims = dict(Reminder.objects.values_list("code", "generation"))
    twice = sum(claims[code] > 1 for code in claims if str(code) in cohort.planned)
    ledger.notes.append(f"{twice} claimed more than once in the end")
    ledger.require(not ledger.extra_copies, "an extra copy")
    return ledger


@scenario(
    "F19",
    given="two schedulers and ten senders at once",
    when="one scheduler hangs in the middle of a tick for more than a minute of the run's clock, then goes on",
    then="one tick a period; no extra copy",
)
def two_beats(stage: Stage, ledger: Ledger) -> Ledger:
    cohort = build_cohort(count=stage.size(80, 2000))
    with play(stage, cohort, delay=0.02, speed=10, beats=2) as run:
        run.crew.spawn_senders(stage.size(4, 10))
        for _ in range(stage.size(1, 3)):
            slow = run.crew.others[0]
            run.crew.signal(signal.SIGSTOP, slow)
            time.sleep(stage.size(7, 9))
            run.crew.signal(signal.SIGCONT, slow)
        run.faults_are_over()
        # What it held when it was stopped may have kept the other one waiting until now.
        wait_until(lambda: len(_periods()) > 1, 30)
        ledger = run.finish(ledger)
    periods = _periods()
    ledger.notes.append(f"{len(periods)} periods ticked")
    ledger.require(len(periods) == len(set(periods)) > 1, "a period was ticked twice, or none was")
    ledger.require(not ledger.extra_copies, "an extra copy")
    return ledger


@scenario(
    "F20",
    given="messages of use for six hours and others of use for one",
    when="neither scheduler nor senders live for three hours from the moment at which they are due",
    then="what is still of use goes out, the rest expires, each with its reason",
)
def beat_dead_for_hours(stage: Stage, ledger: Ledger) -> Ledger:
    cohort = build_cohort(count=stage.size(40, 2000))
    short_lived = [code for number, code in enumerate(cohort.planned) if number % 4 == 0]
    Reminder.objects.filter(code__in=short_lived).update(expires_at=PEAK + timedelta(hours=1))
    cohort.expect(short_lived, "expired")
    with play(stage, cohort, begins_at=PEAK + timedelta(hours=3)) as run:
        run.crew.spawn_senders(stage.size(2, 4))
        ledger = run.finish(ledger)
    _require_reasons(ledger)
    ledger.require(not ledger.extra_copies, "an extra copy")
    return ledger


@scenario(
    "F21",
    given="messages of a whole day's sessions",
    when="everything is down for a week",
    then="none of them goes out; each says that it was too late to be of use",
)
def week_down(stage: Stage, ledger: Ledger) -> Ledger:
    cohort = build_cohort(count=stage.size(40, 10_000), is_checked=not stage.is_long)
    cohort.expect(list(cohort.planned), "expired")
    with play(stage, cohort, begins_at=PEAK + timedelta(days=7), beats=2) as run:
        run.crew.spawn_senders(stage.size(3, 10))
        time.sleep(stage.size(1, 5))
        ledger = run.finish(ledger)
    _require_reasons(ledger)
    ledger.require(not ledger.sent_unique, "a stale message went out")
    return ledger


def _periods() -> list[datetime]:
    return list(TickRun.objects.filter(job="tick").values_list("period_start", flat=True))


def _require_reasons(ledger: Ledger) -> None:
    silent = Reminder.objects.filter(state="expired").exclude(decision_reason="stale").count()
    ledger.require(not silent, f"{silent} expired without the reason")
