"""Entry points of the queue."""

from celery import shared_task


@shared_task(name="reports.tally_days")
def tally() -> None:
    """Count anew the days that have changed; harmless at any time and as often as wanted."""
    from courses.services import tally_days  # noqa: PLC0415  # leaf: the task imports its service

    tally_days()
