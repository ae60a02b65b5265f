"""dispatch: due e-mails through one worker to a mail server on this machine, against a bare loop with the same bytes.

The baseline knows nothing: it takes finished messages from a list and hands them over one after the other on one
connection. The worker is the senders' one of docker-compose.yml with as many processes as it says; it claims each
message, asks once more whether it may still go, writes it in the client's language and puts attempt and outcome on
record. One sender alone, a single process with a single connection like the baseline's, is measured beside it.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Final

from bench.harness import Figure, Goal, Size, clock_seconds, medians_in_turns
from bench.scratch import GIVEN, create_migrated, scratch_server
from bench.sink import HOST, Sink, message_ids, run_sink, send_bare
from bench.workers import empty_queue, production_environment, run_workers, worker_commands
from bin.steps import say

_MAILS: Final[dict[Size, int]] = {"small": 5_000, "default": 5_000, "full": 5_000}
_RUNS: Final[dict[Size, int]] = {"small": 3, "default": 3, "full": 5}
_CLINICS: Final = 10
_QUEUE: Final = "send"
_LOOK_EVERY: Final = 0.05


def measure(size: Size) -> Iterator[Figure]:
    """Yield the rates of one worker and of one sender against that of a bare loop.

    Raises: RuntimeError when the sink did not get every message once.
    """
    mails, runs = _MAILS[size], _RUNS[size]
    with ExitStack() as stack:
        server = stack.enter_context(scratch_server())
        queue = stack.enter_context(empty_queue(GIVEN))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="regimen-bench-")))
        ours = stack.enter_context(run_sink(folder / "ours"))
        bare = stack.enter_context(run_sink(folder / "bare"))
        name = create_migrated(server, "mails")
        from bench.crowd import build_crowds  # noqa: PLC0415  # app ready: models need Django set up

        say("  model clinic ...")
        build_crowds(_CLINICS, mails=mails)
        environment = production_environment(
            database=name, queue=queue, mail_port=ours.port, folder=folder / "var"
        )
        work = partial(_work, environment, ours, mails, folder / "log")
        work(0)
        bodies = ours.messages()
        worker, sender, loop = medians_in_turns(
            runs,
            [
                work,
                partial(_drain, ours, mails),
                lambda _: clock_seconds(partial(send_bare, bare.port, bodies)),
            ],
        )
        if message_ids(bare.messages()[-mails:]) != message_ids(bodies):
            raise RuntimeError("the bare loop sent something else")
    note = f"median of {runs} runs in turns; baseline: smtplib, the same bytes over one kept connection"
    yield Figure(
        name="dispatch",
        work=f"{mails:,} due e-mails, one worker",
        figure=mails / worker,
        baseline=mails / loop,
        unit="/s",
        goal=Goal(0.8, "least"),
        note=f"its processes as in docker-compose.yml; {note}",
    )
    yield Figure(
        name="dispatch",
        work=f"{mails:,} due e-mails, one sender",
        figure=mails / sender,
        baseline=mails / loop,
        unit="/s",
        goal=Goal(0.4, "least"),
        note="one process, one connection; otherwise the same",
    )


def _work(environment: dict[str, str], sink: Sink, mails: int, log: Path, _: int) -> float:
    """Have a worker that is awake send all messages; return the seconds from the due moment to the last one sent."""
    from bench.crowd import has_mails_waiting, lateness, lay_down, make_due  # noqa: PLC0415  # app ready
    from clinics.clock import database_now  # noqa: PLC0415  # app ready

    command = worker_commands()[_QUEUE]
    lay_down()
    sink.clear()
    with run_workers({_QUEUE: command}, environment, log=log) as worker:
        worker.warm_up()
        make_due("email", at=database_now())
        for _ in range(_process_count(command)):
            # As a tick does.
            worker.send("reminders.send_due", queue=_QUEUE, args=["email"])
        while has_mails_waiting():
            worker.check()
            time.sleep(_LOOK_EVERY)
    _check(sink, mails)
    return lateness()[-1]


def _process_count(command: list[str]) -> int:
    return int(next(word.partition("=")[2] for word in command if word.startswith("--concurrency=")))


def _drain(sink: Sink, mails: int, _: int) -> float:
    """Send all messages in this process, and return the seconds."""
    from django.test import override_settings  # noqa: PLC0415  # app ready

    from bench.crowd import lay_down, make_due  # noqa: PLC0415  # app ready
    from clinics.clock import database_now  # noqa: PLC0415  # app ready
    from reminders.services import drain  # noqa: PLC0415  # app ready

    lay_down()
    sink.clear()
    make_due("email", at=database_now())
    done: list[Any] = []
    with override_settings(
        EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend",
        EMAIL_HOST=HOST,
        EMAIL_PORT=sink.port,
        EMAIL_HOST_USER="",
        EMAIL_USE_TLS=False,
        EMAIL_USE_SSL=False,
    ):
        seconds = clock_seconds(lambda: done.append(drain(channels=["email"])))
    if dict(done[0]) != {"sent": mails}:
        raise RuntimeError(f"{mails} messages were due, but it came to {dict(done[0])}")
    _check(sink, mails)
    return seconds


def _check(sink: Sink, mails: int) -> None:
    """Raise RuntimeError unless every message came once."""
    from bench.crowd import mails_on_record, states  # noqa: PLC0415  # app ready

    got = message_ids(sink.messages())
    if len(got) != mails or set(got) != mails_on_record() or states() != {"sent": mails}:
        raise RuntimeError(
            f"{mails} messages were due; {len(got)} came, {len(set(got))} different ones, "
            f"and the rows say {states()}"
        )
