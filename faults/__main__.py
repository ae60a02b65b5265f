"""Break things on purpose: python -m faults [F01 ...] [--short | --long] [--seed N].

PostgreSQL and Redis are our own, on free ports of this machine, and gone afterwards. Prints the ledger, writes it to
var/faults/; with --publish the table also goes into docs/reliability.md. Exit code 1 when a bar was not cleared, or a control
did not fail.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
import traceback
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import django
from django.core.management import call_command
from django.db import connection

from bin.steps import ROOT, StepError, say
from faults.crew import Nursery, run_nursery
from faults.servers import Postgres, Redis, own_postgres, own_redis

if TYPE_CHECKING:
    from faults.ledger import Ledger
    from faults.scenario import Scenario

FOLDER = ROOT / "var" / "faults"


def main(arguments: Sequence[str]) -> int:
    """Play the scenarios asked for; return 1 when one was not as it must be."""
    parser = argparse.ArgumentParser(prog="python -m faults", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help="such as F01; else all")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--short", action="store_true", help="small sizes")
    size.add_argument("--long", action="store_true", help="the sizes of the published ledger (the default)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--publish", action="store_true", help="put the table into docs/reliability.md")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with ExitStack() as stack:
        postgres = stack.enter_context(own_postgres())
        redis = stack.enter_context(own_redis())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="regimen-faults-")))
        _set_up_django(postgres, folder)
        from faults.stage import environment  # noqa: PLC0415  # app ready

        nursery = stack.enter_context(
            run_nursery(environment(postgres.url("model"), folder), log=folder / "nursery.log")
        )
        return _play_all(postgres, redis, nursery, options)


def _set_up_django(postgres: Postgres, folder: Path) -> None:
    # Whatever the environment holds is somebody's: only our own servers are used.
    postgres.create("model")
    os.environ["DATABASE_URL"] = postgres.url("model")
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    os.environ["REGIMEN_MODE"] = "embedded"
    os.environ["VAR_DIR"] = str(folder)
    for name in (
        "REDIS_URL",
        "EMAIL_HOST",
        "BASE_URL",
        "DEMO",
        "INSTALLATION_FILE",
        "INSTALLATION_EPOCH",
        "JOURNAL_DIR",
    ):
        os.environ.pop(name, None)
    django.setup()
    call_command("migrate", verbosity=0, interactive=False)
    connection.close()


def _play_all(postgres: Postgres, redis: Redis, nursery: Nursery, options: argparse.Namespace) -> int:
    from faults import publish, scenarios  # noqa: PLC0415  # app ready
    from faults.ledger import read_json, sum_of, table, write_json  # noqa: PLC0415  # app ready
    from faults.scenario import SCENARIOS, found  # noqa: PLC0415  # app ready

    scenarios.load()
    ledgers: list[Ledger] = []
    failures: list[str] = []
    for one in found(options.names):
        if options.short and one.is_long_only:
            continue
        trials = list(_play(one, postgres, redis, nursery, options))
        if len(trials) < _trials_of(one, options):
            failures.append(one.name)
        if trials:
            ledgers.append(publish.join(trials))
        if trials and not options.short:
            write_json(ledgers[-1], FOLDER)
    say(f"\n{table(ledgers)}\n\n{sum_of(ledgers)}\n")
    # The page shows the last run of every scenario, also of those that were not played this time.
    known = [last for name in SCENARIOS if (last := read_json(name, FOLDER)) is not None]
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "ledger.md").write_text(f"{table(known)}\n\n{sum_of(known)}\n", encoding="utf-8")
    if options.publish:
        publish.publish(known)
    failures += [ledger.name for ledger in ledgers if not ledger.is_as_wished]
    if failures:
        say(f"Not as it must be: {', '.join(failures)}.")
    return 1 if failures else 0


def _trials_of(one: Scenario, options: argparse.Namespace) -> int:
    return 1 if options.short else one.seeds


def _play(
    one: Scenario, postgres: Postgres, redis: Redis, nursery: Nursery, options: argparse.Namespace
) -> Iterator[Ledger]:
    """Yield the ledger of each trial of a scenario that could be played to its end."""
    from faults.stage import Stage  # noqa: PLC0415  # app ready

    for trial in range(_trials_of(one, options)):
        say(f"{one.name}: {one.when} ...")
        started, name = time.monotonic(), f"run_{uuid.uuid4().hex[:8]}"
        try:
            with tempfile.TemporaryDirectory(prefix="regimen-faults-") as folder:
                _enter(postgres, name)
                stage = Stage(
                    folder=Path(folder),
                    database_url=postgres.url(name),
                    nursery=nursery,
                    seed=options.seed + trial,
                    is_long=not options.short,
                    postgres=postgres,
                    redis=redis,
                )
                ledger = one.play(stage)
        except Exception:
            # What the others found is worth having all the same.
            say(f"{one.name} broke off:\n{traceback.format_exc()}")
            continue
        finally:
            _leave(postgres, redis, name)
        verdict = "as it must" if ledger.is_as_wished else "; ".join(ledger.broken) or "it passed"
        say(f"  {time.monotonic() - started:.0f} s, {verdict}")
        yield ledger


def _enter(postgres: Postgres, name: str) -> None:
    connection.close()
    postgres.create(name, template="model")
    connection.settings_dict["NAME"] = name
    connection.ensure_connection()


def _leave(postgres: Postgres, redis: Redis, name: str) -> None:
    """Bring back whatever a scenario has left stopped, and drop its database."""
    connection.close()
    for server in (postgres, redis):
        server.send(signal.SIGCONT)
        if not server.is_up():
            server.start()
    with redis.client() as client:
        client.flushall()
    postgres.drop(name)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except StepError as error:
        sys.exit(str(error))
