"""Entry points of the queue: no more than a word as argument, nothing remembered, harmless to run twice or at once."""

import time

from celery import shared_task

from clinics.clock import database_now
from clinics.jobs import wake_jobs
from reminders.services import drain, run_tick, wake_senders
from reminders.services.heartbeat import send_heartbeat
from reminders.services.jumps import is_clock_steady

# Below the soft time limit of a task, so that a long queue ends in another task and not in a kill.
_SECONDS = 35.0


@shared_task(name="reminders.tick")
def tick() -> None:
    now = database_now()
    if is_clock_steady(now=now) and run_tick(now=now) is not None:
        wake_senders(now=now)
        wake_jobs(now=now)
        send_heartbeat(now=now)


@shared_task(name="reminders.send_due")
def send_due(channel: str) -> None:
    started = time.monotonic()
    drain(seconds=_SECONDS, channels=[channel])
    if time.monotonic() - started >= _SECONDS:
        # Out of time and not of work: what is left must not wait for the next tick.
        wake_senders(now=database_now(), successor_of=channel)
