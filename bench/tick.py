"""tick: one tick, the courses whose time has come and the messages that are due, among ever more courses.

The work is the same on every database: 500 courses to assess anew with their flags and messages, 500 messages to
check, write, hand to a channel that takes everything, and put on record. Only the rows around it grow; what grows
with them is what the ratio shows. Every tick has its own courses and messages, spread over all clinics.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
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
    sides = [partial(_one_tick, names[courses], courses // COURSES, candidates) for courses in sizes]
    # The first tick on each database warms it up; its figure is not kept.
    for once in sides:
        once(_RUNS)
    medians = medians_in_turns(_RUNS, sides)
    for courses, seconds in zip(sizes, medians, strict=True):
        enter(names[courses])
        scans = _table_scans(partial(_tick_at, _RUNS + 1, courses // COURSES, candidates))
        if courses > sizes[0]:
            yield Figure(
                name="tick",
                work=f"{DUE} courses and {DUE} messages due among {courses:,} active courses",
                figure=seconds,
                baseline=medians[0],
                unit="s",
                goal=Goal(1.3, "most"),
                note=f"median of {_RUNS} ticks in turns; baseline: the same tick among {sizes[0]:,}; "
                + (f"reads whole tables: {', '.join(scans)}" if scans else "every table is read by an index"),
            )


def _one_tick(name: str, clinics: int, candidates: Any, number: int) -> float:
    enter(name)
    return _tick_at(number, clinics, candidates)


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


def _table_scans(tick: partial[float]) -> list[str]:
    """Return the growing tables that one more tick reads from end to end, by the server's own account."""
    from django.db import connection  # noqa: PLC0415  # app ready
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415  # app ready

    with CaptureQueriesContext(connection) as captured:
        tick()
    shapes: dict[str, str] = {}
    for query in captured.captured_queries:
        if query["sql"].startswith(("SELECT", "UPDATE", "DELETE", "INSERT")):
            shapes.setdefault(re.sub(r"'[^']*'|\b\d+\b", "?", query["sql"]), query["sql"])
    found: set[str] = set()
    with connection.cursor() as cursor:
        for statement in shapes.values():
            cursor.execute(f"EXPLAIN {statement}")
            found.update(_GROWING.findall("\n".join(row[0] for row in cursor.fetchall())))
    return sorted(found)
