"""dispatch: due e-mails through one worker to a mail server on this machine, against a bare loop with the same bytes.

The baseline knows nothing: it takes finished messages from a list and hands them over one after the other on one
connection. The worker claims each message, asks once more whether it may still go, writes it in the client's language
and puts attempt and outcome on record.
"""

from __future__ import annotations

import smtplib
import tempfile
from collections.abc import Iterator
from email import message_from_bytes
from functools import partial
from pathlib import Path
from typing import Any

from bench.harness import Figure, Goal, Size, clock_seconds, medians_in_turns
from bench.scratch import create_migrated, enter, scratch_server
from bench.sink import HOST, Sink, run_sink
from bin.steps import say

_MAILS: dict[Size, int] = {"small": 1_000, "default": 5_000, "full": 5_000}
_RUNS: dict[Size, int] = {"small": 3, "default": 3, "full": 5}
# The envelope of the baseline; the sink accepts any.
_FROM, _TO = "regimen@localhost", "client@example.com"


def measure(size: Size) -> Iterator[Figure]:
    """Yield the rate of one worker against that of a bare loop.

    Raises: RuntimeError when the sink did not get every message once.
    """
    mails = _MAILS[size]
    with scratch_server() as server, tempfile.TemporaryDirectory(prefix="regimen-bench-") as folder:
        from bench.due import find_mails, quieten  # noqa: PLC0415  # app ready: models need Django set up
        from bench.model_clinic import build_model_clinic  # noqa: PLC0415  # app ready
        from bench.multiply import multiply_clinic  # noqa: PLC0415  # app ready

        model = create_migrated(server, "model")
        say("  model clinic ...")
        build_model_clinic()
        quieten()
        templates = find_mails()
        clinics = -(-mails // len(templates))
        enter(server.create("mails", template=model))
        multiply_clinic(clinics - 1)
        with run_sink(Path(folder) / "worker") as ours, run_sink(Path(folder) / "loop") as bare:
            _send_due(ours, templates, clinics, mails, 0)
            bodies = ours.messages()
            runs = _RUNS[size]
            seconds, bare_seconds = medians_in_turns(
                runs,
                [
                    partial(_send_due, ours, templates, clinics, mails),
                    lambda _: clock_seconds(partial(send_bare, bare.port, bodies)),
                ],
            )
            _check(ours.messages(), bodies, mails)
            _check(bare.messages()[-mails:], bodies, mails)
    yield Figure(
        name="dispatch",
        work=f"{mails:,} due e-mails, one worker",
        figure=mails / seconds,
        baseline=mails / bare_seconds,
        unit="/s",
        goal=Goal(0.8, "least"),
        note=f"median of {runs} runs in turns; baseline: smtplib, the same bytes over one kept connection",
    )


def _send_due(sink: Sink, templates: tuple[int, ...], clinics: int, mails: int, _: int) -> float:
    """Make the messages due, send them through the channel of the application, and return the seconds."""
    from django.test import override_settings  # noqa: PLC0415  # app ready

    from bench.due import instant_of, wake_mails  # noqa: PLC0415  # app ready
    from reminders.services import drain  # noqa: PLC0415  # app ready

    sink.clear()
    now = instant_of(0)
    wake_mails(templates, clinics=clinics, amount=mails)
    done: list[Any] = []
    with override_settings(
        EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend",
        EMAIL_HOST=HOST,
        EMAIL_PORT=sink.port,
        EMAIL_HOST_USER="",
        EMAIL_USE_TLS=False,
        EMAIL_USE_SSL=False,
    ):
        seconds = clock_seconds(lambda: done.append(drain(clock=lambda: now)))
    if dict(done[0]) != {"sent": mails}:
        raise RuntimeError(f"{mails} messages were due, but it came to {dict(done[0])}")
    return seconds


def send_bare(port: int, bodies: list[bytes]) -> None:
    """Hand finished messages over one after the other on one connection."""
    with smtplib.SMTP(HOST, port) as connection:
        for body in bodies:
            connection.sendmail(_FROM, [_TO], body)


def message_ids(bodies: list[bytes]) -> list[str]:
    """Return the Message-ID of each message, in the same order."""
    return [str(message_from_bytes(body)["Message-ID"]) for body in bodies]


def _check(got: list[bytes], wanted: list[bytes], mails: int) -> None:
    """Raise RuntimeError unless the same messages came, each once."""
    ids = set(message_ids(got))
    if len(got) != mails or len(ids) != mails or sum(map(len, got)) != sum(map(len, wanted)):
        raise RuntimeError(f"{len(got)} messages with {len(ids)} ids came, {mails} were sent")
