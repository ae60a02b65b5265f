"""The controls: the same faults against senders that lack one guard. A control that passes proves nothing was tested."""

from __future__ import annotations

import signal
import time
from datetime import timedelta

from faults.cohort import PEAK, build_cohort
from faults.ledger import Ledger
from faults.scenario import scenario
from faults.stage import Stage, play


@scenario(
    "control: claim off",
    given="senders that read what is due and send it without claiming",
    when="several of them run at once",
    then="it must fail: copies",
    is_control=True,
)
def claim_off(stage: Stage, ledger: Ledger) -> Ledger:
    cohort = build_cohort(count=stage.size(40, 1000))
    with play(stage, cohort, delay=0.02, beats=0) as run:
        for _ in range(stage.size(3, 10)):
            run.crew.spawn("naive", control="claim off")
        ledger = run.finish(ledger)
    ledger.require(not ledger.extra_copies, f"{ledger.extra_copies} copies")
    return ledger


@scenario(
    "control: marked before",
    given="senders that mark a batch as sent and then send it",
    when="they are killed again and again",
    then="it must fail: lost without a trace",
    is_control=True,
)
def marked_before(stage: Stage, ledger: Ledger) -> Ledger:
    return _kill_naive(stage, ledger, "marked before")


@scenario(
    "control: results after the batch",
    given="senders that claim a batch, send it, and mark it at the end",
    when="they are killed again and again",
    then="it must fail: a batch of copies for each kill",
    is_control=True,
)
def results_after_batch(stage: Stage, ledger: Ledger) -> Ledger:
    ledger = _kill_naive(stage, ledger, "results after the batch")
    ledger.require(ledger.extra_copies <= ledger.kills, f"{ledger.extra_copies} copies")
    return ledger


def _kill_naive(stage: Stage, ledger: Ledger, control: str) -> Ledger:
    cohort = build_cohort(count=stage.size(160, 2000))
    with play(stage, cohort, delay=0.03, speed=10, beats=0) as run:
        for _ in range(stage.size(3, 10)):
            run.crew.spawn("naive", control=control)
        for _ in range(stage.size(4, 10)):
            time.sleep(stage.rng.uniform(0.25, 0.5))
            run.crew.kill_one(stage.rng, role="naive", control=control)
        run.faults_are_over()
        return run.finish(ledger)


@scenario(
    "control: fence off",
    given="senders that claim and send, and never ask whether the claim still holds",
    when="some are stopped for twice their lease and then wake up",
    then="it must fail: the rest of their batch goes twice",
    is_control=True,
)
def fence_off(stage: Stage, ledger: Ledger) -> Ledger:
    cohort = build_cohort(count=stage.size(80, 600))
    with play(stage, cohort, delay=0.04, speed=60, beats=0) as run:
        for _ in range(4):
            run.crew.spawn("naive", control="fence off")
        run.until_taken(0.1)
        frozen = run.crew.senders[:2]
        run.crew.signal(signal.SIGSTOP, *frozen)
        run.until_taken(1.0, seconds=20)
        run.crew.signal(signal.SIGCONT, *frozen)
        time.sleep(1.5)
        ledger = run.finish(ledger)
    ledger.require(ledger.extra_copies <= len(frozen), f"{ledger.extra_copies} copies from two pauses")
    return ledger


@scenario(
    "control: expiry off",
    given="senders that send whatever is due, however late",
    when="they start a week after the messages were due",
    then="it must fail: stale messages go out",
    is_control=True,
)
def expiry_off(stage: Stage, ledger: Ledger) -> Ledger:
    cohort = build_cohort(count=stage.size(20, 200))
    cohort.expect(list(cohort.planned), "expired")
    with play(stage, cohort, begins_at=PEAK + timedelta(days=7), beats=0) as run:
        run.crew.spawn("naive", control="expiry off")
        return run.finish(ledger)
