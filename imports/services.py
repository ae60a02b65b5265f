"""Importing a spreadsheet: look at it, check every row, apply what is sound, take all of it back.

Checking and applying go row by row: a row that is refused keeps none of the others from being imported. Each step
handles a few rows in the caller's transaction; a page runs small files at once, a background job the others.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Max, QuerySet
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.models import ActorKind, AuditEvent
from audit.services import Actor, record
from clients.models import Client
from clinics.jobs import JobError, start_job
from clinics.models import ENDED_JOBS, BackgroundJob, Clinic, StaffMember
from courses.errors import CourseError
from courses.models import Course
from imports.client_rows import bring_back, plan_client, remember, try_client, write_client
from imports.core import HEADERS, match_columns, missing_fields
from imports.course_rows import plan_course, write_course
from imports.files import FileError, read_sheet
from imports.models import ImportBatch, ImportKind, ImportRow, ImportStatus, RowOutcome
from imports.reading import Cells, Verdict
from imports.removing import TouchedError, remove_made, touched_codes
from imports.words import FIELD_WORDS, FILE_WORDS

# So many rows a step: each is well under a second.
_CHECKED_AT_ONCE: Final = 25
_CLIENTS_AT_ONCE: Final = 20
_COURSES_AT_ONCE: Final = 2
_UNDONE_AT_ONCE: Final = 20
# A file that nobody applied holds people's data for no reason after this.
KEPT_UNAPPLIED: Final = timedelta(hours=24)
# So long a whole import can be taken back; until then what it changed is remembered.
UNDO_DAYS: Final = 30
_SOUND: Final = (RowOutcome.NEW, RowOutcome.CHANGED)
_DONE: Final = (RowOutcome.MADE, RowOutcome.UPDATED)


def start_import(
    *,
    clinic: Clinic,
    kind: str,
    file_name: str,
    content: bytes,
    by: Actor,
    now: datetime,
    language: str,
) -> ImportBatch:
    """Take a file in, and recognise its columns by their headings; nothing is made of it yet.

    Raises: CourseError naming `file` when it is no spreadsheet, or a larger one than can be read.
    """
    try:
        sheet = read_sheet(content)
    except FileError as error:
        message = str(FILE_WORDS[error.code])
        raise CourseError(message, code=error.code, fields={"file": message}) from error
    member = StaffMember.objects.for_clinic(clinic).get(pk=by.staff_member_id or 0)
    with transaction.atomic():
        batch = ImportBatch.objects.create(
            clinic=clinic,
            kind=kind,
            file_name=file_name[-120:],
            headings=list(sheet.headings),
            columns=match_columns(kind, sheet.headings),
            language=language,
            created_at=now,
            created_by=member,
        )
        ImportRow.objects.bulk_create(
            (
                ImportRow(clinic=clinic, batch=batch, number=number, cells=list(cells))
                for number, cells in sheet.rows
            ),
            batch_size=1000,
        )
    return batch


def choose_columns(*, batch: ImportBatch, columns: Mapping[str, int]) -> ImportBatch:
    """Say which column holds what; every row is to be checked anew.

    Raises: CourseError naming the fields when a needed one has no column, when one column is named twice, or when
    the import is past changing.
    """
    with transaction.atomic():
        locked = _lock(batch)
        _require(locked, ImportStatus.UPLOADED, ImportStatus.CHECKED)
        wrong: dict[str, str] = {}
        for group in missing_fields(locked.kind, columns):
            names = ", ".join(str(FIELD_WORDS[name]) for name in group)
            wrong[group[0]] = _("A column is needed for one of these: %(names)s.") % {"names": names}
        for name, place in columns.items():
            if list(columns.values()).count(place) > 1:
                wrong.setdefault(name, _("This column is chosen twice."))
            if name not in HEADERS[locked.kind] or not 0 <= place < len(locked.headings):
                wrong[name] = _("Choose one of the columns.")
        if wrong:
            raise CourseError(_("Say which column holds what."), code="bad_columns", fields=wrong)
        locked.columns = dict(columns)
        locked.status = ImportStatus.CHECKING
        locked.save(update_fields=["columns", "status"])
        locked.rows.update(outcome=RowOutcome.WAITING, problems=[], key="")
    return locked


def count_outcomes(batch: ImportBatch) -> dict[str, int]:
    """Return how many rows have each outcome; one query."""
    return dict(batch.rows.order_by().values_list("outcome").annotate(n=Count("pk")))


def check_some(batch: ImportBatch, *, by: Actor, now: datetime) -> int:
    """Check the next rows and return how many; none are left after none. Nothing that is tried stays."""
    rows = _next_rows(batch, RowOutcome.WAITING, at_once=_CHECKED_AT_ONCE)
    with translation.override(batch.language):
        for row in rows:
            cells = Cells.of(row.cells, batch.columns)
            verdict = _verdict(batch, cells, by=by, now=now)
            if verdict.key and (other := _same_row(batch, row, verdict)):
                cells.refuse("", _("This is the same as row %(number)s.") % {"number": other})
            row.outcome = RowOutcome.REFUSED if cells.problems else verdict.outcome
            row.key, row.problems = verdict.key, cells.problems
            row.save(update_fields=["outcome", "key", "problems"])
    if not rows and batch.status == ImportStatus.CHECKING:
        _set_status(batch, ImportStatus.CHECKED)
    return len(rows)


def _verdict(batch: ImportBatch, cells: Cells, *, by: Actor, now: datetime) -> Verdict:
    if batch.kind == ImportKind.CLIENTS:
        return try_client(plan_client(cells, clinic=batch.clinic), cells, clinic=batch.clinic, by=by, now=now)
    return plan_course(cells, clinic=batch.clinic, by=batch.created_by, now=now).verdict


def _same_row(batch: ImportBatch, row: ImportRow, verdict: Verdict) -> int | None:
    """Return the number of an earlier row about the same, if there is one that is not refused itself."""
    others = batch.rows.filter(key=verdict.key, number__lt=row.number).exclude(outcome=RowOutcome.REFUSED)
    return others.values_list("number", flat=True).first()


# ---------------------------------------------------------------- applying


def begin_applying(*, batch: ImportBatch, by: Actor, now: datetime) -> ImportBatch:
    """Decide to apply every sound row; who calls this sees to the steps.

    Raises: CourseError when the rows are not checked, or none of them is sound.
    """
    with transaction.atomic():
        locked = _lock(batch)
        _require(locked, ImportStatus.CHECKED)
        count = locked.rows.filter(outcome__in=_SOUND).count()
        if not count:
            raise CourseError(_("There is nothing to import: no row is new or changed."), code="nothing_new")
        _set_status(locked, ImportStatus.APPLYING)
        _record(locked, "import.applied", by=by, now=now, count=count)
    return locked


def apply_some(batch: ImportBatch, *, by: Actor, now: datetime) -> int:
    """Apply the next sound rows and return how many; a row that is refused by now says so and holds up no other."""
    is_clients = batch.kind == ImportKind.CLIENTS
    rows = _next_rows(batch, *_SOUND, at_once=_CLIENTS_AT_ONCE if is_clients else _COURSES_AT_ONCE)
    with translation.override(batch.language):
        for row in rows:
            cells = Cells.of(row.cells, batch.columns)
            try:
                with transaction.atomic():
                    _apply_row(batch, row, cells, by=by, now=now)
            except (CourseError, ValidationError) as error:
                cells.refuse_all(error)
            if cells.problems:
                row.outcome, row.problems = RowOutcome.REFUSED, cells.problems
            row.cells, row.key = [], ""
            row.save()
    if not rows and batch.status == ImportStatus.APPLYING:
        _settle(batch, now=now)
    return len(rows)


def _settle(batch: ImportBatch, *, now: datetime) -> None:
    """Call an import applied; what was refused or here already is forgotten too."""
    batch.rows.exclude(cells=[]).update(cells=[], key="")
    batch.applied_at, batch.status = now, ImportStatus.APPLIED
    batch.save(update_fields=["status", "applied_at"])


def _apply_row(batch: ImportBatch, row: ImportRow, cells: Cells, *, by: Actor, now: datetime) -> None:
    made: Client | Course
    if batch.kind == ImportKind.CLIENTS:
        plan = plan_client(cells, clinic=batch.clinic)
        if _is_settled(row, plan.verdict):
            return
        row.before = remember(plan)
        made = write_client(plan, clinic=batch.clinic, by=by, now=now)
    else:
        course_plan = plan_course(cells, clinic=batch.clinic, by=batch.created_by, now=now)
        if _is_settled(row, course_plan.verdict):
            return
        made = write_course(course_plan, by=by, now=now)
    row.made_code = made.code
    row.outcome = RowOutcome.UPDATED if row.before else RowOutcome.MADE
    row.event_id = AuditEvent.objects.filter(subject_code=made.code).aggregate(last=Max("pk"))["last"]


def _is_settled(row: ImportRow, verdict: Verdict) -> bool:
    """Take over what a row has come to since it was checked, when there is nothing left to do."""
    if verdict.outcome in _SOUND:
        return False
    row.outcome = verdict.outcome
    return True


# ---------------------------------------------------------------- taking back


def is_undo_open(batch: ImportBatch, *, now: datetime) -> bool:
    """Tell whether an import was applied recently enough to be taken back."""
    is_recent = batch.applied_at is not None and now - batch.applied_at <= timedelta(days=UNDO_DAYS)
    return batch.status == ImportStatus.APPLIED and is_recent


def begin_undoing(*, batch: ImportBatch, by: Actor, now: datetime) -> ImportBatch:
    """Decide to take a whole import back; who calls this sees to the steps.

    Raises: CourseError when it was not applied or too long ago, or when somebody has since done something with what
    it made.
    Cost: some ten queries for each five hundred rows.
    """
    with transaction.atomic():
        locked = _lock(batch)
        _require(locked, ImportStatus.APPLIED)
        if not is_undo_open(locked, now=now):
            raise CourseError(
                _("This was imported more than %(days)s days ago and stays.") % {"days": UNDO_DAYS},
                code="undo_too_late",
            )
        touched = len(touched_codes(locked.kind, locked.rows.filter(outcome__in=_DONE)))
        if touched:
            raise CourseError(
                ngettext(
                    "Something was done with %(n)s of the rows since: a session, a message, a change. So all stay.",
                    "Something was done with %(n)s of the rows since: sessions, messages, changes. So all stay.",
                    touched,
                )
                % {"n": touched},
                code="undo_touched",
            )
        _set_status(locked, ImportStatus.UNDOING)
        _record(locked, "import.undone", by=by, now=now, count=locked.rows.filter(outcome__in=_DONE).count())
    return locked


def undo_some(batch: ImportBatch, *, by: Actor, now: datetime) -> int:
    """Take the next rows back, the last first, and return how many; what was touched meanwhile is left."""
    done = batch.rows.select_for_update().filter(outcome__in=_DONE).order_by("-number")
    rows = list(done[:_UNDONE_AT_ONCE])
    touched = touched_codes(batch.kind, batch.rows.filter(pk__in=[row.pk for row in rows]))
    for row in rows:
        is_left = row.made_code in touched or not _take_back(batch, row, by=by, now=now)
        row.outcome = RowOutcome.KEPT if is_left else RowOutcome.UNDONE
        row.before = {}
        row.save(update_fields=["outcome", "before"])
    if not rows and batch.status == ImportStatus.UNDOING:
        batch.status, batch.undone_at = ImportStatus.UNDONE, now
        batch.save(update_fields=["status", "undone_at"])
    return len(rows)


def _take_back(batch: ImportBatch, row: ImportRow, *, by: Actor, now: datetime) -> bool:
    """Undo one row, and tell whether that could be done."""
    try:
        with transaction.atomic():
            # What was done has a code.
            assert row.made_code is not None
            if row.outcome == RowOutcome.UPDATED:
                client = Client.objects.select_related("clinic").get(code=row.made_code)
                bring_back(client, row.before, by=by, now=now)
            else:
                remove_made(batch.kind, row.made_code)
    except (TouchedError, ValidationError):
        return False
    return True


# ---------------------------------------------------------------- jobs

STEPS: Final = {
    "imports.check": check_some,
    "imports.apply": apply_some,
    "imports.undo": undo_some,
}


def hand_over(*, batch: ImportBatch, kind: str, by: Actor, now: datetime) -> BackgroundJob:
    """Let a background job work on an import to the end of what was begun."""
    outcomes = {
        "imports.check": (RowOutcome.WAITING,),
        "imports.apply": _SOUND,
        "imports.undo": _DONE,
    }[kind]
    with transaction.atomic():
        job = start_job(
            clinic=batch.clinic,
            kind=kind,
            by=by,
            now=now,
            parameters={"batch": str(batch.code)},
            total_count=batch.rows.filter(outcome__in=outcomes).count(),
        )
        ImportBatch.objects.filter(pk=batch.pk).update(job_code=job.code)
    return job


def step(job: BackgroundJob, now: datetime) -> bool:
    """Do one step of a job on an import, and tell whether it was the last.

    Raises: JobError when the import is gone, or whoever began this works here no longer.
    """
    batches = ImportBatch.objects.select_related("clinic", "created_by__clinic")
    batch = batches.filter(clinic=job.clinic, code=job.parameters["batch"]).first()
    if batch is None:
        raise JobError("gone")
    member = job.started_by
    if member is None or not member.is_active:
        raise JobError("left")
    by = Actor(ActorKind.STAFF, code=member.code, staff_member_id=member.pk)
    handled = STEPS[job.kind](batch, by=by, now=now)
    job.done_count += handled
    return not handled


def run_all(batch: ImportBatch, kind: str, *, by: Actor, now: datetime) -> None:
    """Do every step at once, each in a transaction of its own."""
    is_left = True
    while is_left:
        with transaction.atomic():
            is_left = STEPS[kind](batch, by=by, now=now) > 0


# ---------------------------------------------------------------- forgetting


def discard(*, batch: ImportBatch) -> None:
    """Throw a file away of which nothing was made.

    Raises: CourseError when something was.
    """
    with transaction.atomic():
        locked = _lock(batch)
        _require(locked, ImportStatus.UPLOADED, ImportStatus.CHECKED)
        _drop(ImportBatch.objects.filter(pk=locked.pk))


def tidy_imports(*, now: datetime) -> int:
    """Forget files that were not applied in a day, and what old imports changed; return how many files went.

    One that stopped halfway keeps what it made; its other rows are forgotten as not imported.
    Cost: four statements besides the removal, and three for each that stopped.
    """
    unapplied = ImportBatch.objects.filter(
        status__in=(ImportStatus.UPLOADED, ImportStatus.CHECKING, ImportStatus.CHECKED),
        created_at__lt=now - KEPT_UNAPPLIED,
    )
    count = _drop(unapplied)
    for batch in ImportBatch.objects.filter(
        status=ImportStatus.APPLYING, created_at__lt=now - KEPT_UNAPPLIED
    ).exclude(job_code__in=_live_jobs()):
        with transaction.atomic(), translation.override(batch.language):
            late = [["", _("This was not imported within a day. Import it again.")]]
            batch.rows.filter(outcome__in=_SOUND).update(outcome=RowOutcome.REFUSED, problems=late)
            _settle(batch, now=now)
    settled = ImportRow.objects.filter(batch__applied_at__lt=now - timedelta(days=UNDO_DAYS))
    settled.exclude(before={}).update(before={})
    return count


def _live_jobs() -> QuerySet[BackgroundJob, UUID]:
    return BackgroundJob.objects.exclude(status__in=ENDED_JOBS).values_list("code", flat=True)


def _drop(batches: QuerySet[ImportBatch]) -> int:
    with transaction.atomic():
        ids = list(batches.values_list("pk", flat=True))
        ImportRow.objects.filter(batch__in=ids).delete()
        ImportBatch.objects.filter(pk__in=ids).delete()
    return len(ids)


# ---------------------------------------------------------------- shared


def _lock(batch: ImportBatch) -> ImportBatch:
    batches = ImportBatch.objects.select_for_update(of=("self",))
    return batches.select_related("clinic", "created_by").get(pk=batch.pk)


def _require(batch: ImportBatch, *statuses: ImportStatus) -> None:
    if batch.status not in statuses:
        raise CourseError(
            _("This import is %(status)s. Look at it again.") % {"status": batch.get_status_display()},
            code="import_moved_on",
        )


def _set_status(batch: ImportBatch, status: ImportStatus) -> None:
    batch.status = status
    batch.save(update_fields=["status"])


def _next_rows(batch: ImportBatch, *outcomes: RowOutcome, at_once: int) -> list[ImportRow]:
    rows = batch.rows.select_for_update().filter(outcome__in=outcomes)
    return list(rows.order_by("number")[:at_once])


def _record(batch: ImportBatch, action: str, *, by: Actor, now: datetime, **details: Any) -> None:
    record(
        action,
        at=now,
        by=by,
        clinic_code=batch.clinic.code,
        subject_kind="import",
        subject_code=batch.code,
        new={"import_kind": batch.kind, **details},
    )
