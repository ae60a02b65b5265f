"""Entry points of the queue: nothing as argument, nothing remembered, harmless to run twice or at once."""

from celery import shared_task

from clinics.clock import database_now


@shared_task(name="exports.run_due")
def run_due() -> None:
    """Start the regular files whose time has come."""
    from exports.services import run_due_schedules  # noqa: PLC0415  # leaf: the task imports its service

    run_due_schedules(now=database_now())


@shared_task(name="exports.tidy")
def tidy() -> None:
    """Remove the files that have had their day."""
    from exports.services import tidy_exports  # noqa: PLC0415  # leaf: the task imports its service

    tidy_exports(now=database_now())
