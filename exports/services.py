"""Taking tables out: at once when they are small, by a job when not, and again and again for who asked for that."""

import logging
import secrets
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from audit.models import ActorKind
from audit.services import Actor, record
from clinics.jobs import cancel_job, start_job
from clinics.models import ENDED_JOBS, BackgroundJob, Clinic, StaffMember
from courses.errors import CourseError
from exports.core.choice import FHIR, Choice
from exports.core.schedule import covered_days, next_run
from exports.files import ENDINGS, XLSX_MOST_ROWS, head_bytes, line_blocks
from exports.making import discard, file_path, folder, is_entitled
from exports.models import ExportFile, ExportSchedule, Frequency, StopReason
from exports.reading import Reading
from exports.tables import TABLES
from reminders.sealing import SealError

logger = logging.getLogger(__name__)

# A file of up to so many rows is sent while it is made; a larger one is made in the background.
AT_ONCE_ROWS: Final = 5_000
# A bundle takes the work of some hundred rows.
AT_ONCE_BUNDLES: Final = 100
JOB_KIND: Final = "exports.make"
# What is made regularly for one clinic, so that no clinic keeps the workers busy.
SCHEDULES_MOST: Final = 20
# One clinic's files that are being made at a time.
MAKING_MOST: Final = 5
# Rows of files that are gone say for so long that they were there.
_ROWS_KEPT: Final = timedelta(days=7)
_SYSTEM: Final = Actor(ActorKind.SYSTEM)


def open_reading(*, clinic: Clinic, choice: Choice, today: date, now: datetime) -> Reading:
    """Return a table as it was chosen, ready to be read.

    Raises: CourseError naming `variant` when the clinic's key cannot be read, or FHIR is to be without names.
    """
    check_variant(choice)
    try:
        return Reading(clinic, TABLES[choice.table], choice, today=today, now=now)
    except SealError as error:
        message = _(
            "Pseudonyms cannot be made: the installation's secret was changed. Its operator can help."
        )
        raise CourseError(message, code="sealed", fields={"variant": message}) from error


def check_variant(choice: Choice) -> None:
    """Refuse a variant that a format does not have.

    Raises: CourseError naming `variant`.
    """
    if choice.file_format == FHIR and choice.is_anonymous:
        message = _("FHIR is about people by name. Choose it with names, or another format.")
        raise CourseError(message, code="not_anonymous", fields={"variant": message})


def is_sent_at_once(choice: Choice, count: int) -> bool:
    """Tell whether a file is small enough to be sent while it is made."""
    return count <= (AT_ONCE_BUNDLES if choice.file_format == FHIR else AT_ONCE_ROWS)


def check_size(choice: Choice, count: int) -> None:
    """Refuse what no file can hold or nothing may remember.

    Raises: CourseError naming `file_format` or `q`.
    """
    if choice.file_format == "xlsx" and count > XLSX_MOST_ROWS:
        message = _(
            "That is %(count)s rows; a workbook is made of at most %(most)s. Choose CSV, or less."
        ) % {
            "count": count,
            "most": XLSX_MOST_ROWS,
        }
        raise CourseError(message, code="too_large", fields={"file_format": message})
    if choice.search and not is_sent_at_once(choice, count):
        message = _(
            "So large a file is made in the background, which remembers no names. Narrow it otherwise."
        )
        raise CourseError(message, code="searched", fields={"q": message})


def read_at_once(
    reading: Reading, choice: Choice, *, now: datetime, by: Actor, count: int
) -> Iterator[bytes]:
    """Put on record that a small file goes out, and return its lines in blocks, in the language of the choice."""
    record_export(clinic=reading.clinic, choice=choice, count=count, by=by, now=now)

    def blocks() -> Iterator[bytes]:
        # Read after the middleware has put back its own language.
        with translation.override(choice.language):
            yield head_bytes(reading, choice.file_format)
        for block, _count in line_blocks(reading, choice.file_format):
            yield block

    return blocks()


def record_export(*, clinic: Clinic, choice: Choice, count: int, by: Actor, now: datetime) -> None:
    """Put on record which rows were taken out; of a searched text only that there was one."""
    kept = choice.as_json()
    record(
        f"{choice.table}.exported",
        at=now,
        by=by,
        clinic_code=clinic.code,
        subject_kind="clinic",
        subject_code=clinic.code,
        new={
            "format": choice.file_format,
            "count": count,
            "anonymous": choice.is_anonymous,
            "from_on": kept["from_on"],
            "to_on": kept["to_on"],
            **kept["filters"],
            "is_searched": bool(choice.search),
        },
    )


def start_export(
    *,
    member: StaffMember,
    choice: Choice,
    count: int,
    by: Actor,
    now: datetime,
    schedule: ExportSchedule | None = None,
) -> ExportFile:
    """Have a file made in the background for a member of staff, who finds it on the page of exports.

    Raises: CourseError when as many of the clinic's files as may be are being made.
    """
    clinic = member.clinic
    with transaction.atomic():
        making = BackgroundJob.objects.for_clinic(clinic).filter(kind=JOB_KIND).exclude(status__in=ENDED_JOBS)
        if schedule is None and making.count() >= MAKING_MOST:
            raise CourseError(
                _("%(most)s files are being made already. Wait for one of them.") % {"most": MAKING_MOST},
                code="busy",
            )
        export = ExportFile.objects.create(
            clinic=clinic,
            schedule=schedule,
            made_for=member,
            choice=choice.as_json(),
            name=f"{secrets.token_hex(16)}.{ENDINGS[choice.file_format]}",
            created_at=now,
        )
        export.job = start_job(
            clinic=clinic, kind=JOB_KIND, by=by, now=now, parameters={"export": str(export.code)}
        )
        export.save(update_fields=["job"])
        record_export(clinic=clinic, choice=choice, count=count, by=by, now=now)
    return export


def find_file(*, export: ExportFile, member: StaffMember, by: Actor, now: datetime) -> Any:
    """Return an open file that a member may have, and put on record that it was fetched; None when it is gone.

    Gone is what has expired, is not whole yet, or is not for this member's role.
    """
    choice = Choice.from_json(export.choice)
    if not is_entitled(member, TABLES[choice.table]) or export.clinic_id != member.clinic_id:
        return None
    if export.expires_at is None or now >= export.expires_at:
        return None
    try:
        file = file_path(export).open("rb")
    except FileNotFoundError:
        return None
    record(
        "export.fetched",
        at=now,
        by=by,
        clinic_code=export.clinic.code,
        subject_kind="export",
        subject_code=export.code,
        new={"table": choice.table, "count": export.row_count, "anonymous": choice.is_anonymous},
    )
    return file


def remove_export(*, export: ExportFile, by: Actor, now: datetime) -> None:
    """Remove a file before its day is over, or stop the making of it."""
    with transaction.atomic():
        if export.job is not None and not export.job.has_ended:
            cancel_job(job=export.job, by=by, now=now)
        ExportFile.objects.filter(pk=export.pk).exclude(ready_at=None).update(expires_at=now)
        record(
            "export.removed",
            at=now,
            by=by,
            clinic_code=export.clinic.code,
            subject_kind="export",
            subject_code=export.code,
            new={"table": export.choice["table"]},
        )
        # Gone for everybody when that is on record.
        transaction.on_commit(lambda: discard(export))


def saved_name(choice: Choice, on: date) -> str:
    """Return what people save a file as: the table, the variant and the day, nothing about anybody."""
    variant = "-anonymised" if choice.is_anonymous else ""
    return f"{choice.table}{variant}-{on.isoformat()}.{ENDINGS[choice.file_format]}"


# ---------------------------------------------------------------- again and again


def schedule_export(
    *,
    member: StaffMember,
    choice: Choice,
    frequency: str,
    at_time: time,
    weekday: int,
    by: Actor,
    now: datetime,
) -> ExportSchedule:
    """Have a file made regularly for a member of staff, from the next time on.

    Raises: CourseError naming `member` who may not have it, `variant` that its format does not have, or when the clinic
    has as many as may be.
    """
    clinic = member.clinic
    check_variant(choice)
    if not is_entitled(member, TABLES[choice.table]):
        message = _("This person may not export that.")
        raise CourseError(message, code="not_entitled", fields={"member": message})
    running = ExportSchedule.objects.for_clinic(clinic).filter(stopped_at=None)
    if running.count() >= SCHEDULES_MOST:
        raise CourseError(_("There are as many regular files as one clinic may have."), code="too_many")
    author = StaffMember.objects.for_clinic(clinic).get(pk=by.staff_member_id or 0)
    with transaction.atomic():
        schedule = ExportSchedule.objects.create(
            clinic=clinic,
            member=member,
            choice=choice.as_json(),
            frequency=frequency,
            at_time=at_time,
            weekday=weekday,
            next_run_at=_next_run(frequency, at_time, weekday, clinic, now),
            created_by=author,
            created_at=now,
        )
        _record_schedule(schedule, "scheduled", by=by, now=now)
    return schedule


def _next_run(frequency: str, at_time: time, weekday: int, clinic: Clinic, after: datetime) -> datetime:
    zone = ZoneInfo(clinic.time_zone)
    return next_run(Frequency(frequency).value, at_time, weekday=weekday, after=after, zone=zone)  # type: ignore[arg-type]  # one of them


def stop_schedule(*, schedule: ExportSchedule, reason: StopReason, by: Actor, now: datetime) -> bool:
    """End a file that is made regularly; return whether it was not over already."""
    with transaction.atomic():
        running = ExportSchedule.objects.filter(pk=schedule.pk, stopped_at=None)
        if not running.update(stopped_at=now, stop_reason=reason):
            return False
        _record_schedule(schedule, "unscheduled", by=by, now=now, reason=reason)
    return True


def _record_schedule(
    schedule: ExportSchedule, act: str, *, by: Actor, now: datetime, reason: str = ""
) -> None:
    record(
        f"export.{act}",
        at=now,
        by=by,
        clinic_code=schedule.clinic.code,
        subject_kind="export_schedule",
        subject_code=schedule.code,
        new={
            "table": schedule.choice["table"],
            "frequency": schedule.frequency,
            "member": str(schedule.member.code),
            **({"reason": str(reason)} if reason else {}),
        },
    )


def run_due_schedules(*, now: datetime) -> int:
    """Start the files whose time has come and return how many; one for each, however many runs were missed.

    Each is claimed by moving its next run on, so that of many callers one starts it; one that raises is logged and
    keeps none of the others. It ends by itself when its recipient may not have the table any more.
    Cost: one query, and some ten for each that is due.
    """
    due = ExportSchedule.objects.filter(stopped_at=None, next_run_at__lte=now)
    started = 0
    for schedule in due.select_related("clinic", "member__user", "member__clinic").order_by(
        "next_run_at", "pk"
    ):
        try:
            started += _run(schedule, now=now)
        except Exception:
            logger.exception("Export schedule %s could not be run.", schedule.code)
    return started


def _run(schedule: ExportSchedule, *, now: datetime) -> bool:
    choice = Choice.from_json(schedule.choice)
    if not is_entitled(schedule.member, TABLES[choice.table]):
        stop_schedule(schedule=schedule, reason=StopReason.RIGHT_LOST, by=_SYSTEM, now=now)
        return False
    zone = ZoneInfo(schedule.clinic.time_zone)
    frequency = Frequency(schedule.frequency).value
    from_on, to_on = covered_days(
        frequency,  # type: ignore[arg-type]  # one of them
        run_on=now.astimezone(zone).date(),
        covered_to=schedule.covered_to_on,
    )
    with transaction.atomic():
        mine = ExportSchedule.objects.filter(
            pk=schedule.pk, next_run_at=schedule.next_run_at, stopped_at=None
        )
        following = _next_run(frequency, schedule.at_time, schedule.weekday, schedule.clinic, now)
        if not mine.update(next_run_at=following, covered_to_on=to_on, last_run_at=now):
            return False
        choice = choice_for_days(choice, from_on, to_on)
        reading = open_reading(
            clinic=schedule.clinic, choice=choice, today=now.astimezone(zone).date(), now=now
        )
        start_export(
            member=schedule.member,
            choice=choice,
            count=reading.count(),
            by=_SYSTEM,
            now=now,
            schedule=schedule,
        )
    return True


def choice_for_days(choice: Choice, from_on: date, to_on: date) -> Choice:
    """Return a choice of the days given; a table that has no days is taken whole."""
    if "period" not in TABLES[choice.table].filters:
        return choice
    return Choice.from_json({**choice.as_json(), "from_on": from_on.isoformat(), "to_on": to_on.isoformat()})


# ---------------------------------------------------------------- housekeeping


def tidy_exports(*, now: datetime) -> int:
    """Remove what has had its day and what nobody finishes any more; return how many files went.

    Rows go a week later. A file without a row that is being made or kept is nobody's.
    """
    old = ExportFile.objects.filter(created_at__lt=now - _ROWS_KEPT).filter(job__status__in=ENDED_JOBS)
    old.delete()
    kept = set(ExportFile.objects.filter(expires_at__gt=now).values_list("name", flat=True))
    making = ExportFile.objects.filter(ready_at=None).exclude(job__status__in=ENDED_JOBS)
    kept |= {name + ending for name in making.values_list("name", flat=True) for ending in ("", ".part")}
    count = 0
    for path in folder().iterdir():
        if path.name not in kept:
            path.unlink(missing_ok=True)
            count += 1
    return count


def find_export(clinic: Clinic, code: UUID) -> ExportFile | None:
    return ExportFile.objects.for_clinic(clinic).select_related("clinic", "job").filter(code=code).first()
