"""PostgreSQL that crashes, is away, has few connections, cuts them, or is asked for the same rows from two sides."""

from __future__ import annotations

import signal
import time
from contextlib import ExitStack, suppress
from datetime import timedelta
from pathlib import Path

import psycopg
from django.db import connection
from psycopg import sql

from faults.changes import KINDS
from faults.cohort import PEAK, Cohort, build_cohort
from faults.ledger import Ledger
from faults.scenario import scenario
from faults.servers import Postgres
from faults.stage import Stage, play


@scenario(
    "F10",
    given="senders in the middle of their batches",
    when="PostgreSQL crashes (stop -m immediate) and comes back",
    then="nothing is lost; at most one extra copy for each sender and crash",
    needs_postgres=True,
    seeds=3,
)
def crash_postgres(stage: Stage, ledger: Ledger) -> Ledger:
    return _crash(stage, ledger, honours_keys=False)


@scenario(
    "F10 with key",
    given="the same, and a receiver that drops a second message with the same key",
    when="PostgreSQL crashes (stop -m immediate) and comes back",
    then="nothing is lost and there is no extra copy",
    needs_postgres=True,
)
def crash_postgres_with_key(stage: Stage, ledger: Ledger) -> Ledger:
    return _crash(stage, ledger, honours_keys=True)


def _crash(stage: Stage, ledger: Ledger, *, honours_keys: bool) -> Ledger:
    server = _server(stage)
    senders, crashes = stage.size(4, 10), stage.size(1, 3)
    cohort = build_cohort(count=stage.size(160, 4000))
    cohort.expect(list(cohort.planned), "sent", "uncertain")
    with play(stage, cohort, delay=0.04, honours_keys=honours_keys, speed=10) as run:
        run.crew.spawn_senders(senders)
        for number in range(crashes):
            run.until_taken((number + 0.5) / (crashes + 1))
            server.crash()
            time.sleep(0.5)
            server.start()
        run.faults_are_over()
        ledger = run.finish(ledger)
    most = 0 if honours_keys else senders * crashes
    ledger.notes.append(f"{crashes} crashes under {senders} senders")
    ledger.require(ledger.extra_copies <= most, f"more than {most} extra copies")
    ledger.require(ledger.uncertain <= senders * crashes, "more uncertain messages than senders and crashes")
    return ledger


@scenario(
    "F11",
    given="messages of two moments, the second while PostgreSQL is away",
    when="PostgreSQL is away for a minute of the run's clock, the ticks going on",
    then="all go out once it is back; none later than its use, none twice but what was in flight",
    needs_postgres=True,
)
def postgres_away(stage: Stage, ledger: Ledger) -> Ledger:
    server = _server(stage)
    senders = stage.size(2, 6)
    cohort = build_cohort(count=stage.size(60, 1000))
    later = _put_off_half(cohort)
    cohort.expect(list(cohort.planned), "sent", "uncertain")
    with play(stage, cohort, delay=0.02, speed=10) as run:
        run.crew.spawn_senders(senders)
        run.until_taken(0.25)
        server.crash()
        time.sleep(60 / run.clock.speed)
        server.start()
        run.faults_are_over()
        ledger = run.finish(ledger)
    ledger.notes.append(f"{later} fell due while it was away")
    ledger.require(ledger.extra_copies <= senders, "more extra copies than senders")
    ledger.require(not ledger.expired, "a message outlived its use in a minute")
    return ledger


def _put_off_half(cohort: Cohort) -> int:
    """Let half of the messages be due three quarters of a minute later; return how many."""
    from reminders.models import Reminder  # noqa: PLC0415  # app ready

    at = PEAK + timedelta(seconds=45)
    codes = sorted(cohort.planned)[: len(cohort.planned) // 2]
    Reminder.objects.filter(code__in=codes).update(send_at=at)
    cohort.retime(codes, at)
    return len(codes)


@scenario(
    "F28",
    given="ten senders on a server that allows few connections, and a web of people who read",
    when="all connections are taken, and the senders' own are cut again and again",
    then="nothing is lost; senders come back by themselves; no connection is inside a transaction while it sends",
    needs_postgres=True,
)
def few_connections(stage: Stage, ledger: Ledger) -> Ledger:
    server = _server(stage)
    senders = stage.size(4, 10)
    cohort = build_cohort(count=stage.size(120, 2000))
    cohort.expect(list(cohort.planned), "sent", "uncertain")
    cuts, held, taken = 0, 0, 0
    _set_most_connections(server, senders + 6)
    try:
        with play(stage, cohort, delay=0.05, speed=10) as run:
            run.crew.spawn_senders(senders)
            run.until_taken(0.1)
            for _ in range(stage.size(3, 10)):
                held += _long_transactions(server)
                cuts += _cut(server, stage)
                taken += _take_all_connections(server, seconds=0.5)
                time.sleep(0.2)
            run.faults_are_over()
            ledger = run.finish(ledger)
    finally:
        connection.close()
        _set_most_connections(server, None)
    ledger.notes.append(f"{taken} connections taken by others")
    ledger.notes.append(f"{cuts} connections cut")
    ledger.require(taken > 0, "there was no connection to take: nothing was tested")
    ledger.require(not held, f"{held} transactions were open for more than a second")
    ledger.require(ledger.extra_copies <= cuts, "more extra copies than cuts")
    return ledger


@scenario(
    "F29",
    given="senders and ticks at work on some courses",
    when="people cancel and move the sessions of the same courses, in different orders, all at once",
    then="no statement waits for more than five seconds, and nobody's change is lost",
    needs_postgres=True,
)
def edits_against_senders(stage: Stage, ledger: Ledger) -> Ledger:
    server = _server(stage)
    cohort = build_cohort(count=stage.size(60, 400), clinics=2)
    one = [(planned.session, stage.rng.choice(KINDS)) for planned in cohort.planned.values()]
    cohort.expect(list(cohort.planned), "sent", "cancelled", "suppressed", "uncertain")
    logs = [stage.folder / f"changes{number}" for number in range(2)]
    before = _deadlocks(server, stage)
    longest = 0.0
    with play(stage, cohort, delay=0.02) as run:
        run.crew.spawn_senders(stage.size(2, 4))
        for log, changes in zip(logs, (one, list(reversed(one))), strict=True):
            log.touch()
            run.crew.spawn("change", changes=changes, log=str(log), seed=stage.seed)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and not all(_lines(log) >= len(one) for log in logs):
            longest = max(longest, _longest_wait(server))
            time.sleep(0.1)
        run.faults_are_over()
        ledger = run.finish(ledger)
    lost = sum("\tlost\t" in line for log in logs for line in log.read_text().splitlines())
    deadlocks = _deadlocks(server, stage) - before
    ledger.notes.append(f"longest wait {longest:.1f} s, {deadlocks} deadlocks")
    ledger.require(all(_lines(log) >= len(one) for log in logs), "people did not get done")
    ledger.require(longest <= 5, f"a statement waited {longest:.1f} s")
    ledger.require(not lost, f"{lost} changes ended in an error of the database")
    return ledger


# ---------------------------------------------------------------- the server's own view


def _server(stage: Stage) -> Postgres:
    assert stage.postgres is not None, "this scenario has a server of its own"
    return stage.postgres


def _name(stage: Stage) -> str:
    return stage.database_url.rpartition("/")[2]


def _set_most_connections(server: Postgres, number: int | None) -> None:
    """Let the server accept so many connections and no more; None means as many as it did at first."""
    if number is None:
        server.run(sql.SQL("ALTER SYSTEM RESET max_connections"))
    else:
        server.run(sql.SQL("ALTER SYSTEM SET max_connections = {}").format(sql.Literal(number)))
    connection.close()
    server.end(signal.SIGINT)
    server.start()


def _take_all_connections(server: Postgres, *, seconds: float) -> int:
    """Hold every connection that is left for a while; return how many those were."""
    with ExitStack() as held:
        number = 0
        with suppress(psycopg.OperationalError):
            while number < 100:
                held.enter_context(psycopg.connect(server.url("postgres"), connect_timeout=3))
                number += 1
        time.sleep(seconds)
    return number


def _cut(server: Postgres, stage: Stage) -> int:
    found = server.run(
        sql.SQL(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {} AND pid IN "
            "(SELECT pid FROM pg_stat_activity WHERE state = 'idle' ORDER BY random() LIMIT 3)"
        ).format(sql.Literal(_name(stage)))
    )
    return len(found)


def _long_transactions(server: Postgres) -> int:
    found = server.run(
        sql.SQL(
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' "
            "AND xact_start < clock_timestamp() - interval '1 second'"
        )
    )
    return int(str(found[0][0]))


def _longest_wait(server: Postgres) -> float:
    found = server.run(
        sql.SQL(
            "SELECT coalesce(extract(epoch FROM max(clock_timestamp() - query_start)), 0) FROM pg_stat_activity "
            "WHERE state = 'active' AND wait_event_type = 'Lock'"
        )
    )
    return float(str(found[0][0]))


def _deadlocks(server: Postgres, stage: Stage) -> int:
    found = server.run(
        sql.SQL("SELECT deadlocks FROM pg_stat_database WHERE datname = {}").format(sql.Literal(_name(stage)))
    )
    return int(str(found[0][0]))


def _lines(log: Path) -> int:
    return sum(1 for _ in log.read_text().splitlines())
