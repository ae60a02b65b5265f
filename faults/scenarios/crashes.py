"""Senders that are killed, stopped, told to end, or paused for longer than their lease."""

from __future__ import annotations

import signal
import time
from datetime import timedelta

from faults.cohort import PEAK, build_cohort
from faults.ledger import Ledger
from faults.scenario import scenario
from faults.stage import Play, Stage, play
from faults.stub import run_stub

_LEASE_SECONDS = 60.0
# So many messages a sender puts on the wire in one commit at most.
_WINDOW_MOST = 64


@scenario(
    "F01",
    given="ten senders and messages that are due at one moment, over plain SMTP",
    when="a sender is killed by SIGKILL again and again, mid-batch, and replaced",
    then="nothing is lost; at most one extra copy for each kill",
    seeds=3,
)
def kill_senders(stage: Stage, ledger: Ledger) -> Ledger:
    ledger = _kill_again_and_again(stage, ledger, honours_keys=False)
    ledger.require(ledger.extra_copies <= ledger.kills, "more extra copies than kills")
    ledger.require(ledger.uncertain <= ledger.kills, "more uncertain messages than kills")
    return ledger


@scenario(
    "F01 with key",
    given="the same, and a receiver that drops a second message with the same key",
    when="a sender is killed by SIGKILL again and again, mid-batch, and replaced",
    then="nothing is lost and there is no extra copy",
    seeds=3,
)
def kill_senders_with_key(stage: Stage, ledger: Ledger) -> Ledger:
    ledger = _kill_again_and_again(stage, ledger, honours_keys=True)
    ledger.require(not ledger.extra_copies, "an extra copy though the receiver drops them")
    return ledger


@scenario(
    "F01 web hook",
    given="ten senders and messages to the clinics' own systems, which drop calls with an id they know",
    when="a sender is killed by SIGKILL again and again, mid-batch, and replaced",
    then="nothing is lost, nothing is uncertain, and there is no extra copy",
)
def kill_senders_of_hooks(stage: Stage, ledger: Ledger) -> Ledger:
    cohort = build_cohort(count=stage.size(120, 3000))
    with run_stub(stage.folder / "stub", delay=0.05) as stub:
        cohort.send_by_hook(list(cohort.planned), stub.port, now=PEAK - timedelta(days=1))
        with play(stage, cohort, speed=10) as run:
            run.stub = stub
            run.crew.spawn_senders(stage.size(4, 10))
            run.until_taken(0.03)
            for _ in range(stage.size(4, 10)):
                time.sleep(stage.rng.uniform(0.2, 0.6))
                run.crew.kill_one(stage.rng)
            run.faults_are_over()
            ledger = run.finish(ledger)
    dropped = sum(line.answer == "copy-dropped" for line in stub.lines())
    ledger.notes.append(f"{dropped} copies dropped by the receiver")
    ledger.require(not ledger.extra_copies, "an extra copy though the receiver drops them")
    return ledger


@scenario(
    "F01 hosts lost",
    given="ten senders on machines of their own, over plain SMTP",
    when="a sender is killed again and again, and what its machine noted is gone with it",
    then="nothing is lost; at most one extra copy for each message that was on the wire",
    seeds=2,
)
def lose_hosts(stage: Stage, ledger: Ledger) -> Ledger:
    ledger = _kill_again_and_again(stage, ledger, honours_keys=False, is_host_lost=True)
    ledger.require(
        ledger.extra_copies <= ledger.kills * _WINDOW_MOST, "more extra copies than were on the wire"
    )
    return ledger


def _kill_again_and_again(
    stage: Stage, ledger: Ledger, *, honours_keys: bool, is_host_lost: bool = False
) -> Ledger:
    senders, kills = stage.size(4, 10), stage.size(4, 20)
    cohort = build_cohort(count=stage.size(160, 6000))
    cohort.expect(list(cohort.planned), "sent", "uncertain")
    # Slow enough that the queue outlasts the kills.
    with play(stage, cohort, delay=0.05, honours_keys=honours_keys, speed=10) as run:
        for number in range(senders):
            run.crew.spawn("send", **_host(stage, number, is_host_lost))
        run.until_taken(0.03)
        for number in range(senders, senders + kills):
            time.sleep(stage.rng.uniform(0.2, 0.4) if not stage.is_long else stage.rng.uniform(0.6, 1.2))
            run.crew.kill_one(stage.rng, **_host(stage, number, is_host_lost))
        run.faults_are_over()
        return run.finish(ledger)


def _host(stage: Stage, number: int, is_own: bool) -> dict[str, str]:
    return {"journal": str(stage.folder / f"host{number}")} if is_own else {}


@scenario(
    "F03",
    given="senders in the middle of their batches",
    when="all are told to end by SIGTERM, as a deploy does, and others are started",
    then="each finishes what it has in hand; nothing stays claimed, lost, or goes twice",
)
def end_politely(stage: Stage, ledger: Ledger) -> Ledger:
    cohort = build_cohort(count=stage.size(120, 2000))
    with play(stage, cohort, delay=0.02) as run:
        for _ in range(stage.size(1, 5)):
            run.crew.spawn_senders(stage.size(3, 6))
            run.until_taken(0.02 + _share_taken(run))
            seconds = run.crew.end(*run.crew.senders)
            ledger.restarts += 1
            held = _claimed()
            ledger.require(not held, f"{held} messages stayed claimed after their senders had ended")
            ledger.require(seconds < 45, f"a sender took {seconds:.0f} s to end")
        run.faults_are_over()
        run.crew.spawn_senders(stage.size(3, 6))
        ledger = run.finish(ledger)
    ledger.require(not ledger.extra_copies, "an extra copy after a polite end")
    return ledger


def _share_taken(run: Play) -> float:
    return sum(line.is_taken for line in run.sink.lines()) / len(run.cohort.planned)


def _claimed() -> int:
    from reminders.models import Reminder, ReminderState  # noqa: PLC0415  # app ready

    return Reminder.objects.filter(state=ReminderState.CLAIMED).count()


@scenario(
    "F05",
    given="senders in the middle of their batches",
    when="some are stopped for twice their lease (a frozen machine) while others go on, and then wake up",
    then="a sender that wakes up sends nothing that another has taken: at most one extra copy for each pause",
    is_long_only=True,
)
def pause_senders(stage: Stage, ledger: Ledger) -> Ledger:
    cohort = build_cohort(count=3000)
    cohort.expect(list(cohort.planned), "sent", "uncertain")
    pauses = 0
    # In real time: a sender knows by its machine's own counter that it was asleep.
    with play(stage, cohort, delay=0.2, speed=1) as run:
        run.crew.spawn_senders(4)
        run.until_taken(0.05)
        for _ in range(2):
            frozen = stage.rng.sample(run.crew.senders, 2)
            run.crew.signal(signal.SIGSTOP, *frozen)
            pauses += len(frozen)
            time.sleep(2 * _LEASE_SECONDS / run.clock.speed)
            run.crew.signal(signal.SIGCONT, *frozen)
            time.sleep(0.5)
        run.faults_are_over()
        ledger = run.finish(ledger, seconds=400)
    ledger.notes.append(f"{pauses} pauses")
    ledger.require(ledger.extra_copies <= pauses, "more extra copies than pauses")
    return ledger
