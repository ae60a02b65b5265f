"""Entry points of the queue: no arguments, nothing remembered, harmless to run twice or at once."""

from celery import shared_task
from django.utils import timezone

from reminders.services import drain, run_tick, wake_senders

# Below the soft time limit of a task, so that a long queue ends in another task and not in a kill.
_SECONDS = 35.0


@shared_task(name="reminders.tick")
def tick() -> None:
    now = timezone.now()
    if run_tick(now=now) is not None:
        wake_senders(now=now)


@shared_task(name="reminders.send_due")
def send_due() -> None:
    drain(seconds=_SECONDS)
