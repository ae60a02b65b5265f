"""Background jobs: work that a page starts, a worker does step by step, and anybody finds again.

A kind is a function named in JOB_KINDS of the settings. It is called again and again, each time in a transaction
of its own that holds the job's row: it does a part that takes well under a second, notes in the row how far it
came, and returns whether that was the last part.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils.module_loading import import_string

from audit.services import Actor, record
from clinics.clock import Clock, database_clock
from clinics.models import BackgroundJob, Clinic, JobStatus

logger = logging.getLogger(__name__)

Step = Callable[[BackgroundJob, datetime], bool]

# Much longer than a step takes: whoever is silent for that long is gone, and another one takes over.
LEASE: Final = timedelta(seconds=30)
# Claims without a step that succeeds, after which trying again is for a person to decide.
MOST_ATTEMPTS: Final = 3
# Why a job failed that its kind knows nothing about.
BROKEN: Final = "broken"
# A wake-up that has waited until the next tick is worth nothing: that one finds the same row.
_WAKE_SECONDS: Final = 55


class JobError(Exception):
    """A job that cannot go on: one word that a page knows a sentence for."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def start_job(
    *,
    clinic: Clinic,
    kind: str,
    by: Actor,
    now: datetime,
    parameters: dict[str, Any] | None = None,
    total_count: int = 0,
) -> BackgroundJob:
    """Write down a job in the caller's transaction and wake a worker when that commits.

    parameters: ids, codes, dates and choices, as JSON; never names, contacts or clinical text. Whoever must not
    start the same twice asks a row of their own first.
    Raises: KeyError for a kind that is not named in the settings.
    Cost: two queries.
    """
    step_of(kind)
    job = BackgroundJob.objects.create(
        clinic=clinic,
        kind=kind,
        parameters=parameters or {},
        total_count=total_count,
        started_by_id=by.staff_member_id,
        created_at=now,
    )
    _record(job, "started", by=by, now=now)
    _wake_from_page(job)
    return job


def step_of(kind: str) -> Step:
    """Return the function that works a kind of job.

    Raises: KeyError for a kind that is not named in the settings.
    """
    found: Step = import_string(settings.JOB_KINDS[kind])
    return found


def cancel_job(*, job: BackgroundJob, by: Actor, now: datetime) -> BackgroundJob:
    """Stop a job after the step it is at, and return it; what was done stays done. An ended one is left alone."""
    with transaction.atomic():
        locked = _lock(job)
        if locked.has_ended:
            return locked
        _end(locked, JobStatus.CANCELLED, now=now)
        _record(locked, "cancelled", by=by, now=now)
    return locked


def retry_job(*, job: BackgroundJob, by: Actor, now: datetime) -> BackgroundJob:
    """Let a failed job go on where it stopped, and return it; any other is left alone."""
    with transaction.atomic():
        locked = _lock(job)
        if locked.status != JobStatus.FAILED:
            return locked
        locked.status, locked.error_code, locked.ended_at, locked.attempt_count = (
            JobStatus.WAITING,
            "",
            None,
            0,
        )
        locked.save(update_fields=["status", "error_code", "ended_at", "attempt_count"])
        _record(locked, "retried", by=by, now=now)
        _wake_from_page(locked)
    return locked


def _lock(job: BackgroundJob) -> BackgroundJob:
    return BackgroundJob.objects.select_for_update(of=("self",)).select_related("clinic").get(pk=job.pk)


def _record(job: BackgroundJob, action: str, *, by: Actor, now: datetime) -> None:
    record(
        f"job.{action}",
        at=now,
        by=by,
        clinic_code=job.clinic.code,
        subject_kind="job",
        subject_code=job.code,
        new={"kind": job.kind},
    )


# ---------------------------------------------------------------- the worker's side


def work_job(*, job_id: int, seconds: float, clock: Clock | None = None) -> bool:
    """Work on a job for about `seconds`; return whether something is left of it for the caller to hand on.

    Leaves quietly when the job is gone, has ended, or somebody else is at it.
    Cost: two queries to claim and two a step, besides what the steps themselves do.
    """
    clock = clock or database_clock()
    generation = _claim(job_id, clock())
    if generation is None:
        return False
    stop_at = time.monotonic() + seconds
    while (is_left := _work_step(job_id, generation, clock)) and time.monotonic() < stop_at:
        pass
    if is_left:
        # Free for the next one at once, wherever that is.
        _mine(job_id, generation).update(status=JobStatus.WAITING, lease_until=None)
    return is_left


def _claim(job_id: int, now: datetime) -> int | None:
    """Take a job that nobody works on and return the number of the claim, or None when it is not to be had."""
    job = _free(now).filter(pk=job_id).first()
    if job is None:
        return None
    mine = _free(now).filter(pk=job_id, generation=job.generation)
    if job.attempt_count >= MOST_ATTEMPTS:
        # Whoever claimed it came to grief each time, perhaps without a word.
        mine.update(status=JobStatus.FAILED, error_code=BROKEN, ended_at=now, lease_until=None)
        return None
    is_mine = mine.update(
        status=JobStatus.RUNNING,
        generation=job.generation + 1,
        lease_until=now + LEASE,
        attempt_count=F("attempt_count") + 1,
        started_at=Coalesce("started_at", now),
    )
    return job.generation + 1 if is_mine else None


def _free(now: datetime) -> QuerySet[BackgroundJob]:
    return BackgroundJob.objects.filter(
        Q(status=JobStatus.WAITING) | Q(status=JobStatus.RUNNING, lease_until__lte=now)
    )


def _mine(job_id: int, generation: int) -> QuerySet[BackgroundJob]:
    return BackgroundJob.objects.filter(pk=job_id, generation=generation, status=JobStatus.RUNNING)


def _work_step(job_id: int, generation: int, clock: Clock) -> bool:
    """Do one step of a claimed job and commit it with how far it came; return whether to go on at once."""
    try:
        with transaction.atomic():
            job = _mine(job_id, generation).select_for_update(of=("self",)).select_related("clinic").first()
            if job is None:
                return False
            now = clock()
            is_last = step_of(job.kind)(job, now)
            job.attempt_count = 0
            job.lease_until = clock() + LEASE
            if is_last:
                _end(job, JobStatus.DONE, now=now)
            job.save(update_fields=["done_count", "total_count", "result", "attempt_count", "lease_until"])
            return not is_last
    except JobError as error:
        logger.warning("Job %s cannot go on: %s.", job_id, error.code)
        _fail(job_id, generation, error.code, now=clock())
    except Exception:
        logger.exception("A step of job %s failed.", job_id)
        mine = _mine(job_id, generation)
        if mine.filter(attempt_count__gte=MOST_ATTEMPTS).exists():
            _fail(job_id, generation, BROKEN, now=clock())
        else:
            # Another try is the next tick's.
            mine.update(status=JobStatus.WAITING, lease_until=None)
    return False


def _end(job: BackgroundJob, status: JobStatus, *, now: datetime) -> None:
    job.status, job.ended_at, job.lease_until = status, now, None
    job.save(update_fields=["status", "ended_at", "lease_until"])


def _fail(job_id: int, generation: int, code: str, *, now: datetime) -> None:
    _mine(job_id, generation).update(status=JobStatus.FAILED, error_code=code, ended_at=now, lease_until=None)


# ---------------------------------------------------------------- wake-ups


def free_jobs(*, now: datetime) -> list[int]:
    """Return the ids of the jobs that nobody works on, or nobody any more; oldest first. Cost: one query."""
    return list(_free(now).order_by("created_at", "pk").values_list("pk", flat=True))


def work_jobs(*, clock: Clock | None = None) -> int:
    """Work, to the end of each, the jobs that wait for a worker; return how many. Where no worker runs."""
    clock = clock or database_clock()
    ids = free_jobs(now=clock())
    for job_id in ids:
        while work_job(job_id=job_id, seconds=LEASE.total_seconds(), clock=clock):
            pass
    return len(ids)


def wake_jobs(*, now: datetime) -> int:
    """Wake a worker for each job that waits for one, from inside a worker; return how many. Cost: one query."""
    jobs = list(_free(now).order_by("created_at", "pk").values_list("pk", "kind"))
    for job_id, kind in jobs:
        wake_job(job_id, kind=kind)
    return len(jobs)


def wake_job(job_id: int, *, kind: str) -> None:
    """Wake a worker for a job when the transaction commits; a wake-up that is lost is made up for by the tick.

    One of the kind's own queue, where the settings name one: what takes long must not stand before the tick.
    """
    from clinics.tasks import work  # noqa: PLC0415  # leaf: the task imports its service

    queue = settings.JOB_QUEUES.get(kind, settings.CELERY_TASK_DEFAULT_QUEUE)

    # Not partial(): a wake-up that fails is logged by its name, and that has none.
    def wake_worker() -> None:
        work.apply_async((job_id,), expires=_WAKE_SECONDS, queue=queue)

    transaction.on_commit(wake_worker, robust=True)


def _wake_from_page(job: BackgroundJob) -> None:
    # In one process the next tick, seconds away, finds it: a page has no way into the worker's memory.
    if settings.IS_QUEUE_REMOTE:
        wake_job(job.pk, kind=job.kind)
