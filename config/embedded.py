"""The worker of an embedded installation: tasks, clock and queue in one process, no server needed.

The queue is memory of this process, so nothing outside can put a task into it; nothing has to, because
every message to send is a row and the tick finds it a few seconds later.
"""

import logging
import sys
import warnings
from threading import Thread

from celery import Celery
from celery.apps.worker import Worker
from celery.beat import EmbeddedService, Scheduler
from celery.exceptions import SecurityWarning
from django.conf import settings

from config.celery import app

QUEUES = ("default", "send", "send_other", "hooks", "export")
# One for the sender of each of the five channels and one for web hooks, so that none waits for another; the others for
# the tick and exports.
THREADS = 9
# What finds in the rows what has come due.
_TICKS = ("tick", "call-hooks")


def run(app: Celery, *, tick_seconds: float) -> int:
    """Work until told to stop by SIGTERM; return the exit code.

    Units: tick_seconds from one tick to the next, in place of the beat table's minute.
    """
    quicken_tick(app, tick_seconds=tick_seconds)
    clock = EmbeddedService(app, thread=True, scheduler_cls=Scheduler)
    assert isinstance(clock, Thread), "a clock in another process could not reach this queue"
    worker = make_worker(app)
    clock.start()
    try:
        worker.start()
    finally:
        clock.stop()
    return worker.exitcode or 0


def quicken_tick(app: Celery, *, tick_seconds: float) -> None:
    """Let the ticks of the beat table come every few seconds, each one worthless once the next is there."""
    table = app.conf.beat_schedule
    quick = {"schedule": tick_seconds, "options": {"expires": tick_seconds}}
    app.conf.beat_schedule = {**table, **{name: {**table[name], **quick} for name in _TICKS if name in table}}


def make_worker(app: Celery) -> Worker:
    """Return a worker with a pool of threads on every queue: a process of a pool could not see the queue."""
    with warnings.catch_warnings():
        # Celery warns root because of pickled messages; this queue is JSON and nobody else can write to it.
        warnings.simplefilter("ignore", SecurityWarning)
        return app.Worker(
            pool="threads",
            concurrency=THREADS,
            queues=QUEUES,
            loglevel=logging.WARNING,
            quiet=True,
            redirect_stdouts=False,
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
        )


if __name__ == "__main__":
    sys.exit(run(app, tick_seconds=settings.TICK_SECONDS_EMBEDDED))
