"""Making a file in the background: in steps that each commit how far they came, under a name nobody guesses.

A file of lines grows by a part of the table at a time, each a range of keys, so that rows which change meanwhile are
in it once. It carries another name until it is whole, and a step that was broken off is done again from where the one
before it ended. A workbook is made in one step.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any, Final

from django.conf import settings
from django.db.models import QuerySet
from django.utils import translation

from clinics.access import Capability, is_allowed
from clinics.jobs import MOST_ATTEMPTS, JobError
from clinics.models import BackgroundJob, StaffMember
from courses.convert import local_today
from exports.columns import Table
from exports.core.choice import FHIR, Choice
from exports.files import head_bytes, line_blocks, write_workbook
from exports.models import ExportFile
from exports.reading import Reading
from exports.tables import TABLES
from exports.telling import tell
from reminders.sealing import SealError

KEPT: Final = timedelta(hours=24)
# So many rows a step; fewer where several queries go with them.
_READY_ROWS: Final = 40_000
_LOOKED_UP_ROWS: Final = 4_000
_BUNDLES: Final = 500
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)


def is_entitled(member: StaffMember, table: Table) -> bool:
    """Tell whether somebody works here and may take this table out."""
    return (
        member.is_active
        and member.user.is_active
        and is_allowed(member, Capability.EXPORT)
        and is_allowed(member, table.needs)
    )


def file_path(export: ExportFile) -> Path:
    """Return where a file lies once it is whole."""
    return folder() / export.name


def discard(export: ExportFile) -> None:
    """Remove a file, whole or not."""
    for path in (file_path(export), _part(export)):
        path.unlink(missing_ok=True)


def folder() -> Path:
    """Return the folder of exports, made if need be, for this program alone to read."""
    place = Path(settings.EXPORT_DIR)
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


def step(job: BackgroundJob, now: datetime) -> bool:
    """Do the next part of a file, and when it is whole, mail its link if somebody waits for one.

    Raises: JobError "gone", "right_lost", "disk_full", "sealed" or "not_mailed".
    """
    export = (
        ExportFile.objects.filter(code=job.parameters["export"])
        .select_related("clinic", "made_for__user", "made_for__clinic", "schedule")
        .first()
    )
    if export is None:
        raise JobError("gone")
    choice = Choice.from_json(export.choice)
    if not is_entitled(export.made_for, TABLES[choice.table]):
        raise JobError("right_lost")
    if export.ready_at is not None:
        return tell(export, now=now, is_last_try=job.attempt_count >= MOST_ATTEMPTS)
    with _disk(export), translation.override(choice.language):
        is_whole = _make(export, choice, job, now)
    # Whoever waits for a link gets it in a step of its own: a mail that fails must not undo the file.
    return is_whole and export.schedule_id is None


def _make(export: ExportFile, choice: Choice, job: BackgroundJob, now: datetime) -> bool:
    today = local_today(export.clinic, job.created_at)
    try:
        reading = Reading(export.clinic, TABLES[choice.table], choice, today=today, now=now)
    except SealError as error:
        raise JobError("sealed") from error
    if choice.file_format == "xlsx":
        return _make_workbook(export, reading, job, now)
    state = job.result
    if "bounds" not in state or not _is_as_left(export, state["bytes"]):
        job.done_count, job.total_count, job.result = 0, *_begin(export, reading, choice)
        return bool(not job.result["bounds"] and _finish(export, job, now))
    _append(export, reading, choice, job)
    return bool(job.result["next"] == len(job.result["bounds"]) and _finish(export, job, now))


def _part(export: ExportFile) -> Path:
    return folder() / f"{export.name}.part"


def _is_as_left(export: ExportFile, byte_count: int) -> bool:
    """Tell whether the file has what the last step left; more is of a step that was broken off."""
    try:
        return _part(export).stat().st_size >= byte_count
    except FileNotFoundError:
        return False


def _begin(export: ExportFile, reading: Reading, choice: Choice) -> tuple[int, dict[str, Any]]:
    """Write a file's head; return how many rows will follow, and the keys at which each step ends."""
    size = _READY_ROWS if reading.is_text_ready else _LOOKED_UP_ROWS
    if choice.file_format == FHIR:
        size = _BUNDLES
    keys = reading.found.prefetch_related(None).order_by("pk").values_list("pk", flat=True)
    bounds: list[int] = []
    count = last = 0
    for count, last in enumerate(keys.iterator(chunk_size=10_000), start=1):
        if count % size == 0:
            bounds.append(last)
    if count % size:
        bounds.append(last)
    head = head_bytes(reading, choice.file_format)
    with _open(_part(export), "wb") as file:
        file.write(head)
    return count, {"bounds": bounds, "next": 0, "bytes": len(head)}


def _append(export: ExportFile, reading: Reading, choice: Choice, job: BackgroundJob) -> None:
    state = dict(job.result)
    found: QuerySet[Any] = reading.found.order_by("pk").filter(pk__lte=state["bounds"][state["next"]])
    if state["next"]:
        found = found.filter(pk__gt=state["bounds"][state["next"] - 1])
    with _open(_part(export), "r+b") as file:
        file.truncate(state["bytes"])
        file.seek(state["bytes"])
        for block, count in line_blocks(reading, choice.file_format, found):
            file.write(block)
            job.done_count += count
        state["bytes"] = file.tell()
    state["next"] += 1
    job.result = state


def _make_workbook(export: ExportFile, reading: Reading, job: BackgroundJob, now: datetime) -> bool:
    if not job.total_count:
        job.total_count = reading.count()
        if job.total_count:
            return False
    with _open(_part(export), "w+b") as file:
        job.done_count = write_workbook(reading, file)
    return _finish(export, job, now)


def _finish(export: ExportFile, job: BackgroundJob, now: datetime) -> bool:
    """Give a whole file its name and a day to be fetched."""
    part = _part(export)
    with part.open("rb") as file:
        os.fsync(file.fileno())
    export.byte_count = part.stat().st_size
    part.replace(file_path(export))
    export.row_count = job.done_count
    export.ready_at, export.expires_at = now, now + KEPT
    export.save(update_fields=["byte_count", "row_count", "ready_at", "expires_at"])
    return True


def _open(path: Path, mode: str) -> IO[bytes]:
    # Health data: for nobody else on this machine.
    return open(path, mode, opener=lambda name, flags: os.open(name, flags, 0o600))


@contextmanager
def _disk(export: ExportFile) -> Iterator[None]:
    """Turn a full disk into a job that says so, and leave nothing of the file on it."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        _part(export).unlink(missing_ok=True)
        raise JobError("disk_full") from error
