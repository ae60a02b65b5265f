"""Mail servers that refuse, cut the line, are slow or never answer; and messages that cannot be written."""

from __future__ import annotations

import time
from collections import Counter
from datetime import timedelta
from statistics import quantiles
from typing import Final

from faults.cohort import PEAK, build_cohort
from faults.ledger import Ledger
from faults.scenario import scenario
from faults.stage import Stage, play, wait_until
from faults.stub import RETRY_AFTER, run_stub
from reminders.models import AttemptOutcome, DeliveryAttempt, Reminder, ReminderRule

# The first try and as many more as the documentation says.
_ATTEMPTS_MOST: Final = 6


@scenario(
    "F12",
    given="messages that are due at one moment",
    when="the mail server answers 451 to everything for ten minutes of the run's clock",
    then="all go out afterwards, none was tried more often than the pauses allow",
)
def refuse_for_now(stage: Stage, ledger: Ledger) -> Ledger:
    cohort = build_cohort(count=stage.size(40, 600), clinics=4)
    with play(stage, cohort, speed=20) as run:
        run.sink.set_mode("refuse")
        run.crew.spawn_senders(stage.size(2, 6))
        time.sleep(600 / run.clock.speed)
        run.sink.set_mode("accept")
        run.faults_are_over()
        ledger = run.finish(ledger)
        lines = run.sink.lines()
        tries = Counter(line.recipient for line in lines)
    refused = sum(line.answer.startswith("refused") for line in lines)
    most = max(tries.values())
    ledger.notes.append(f"{refused} refusals, at most {most} tries of one message")
    ledger.require(refused > 0, "nothing was refused: nothing was tested")
    ledger.require(most <= _ATTEMPTS_MOST, f"a message was tried {most} times")
    ledger.require(not ledger.extra_copies, "an extra copy of a message that was refused")
    return ledger


@scenario(
    "F13",
    given="messages of which a few are to recipients that do not exist",
    when="the server answers 550 to those, and 554 to a few finished messages",
    then="only those fail; addresses that do not exist are not written to again",
)
def refuse_some(stage: Stage, ledger: Ledger) -> Ledger:
    words = {3: "refuse550", 7: "data554"}
    cohort = build_cohort(count=stage.size(60, 1500), word=lambda n: words.get(n % 20, "client"))
    unknown = cohort.named("refuse550")
    cohort.expect([*unknown, *cohort.named("data554")], "failed")
    with play(stage, cohort) as run:
        run.crew.spawn_senders(stage.size(2, 6))
        ledger = run.finish(ledger)
    disabled = Reminder.objects.filter(
        code__in=unknown, client__contact_points__disabled_at__isnull=False
    ).count()
    ledger.notes.append(f"{disabled} addresses disabled")
    ledger.require(
        disabled == len(unknown), f"{len(unknown) - disabled} unknown addresses are still written to"
    )
    ledger.require(not ledger.extra_copies, "an extra copy")
    return ledger


@scenario(
    "F14",
    given="messages to a server that loses its connection now and then",
    when="the line is cut after the message and before the answer: taken, not taken, or never taken",
    then="every cut is on record as uncertain; nobody gets more than one extra copy, and what stays unknown says so",
)
def cut_after_data(stage: Stage, ledger: Ledger) -> Ledger:
    words = {1: "dropkeep", 2: "droplose", 3: "dropalways"}
    share = stage.size(10, 50)
    cohort = build_cohort(count=stage.size(80, 3000), word=lambda n: words.get(n % share, "client"))
    kept, always = cohort.named("dropkeep"), cohort.named("dropalways")
    cohort.expect(always, "uncertain")
    ordinary = sorted(cohort.planned.keys() - {*kept, *always, *cohort.named("droplose")})
    for place in range(10):
        # As on any day, others come due while those are tried again: with nothing but cuts at the end the breaker
        # would rightly leave the server alone for longer than a run takes.
        some, at = ordinary[place::10], PEAK + timedelta(seconds=30 * place)
        Reminder.objects.filter(code__in=some).update(send_at=at)
        cohort.retime(some, at)
    with play(stage, cohort, speed=10) as run:
        run.crew.spawn_senders(stage.size(2, 6))
        ledger = run.finish(ledger)
        lines = run.sink.lines()
    cuts = sum(line.answer in ("cut", "taken-cut") for line in lines)
    on_record = DeliveryAttempt.objects.filter(outcome=AttemptOutcome.UNCERTAIN).count()
    ledger.notes.append(f"{cuts} connections cut")
    ledger.require(on_record == cuts, f"{cuts} cuts, {on_record} attempts on record as uncertain")
    ledger.require(
        ledger.extra_copies <= len(kept), "more extra copies than messages that were taken and cut"
    )
    ledger.require(ledger.uncertain == len(always), "what never got an answer is not shown as uncertain")
    return ledger


@scenario(
    "F15",
    given="senders and a mail server",
    when="it never answers for a while; web hooks are due all the time",
    then="each send gives up before its lease, nothing is lost or goes twice, and no web hook is delayed by it",
    is_long_only=True,
)
def never_answers(stage: Stage, ledger: Ledger) -> Ledger:
    cohort = build_cohort(count=600)
    codes = sorted(cohort.planned)
    hooks = codes[:400]
    for place in range(40):
        # Ten every second, so that the undisturbed ones and those during the silence can be compared.
        some, at = hooks[place * 10 : place * 10 + 10], PEAK + timedelta(seconds=5 + place)
        Reminder.objects.filter(code__in=some).update(send_at=at)
        cohort.retime(some, at)
    with run_stub(stage.folder / "stub") as stub:
        cohort.send_by_hook(hooks, stub.port, now=PEAK - timedelta(days=1))
        # In real time: a socket's patience is nobody's to speed up.
        with play(stage, cohort, delay=0.5) as run:
            run.stub = stub
            run.crew.spawn_senders(3, channels=["email"])
            run.crew.spawn_senders(3, channels=["webhook"])
            time.sleep(20)
            run.sink.set_mode("silent")
            silent_from = run.clock()
            time.sleep(40)
            run.sink.set_mode("accept")
            run.faults_are_over()
            ledger = run.finish(ledger, seconds=400)
            late = {
                line.code: (run.clock.of(line.ended) - cohort.planned[line.code].send_at).total_seconds()
                for line in stub.lines()
            }
    before = [value for code, value in late.items() if cohort.planned[code].send_at < silent_from]
    during = [value for code, value in late.items() if cohort.planned[code].send_at >= silent_from]
    first, second = (quantiles(values, n=20)[-1] for values in (before, during))
    ledger.notes.append(f"p95 lateness of web hooks {first:.2f} s before, {second:.2f} s during the silence")
    # A fifth, and half a second for what else this machine was doing.
    ledger.require(
        second <= first * 1.2 + 0.5, f"web hooks came {second:.2f} s late in place of {first:.2f} s"
    )
    ledger.require(not ledger.extra_copies, "an extra copy")
    return ledger


@scenario(
    "F16",
    given="a clinic's own system, called for each message",
    when="it answers 429 and asks to be left alone for a minute of the run's clock",
    then="nobody calls it before that; everything goes out afterwards",
)
def too_many_requests(stage: Stage, ledger: Ledger) -> Ledger:
    cohort = build_cohort(count=stage.size(20, 400), clinics=1)
    with run_stub(stage.folder / "stub", delay=0.01) as stub:
        cohort.send_by_hook(list(cohort.planned), stub.port, now=PEAK - timedelta(days=1))
        stub.set_mode("busy")
        with play(stage, cohort, speed=10) as run:
            run.stub = stub
            run.crew.spawn_senders(stage.size(1, 4))
            wait_until(lambda: bool(stub.lines()), 30)
            first = stub.lines()[0].ended
            time.sleep(1)
            stub.set_mode("accept")
            run.faults_are_over()
            ledger = run.finish(ledger)
        asked = RETRY_AFTER / run.clock.speed
        # What others had under way at that moment had left already.
        early = [line for line in stub.lines() if first + 0.5 < line.began < first + asked - 0.05]
    refused = sum(line.answer == "refused-429" for line in stub.lines())
    ledger.notes.append(f"{refused} refusals, {len(early)} calls before the time was over")
    ledger.require(not early, f"{len(early)} calls came before the time that was asked for was over")
    ledger.require(not ledger.extra_copies, "an extra copy")
    return ledger


@scenario(
    "F24",
    given="a clinic whose own text cannot be written, addresses that no header can hold, and many others",
    when="all are due at once",
    then="those fail after a try or none; all others go out",
)
def poison(stage: Stage, ledger: Ledger) -> Ledger:
    cohort = build_cohort(count=stage.size(60, 2000))
    broken = [code for number, code in enumerate(cohort.planned) if number % 25 == 3]
    cohort.expect(broken, "failed", "suppressed")
    poison_some(broken)
    with play(stage, cohort) as run:
        run.crew.spawn_senders(stage.size(2, 6))
        ledger = run.finish(ledger)
    most = max(
        DeliveryAttempt.objects.filter(reminder__code__in=broken).values_list("number", flat=True), default=0
    )
    ledger.notes.append(f"{len(broken)} poisoned, at most {most} tries of one")
    ledger.require(most <= _ATTEMPTS_MOST, f"a poisoned message was tried {most} times")
    ledger.require(not ledger.extra_copies, "an extra copy")
    return ledger


def poison_some(codes: list[str]) -> None:
    """Give some messages a rule of their own whose text is no text, and others an address with a line break."""
    from clients.models import ContactPoint  # noqa: PLC0415  # app ready

    for number, row in enumerate(Reminder.objects.select_related("rule", "client").filter(code__in=codes)):
        if number % 2:
            contacts = ContactPoint.objects.filter(client=row.client)
            contacts.update(value=f"broken{number}\r\nBcc: everybody@example.com")
            continue
        rule = ReminderRule.objects.get(pk=row.rule_id)
        rule.pk, rule.slug, rule.code = (
            None,
            f"broken-{number}",
            ReminderRule._meta.get_field("code").get_default(),
        )
        rule.texts = {"en": 1}
        rule.save(force_insert=True)
        Reminder.objects.filter(pk=row.pk).update(rule=rule)
