"""Entry points of the queue."""

from importlib import import_module

from celery import shared_task
from django.conf import settings


@shared_task(name="clinics.housekeep")
def housekeep() -> None:
    """Remove the sessions of logins that have expired; harmless at any time and as often as wanted."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
