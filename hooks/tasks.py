"""Entry points of the queue: nothing as argument, nothing remembered, harmless to run twice or at once."""

from celery import shared_task

from clinics.clock import database_now

# Below the soft time limit of a task, with the longest call on top.
_SECONDS = 25.0


@shared_task(name="hooks.tick")
def tick() -> None:
    """Wake senders for the calls whose time has come."""
    from hooks.services.waking import wake_senders  # noqa: PLC0415  # leaf: the task imports its service

    wake_senders(now=database_now())


@shared_task(name="hooks.send_due")
def send_due() -> None:
    """Make the calls that are due."""
    from hooks.services.sending import send_calls  # noqa: PLC0415  # leaf: the task imports its service

    send_calls(seconds=_SECONDS)


@shared_task(name="hooks.tidy")
def tidy() -> None:
    """Forget calls that ended long ago; harmless at any time and as often as wanted."""
    from hooks.services.tidying import tidy_deliveries  # noqa: PLC0415  # leaf: the task imports its service

    tidy_deliveries(now=database_now())
