"""export: all sessions of a clinic with client and course as CSV, as a worker makes the file, against COPY of the same join.

The file is made by the job that the page starts, in a process of its own whose peak of memory is that of a worker: row
by row looked at for formulas, in steps that each commit. COPY writes the same columns of the same rows into a file, as
PostgreSQL writes them by itself, in one go. Both are done in turns.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any, Final

from bench.harness import Figure, Goal, Size
from bench.scratch import ScratchServer, address_of, create_migrated, scratch_server
from bin.steps import ROOT, say

_ROUNDS: Final = 3
# Copies of the model clinic's courses in the past; some 250 sessions each.
_PAST: Final[dict[Size, int]] = {"small": 400, "default": 4_000, "full": 4_000}
_SAME_ROWS: Final = """
    COPY (
        SELECT session.code, course.code, client.code, client.given_name, client.family_name, protocol.slug,
            course.start_on, session.on, session.starts_at, session.ends_at, session.status,
            practitioner.display_name, practitioner.code, room.name, session.minutes, session.reaction,
            session.pain_before, session.pain_after, session.cancel_reason, session.note, session.outcome_at
        FROM courses_treatmentsession session
        JOIN courses_course course ON course.id = session.course_id
        JOIN clients_client client ON client.id = session.client_id
        JOIN courses_protocol protocol ON protocol.id = course.protocol_id
        LEFT JOIN clinics_staffmember practitioner ON practitioner.id = session.practitioner_id
        LEFT JOIN clinics_room room ON room.id = session.room_id
        WHERE session.clinic_id = (SELECT min(id) FROM clinics_clinic)
        ORDER BY session.id
    ) TO STDOUT (FORMAT csv, HEADER)"""


def measure(size: Size) -> Iterator[Figure]:
    """Yield the time of the file against that of COPY, and the peak of memory.

    Raises: RuntimeError when the file has not as many rows as COPY.
    """
    with scratch_server() as server:
        yield from _measure(server, size)


def _measure(server: ScratchServer, size: Size) -> Iterator[Figure]:
    from bench.big_clinic import grow_clinic  # noqa: PLC0415  # app ready: models need Django set up
    from bench.model_clinic import build_model_clinic  # noqa: PLC0415  # app ready
    from courses.models import TreatmentSession  # noqa: PLC0415  # app ready

    create_migrated(server, "model")
    say("  model clinic ...")
    build_model_clinic()
    grow_clinic(_PAST[size])
    count = TreatmentSession.objects.count()
    copies: list[float] = []
    files: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="regimen-export-") as folder:
        for _ in range(_ROUNDS):
            copies.append(_copy(Path(folder) / "copy.csv", count))
            files.append(_export(folder, count))
    work = f"{count:,} sessions with client and course as CSV"
    seconds = [made["seconds"] for made in files]
    yield Figure(
        name="export",
        work=work,
        figure=median(seconds),
        unit="s",
        goal=Goal(3.0, "most"),
        baseline=median(copies),
        note=f"COPY of the same join into a file; medians of {_ROUNDS} in turns; "
        f"{count / median(seconds):,.0f} rows a second, {files[0]['bytes'] / 1e6:.0f} MB",
    )
    yield Figure(
        name="export",
        work=f"peak memory of the process that makes it, {count:,} sessions",
        figure=max(made["megabytes"] for made in files),
        unit="MB",
        goal=Goal(150, "most", of="figure"),
        note=f"{files[0]['before']:.0f} MB of them before its first row",
    )


def _copy(path: Path, count: int) -> float:
    from django.db import connection  # noqa: PLC0415  # app ready

    start = time.perf_counter()
    with connection.cursor() as cursor, path.open("wb") as file, cursor.cursor.copy(_SAME_ROWS) as copy:
        for block in copy:
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    seconds = time.perf_counter() - start
    with path.open("rb") as file:
        lines = sum(1 for _ in file)
    if lines < count + 1:
        raise RuntimeError(f"COPY wrote {lines} lines of {count} rows")
    return seconds


def _export(folder: str, count: int) -> dict[str, Any]:
    from django.db import connection  # noqa: PLC0415  # app ready

    where = connection.settings_dict
    address = address_of(os.environ["DATABASE_URL"], str(where["NAME"]))
    env = {**os.environ, "DATABASE_URL": address, "VAR_DIR": folder}
    done = subprocess.run(
        [sys.executable, "-m", "bench.export"],
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    made: dict[str, Any] = json.loads(done.stdout)
    if made["rows"] != count:
        raise RuntimeError(f"the file has {made['rows']} rows of {count}")
    return made


# ---------------------------------------------------------------- the process that makes the file


def _make() -> dict[str, Any]:
    import django  # noqa: PLC0415  # app ready

    django.setup()
    from audit.models import ActorKind  # noqa: PLC0415  # app ready
    from audit.services import Actor  # noqa: PLC0415  # app ready
    from clinics.clock import database_now  # noqa: PLC0415  # app ready
    from clinics.jobs import work_job  # noqa: PLC0415  # app ready
    from clinics.models import Role, StaffMember  # noqa: PLC0415  # app ready
    from exports.core.choice import Choice  # noqa: PLC0415  # app ready
    from exports.making import discard  # noqa: PLC0415  # app ready
    from exports.models import ExportFile  # noqa: PLC0415  # app ready
    from exports.services import start_export  # noqa: PLC0415  # app ready

    member = StaffMember.objects.select_related("clinic").order_by("pk").first()
    assert member is not None, "the model clinic has them"
    StaffMember.objects.filter(pk=member.pk).update(role=Role.OWNER)
    before = _peak()
    start = time.perf_counter()
    by = Actor(ActorKind.STAFF, code=member.code, staff_member_id=member.pk)
    export = start_export(member=member, choice=Choice("sessions"), count=0, by=by, now=database_now())
    while work_job(job_id=export.job_id or 0, seconds=10):
        pass
    seconds = time.perf_counter() - start
    made = ExportFile.objects.get(pk=export.pk)
    discard(made)
    return {
        "seconds": seconds,
        "rows": made.row_count,
        "bytes": made.byte_count,
        "before": before,
        "megabytes": _peak(),
    }


def _peak() -> float:
    """Return the most memory that this program has held, in MB.

    Not as getrusage() has it: a child begins there with the memory of whoever started it, even for another program.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_make()))
