"""Entry points of the queue."""

from celery import shared_task
from django.utils import timezone


@shared_task(name="imports.tidy")
def tidy() -> None:
    """Forget files that nobody applied; harmless at any time and as often as wanted."""
    from imports.services import tidy_imports  # noqa: PLC0415  # leaf: the task imports its service

    tidy_imports(now=timezone.now())
