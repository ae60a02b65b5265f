"""reassess: every running course assessed again from its rows, and its flags compared, by two processes.

The other side is what a database could do at most: one window pass over the same attended sessions, which gives the
days between each two of a course and nothing else. All answers are up to date beforehand, as in an installation whose
tick runs; then a few are spoiled, found and mended, which shows that they were compared.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import Any, Final

from bench.harness import Figure, Goal, Size, clock_seconds, medians_in_turns
from bench.scratch import ScratchServer, address_of, create_migrated, scratch_server
from bench.tick import process_seconds
from bin.steps import StepError, say

_COURSES: Final[dict[Size, int]] = {"small": 20_000, "default": 100_000, "full": 1_000_000}
_WORKERS: Final = 2
_RUNS: Final = 3
# Of so many courses one is spoiled.
_ONE_OF: Final = 1_000
_GAPS: Final = """
    SELECT count(*), count(gap), max(gap), sum(gap) FROM (
        SELECT visit."on" - lag(visit."on") OVER (PARTITION BY visit.course_id ORDER BY visit."on") AS gap
        FROM courses_treatmentsession AS visit JOIN courses_course AS course ON course.id = visit.course_id
        WHERE visit.status = 'attended' AND course.status IN ('active', 'paused')
    ) AS gaps"""


def measure(size: Size) -> Iterator[Figure]:
    """Yield the time of one pass over all running courses against the window pass.

    Raises: RuntimeError when a course was left out, or found to differ when none did, or not found when it did.
    """
    with scratch_server() as server:
        yield from _measure(server, _COURSES[size])


def _measure(server: ScratchServer, courses: int) -> Iterator[Figure]:
    from bench.model_clinic import COURSES, TODAY, build_model_clinic, local  # noqa: PLC0415  # app ready
    from bench.multiply import multiply_clinic  # noqa: PLC0415  # app ready
    from courses.management.fan_out import reassess_all  # noqa: PLC0415  # app ready
    from courses.management.own_process import keep_garbage  # noqa: PLC0415  # app ready

    # The processes look there for it.
    name = create_migrated(server, "reassess")
    os.environ["DATABASE_URL"] = address_of(os.environ["DATABASE_URL"], name)
    say("  model clinic ...")
    build_model_clinic()
    now = local(TODAY, 21)
    for _ in reassess_all(now=now):
        pass
    multiply_clinic(courses // COURSES - 1)
    keep_garbage()
    clocks: list[tuple[float, float]] = []
    sides: list[Callable[[int], float]] = [partial(_pass_seconds, now, courses, clocks), _window_seconds]
    for once in sides:
        once(0)
    clocks.clear()
    seconds, baseline = medians_in_turns(_RUNS, sides)
    passes = sorted(clocks)[_RUNS // 2]
    by_clock = clock_seconds(_window_pass)
    spoiled = _spoil()
    mending = clock_seconds(partial(_check, now, (courses, spoiled)))
    _check(now, (courses, 0))
    yield Figure(
        name="reassess",
        work=f"{courses:,} running courses from rows to flags, {_WORKERS} processes",
        figure=seconds,
        baseline=baseline,
        unit="s",
        goal=Goal(10, "most"),
        note=f"processor time of processes and server by {_WORKERS}, as long as it takes where they have a processor each, "
        f"median of {_RUNS} in turns; baseline: processor time of one window pass over their attended sessions; nothing "
        f"differed; by the clock of this machine {passes[0]:.1f} s ({courses / passes[0]:,.0f} courses a second) by "
        f"{by_clock:.2f} s; with {spoiled:,} wrong answers to find, mend and announce {mending:.1f} s",
    )


def _check(now: datetime, expected: tuple[int, int]) -> float:
    """Assess all courses by two processes; return the processor time that the server took for it.

    Raises: RuntimeError for other numbers of courses, and of courses that differed, than expected.
    """
    from courses.management.fan_out import reassess_all  # noqa: PLC0415  # app ready

    assessed = changed = 0
    server: dict[int, float] = {}
    for part in reassess_all(now=now, workers=_WORKERS):
        assessed, changed = assessed + part.assessed, changed + part.changed
        # What a process of the server took is lost with it.
        server |= _server_seconds()
    if (assessed, changed) != expected:
        raise RuntimeError(f"{assessed} were assessed and {changed} differed instead of {expected}")
    return sum(server.values())


def _server_seconds() -> dict[int, float]:
    """Return the processor time so far of every process of the server that works for others in this database."""
    from django.db import connection  # noqa: PLC0415  # app ready

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return {pid: seconds for (pid,) in cursor.fetchall() if (seconds := process_seconds(pid))}


def _pass_seconds(now: datetime, courses: int, clocks: list[tuple[float, float]], number: int) -> float:
    """Return the processor time of one pass over all courses, shared out evenly."""
    before = _used_seconds()
    server: list[float] = []
    clock = clock_seconds(lambda: server.append(_check(now, (courses, 0))))
    busy = _used_seconds() - before + server[0]
    clocks.append((clock, busy))
    return busy / _WORKERS


def _used_seconds() -> float:
    """Return the processor time of this process and of all that it started and that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _window_seconds(number: int) -> float:
    """Return the processor time of one window pass by one process of the server."""
    from django.db import connection  # noqa: PLC0415  # app ready

    with connection.cursor() as cursor:
        cursor.execute("SET max_parallel_workers_per_gather = 0")
    server = connection.connection.info.backend_pid
    before = process_seconds(server)
    if not before:
        raise StepError("It needs a server of PostgreSQL on this machine, whose processor time can be read.")
    _window_pass()
    return process_seconds(server) - before


def _window_pass() -> Any:
    from django.db import connection  # noqa: PLC0415  # app ready

    with connection.cursor() as cursor:
        cursor.execute(_GAPS)
        return cursor.fetchone()


def _spoil() -> int:
    """Give every so-manieth course an answer that no assessment would give; return how many."""
    from courses.models import Course  # noqa: PLC0415  # app ready

    ids = list(Course.objects.order_by("pk").values_list("pk", flat=True))[::_ONE_OF]
    return Course.objects.filter(pk__in=ids).update(slippage_days=999)
