"""Entry points of the queue."""

from importlib import import_module

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from clinics.answered import remove_expired_answers
from clinics.jobs import wake_job, work_job
from clinics.models import BackgroundJob

# A slice of a job: the tick waits in the same queue, and other jobs do.
_SECONDS = 10.0


@shared_task(name="clinics.housekeep")
def housekeep() -> None:
    """Remove logins and programs' answers that have expired; harmless at any time and as often as wanted."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    remove_expired_answers(now=timezone.now())


@shared_task(name="clinics.work_job")
def work(job_id: int) -> None:
    """Do a slice of a background job; harmless twice or at once."""
    if work_job(job_id=job_id, seconds=_SECONDS):
        wake_job(job_id, kind=BackgroundJob.objects.values_list("kind", flat=True).get(pk=job_id))
