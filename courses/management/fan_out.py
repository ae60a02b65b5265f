"""Ranges of courses shared out among processes, each with Django and a connection of its own."""

import multiprocessing
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import datetime
from typing import Final

from django.db import connections

from clinics.models import Clinic
from courses.management.own_process import prepare
from courses.models import Course
from courses.services.reassessing import RUNNING, Reassessed, reassess_running

# Small enough that no process is left with a long last one, large enough that sharing them out costs nothing.
_RANGE: Final = 4000


def reassess_all(
    *, now: datetime, workers: int = 1, clinic: Clinic | None = None, is_dry: bool = False
) -> Iterator[Reassessed]:
    """Assess every running course, of one clinic or of all, and yield the counts of each part as it is done.

    With more than one worker each is a process of its own, and the caller's connection is closed: not to be called
    within a transaction.
    Raises: whatever ends a worker, after the others have done what they had begun.
    """
    ranges = list(_ranges(clinic))
    if workers == 1 or len(ranges) <= 1:
        for first, last in ranges:
            yield from reassess_running(first=first, last=last, now=now, clinic=clinic, is_dry=is_dry)
        return
    # A copy of this process is there at once; one that shared this one's connection would be lost.
    is_copied = sys.platform == "linux"
    connections.close_all()
    with ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("fork" if is_copied else "spawn"),
        initializer=None if is_copied else prepare,
    ) as pool:
        clinic_id = clinic.pk if clinic else None
        waiting = [
            pool.submit(_work, first, last, now=now, clinic_id=clinic_id, is_dry=is_dry)
            for first, last in ranges
        ]
        for done in as_completed(waiting):
            yield done.result()


def _ranges(clinic: Clinic | None) -> Iterator[tuple[int, int]]:
    """Yield ranges of ids, both ends included, with so many running courses each. Cost: one query a range."""
    courses = Course.objects.filter(status__in=RUNNING).order_by("pk")
    if clinic is not None:
        courses = courses.for_clinic(clinic)
    first = 0
    while True:
        ids = courses.filter(pk__gte=first).values_list("pk", flat=True)[:_RANGE]
        found = list(ids)
        if not found:
            return
        yield found[0], found[-1]
        first = found[-1] + 1


def _work(first: int, last: int, *, now: datetime, clinic_id: int | None, is_dry: bool) -> Reassessed:
    clinic = Clinic.objects.get(pk=clinic_id) if clinic_id is not None else None
    parts = list(reassess_running(first=first, last=last, now=now, clinic=clinic, is_dry=is_dry))
    return Reassessed(sum(part.assessed for part in parts), sum(part.changed for part in parts))
