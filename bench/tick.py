"""tick: one tick, the courses whose time has come and the messages that are due, among ever more courses.

The work is the same on every database: 500 courses to assess anew with their flags and messages, 500 messages to
check, write, hand to a channel that takes everything, and put on record. Only the rows around it grow; what grows
with them is what the ratio shows. Every tick has its own courses and messages, spread over all clinics.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Final

from bench.harness import Figure, Goal, Size, clock_seconds, medians_in_turns
from bench.scratch import ScratchServer, create_migrated, enter, scratch_server
from bin.steps import say

DUE: Final = 500
_RUNS: Final = 3
_COURSES: Final[dict[Size, tuple[int, ...]]] = {
    "small": (10_000, 40_000),
    "default": (10_000, 100_000),
    "full": (10_000, 100_000, 1_000_000),
}
_FEW_ROWS: Final = 1_000
_GROWING: Final = re.compile(r"Seq Scan on ((?:clinics|clients|courses|reminders)_\w+)")


def measure(size: Size) -> Iterator[Figure]:
    """Yield the time of a tick on each database against the smallest one.

    Raises: RuntimeError when a tick did not do the work that it was measured for.
    """
    with scratch_server() as server:
        yield from _measure(server, _COURSES[size])


def _measure(server: ScratchServer, sizes: tuple[int, ...]) -> Iterator[Figure]:
    from bench.due import find_candidates, quieten  # noqa: PLC0415  # app ready: models need Django set up
    from bench.model_clinic import COURSES, build_model_clinic  # noqa: PLC0415  # app ready
    from bench.multiply import multiply_clinic  # noqa: PLC0415  # app ready
    from reminders.models import Installation  # noqa: PLC0415  # app ready
    from reminders.services.outside import new_epoch, write_mark  # noqa: PLC0415  # app ready

    model = create_migrated(server, "model")
    say("  model clinic ...")
    build_model_clinic()
    candidates = find_candidates()
    quieten()
    names = {}
    for courses in sizes:
        names[courses] = server.create(f"{courses}", template=model)
        enter(names[courses])
        multiply_clinic(courses // COURSES - 1)
        # Two databases of one epoch would each be held as a backup of the other.
        write_mark(epoch := new_epoch(), 0)
        Installation.objects.update(epoch=epoch, beat=0)
    processor: dict[int, list[float]] = {courses: [] for courses in sizes}
    sides = [
        partial(_one_tick, names[courses], courses // COURSES, candidates, processor[courses])
        for courses in sizes
    ]
    # The first tick on each database warms it up; its figure is not kept.
    for once in sides:
        once(_RUNS)
    medians = medians_in_turns(_RUNS, sides)
    busy = [median(processor[courses][1:]) for courses in sizes]
    for courses, seconds, busy_seconds in list(zip(sizes, medians, busy, strict=True))[1:]:
        enter(names[courses])
        scans = _table_scans(partial(_tick_at, _RUNS + 1, courses // COURSES, candidates))
        yield Figure(
            name="tick",
            work=f"{DUE} courses and {DUE} messages due among {courses:,} active courses",
            figure=seconds,
            baseline=medians[0],
            unit="s",
            goal=Goal(1.3, "most"),
            note=f"by the clock, median of {_RUNS} ticks in turns; baseline: the same tick among {sizes[0]:,}; "
            f"processor time of worker and server {busy_seconds:.1f} s by {busy[0]:.1f} s; "
            + (
                f"reads whole tables: {', '.join(scans)}"
                if scans
                else "every table that grows is read by index"
            ),
        )


def _one_tick(name: str, clinics: int, candidates: Any, processor: list[float], number: int) -> float:
    from django.db import connection  # noqa: PLC0415  # app ready

    enter(name)
    server = connection.connection.info.backend_pid
    start = _processor_seconds(server)
    seconds = _tick_at(number, clinics, candidates)
    processor.append(_processor_seconds(server) - start)
    return seconds


def _processor_seconds(server: int) -> float:
    """Return the processor time so far of this process and, where it runs on this machine, of its server process."""
    return time.process_time() + process_seconds(server)


def process_seconds(server: int) -> float:
    """Return the processor time so far of a process of the server, nothing where it does not run on this machine."""
    try:
        name, _, rest = Path(f"/proc/{server}/stat").read_text(encoding="ascii").rpartition(")")
    except OSError:
        return 0.0
    if "postgres" not in name:
        # A server in a container counts its processes in its own way.
        return 0.0
    fields = rest.split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _tick_at(number: int, clinics: int, candidates: Any) -> float:
    """Make the due rows of one tick, run it, and return its seconds."""
    from bench.due import instant_of, wake  # noqa: PLC0415  # app ready
    from bench.null_channel import NULL  # noqa: PLC0415  # app ready
    from reminders.services import drain, run_tick  # noqa: PLC0415  # app ready

    now = instant_of(number)
    wake(candidates, number=number, runs=_RUNS + 2, clinics=clinics, due=DUE)
    done: list[Any] = []

    def tick() -> None:
        done.append(run_tick(now=now))
        done.append(drain(clock=lambda: now, factories=NULL))

    seconds = clock_seconds(tick)
    if done[0]["reassessed"] != DUE or dict(done[1]) != {"sent": DUE}:
        raise RuntimeError(f"a tick assessed and sent {done} instead of {DUE} each")
    return seconds


def _table_scans(tick: Callable[[], object]) -> list[str]:
    """Return the growing tables that one more tick reads from end to end, by the server's own account."""
    from django.db import connection  # noqa: PLC0415  # app ready

    shapes: dict[str, tuple[str, Any]] = {}

    def keep(execute: Any, statement: str, params: Any, many: bool, context: Any) -> Any:
        if statement.split(maxsplit=1)[0] in ("SELECT", "UPDATE", "DELETE", "INSERT"):
            # Lists of values differ in length only.
            shapes.setdefault(re.sub(r"%s(, %s)+", "%s", statement), (statement, params))
        return execute(statement, params, many, context)

    with connection.execute_wrapper(keep):
        tick()
    found: set[str] = set()
    with connection.cursor() as cursor:
        for statement, params in shapes.values():
            cursor.execute(f"EXPLAIN {statement}", params)
            found.update(_GROWING.findall("\n".join(row[0] for row in cursor.fetchall())))
        # A table of a page or two is read whole because that is the fastest.
        cursor.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND reltuples >= %s", [_FEW_ROWS])
        large = {row[0] for row in cursor.fetchall()}
    return sorted(found & large)
