"""Exports: every table as a file, at once or made in the background, and files that come again and again."""

import tempfile
import uuid
from datetime import datetime
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from clinics.access import Capability, is_allowed
from clinics.jobs import retry_job, work_job
from courses.convert import local_today
from courses.errors import CourseError
from exports.columns import Table
from exports.core.choice import FHIR, Choice
from exports.files import MEDIA_TYPES, write_workbook
from exports.models import ExportFile, ExportSchedule, StopReason
from exports.reading import Reading
from exports.services import (
    check_size,
    find_export,
    find_file,
    is_sent_at_once,
    open_reading,
    read_at_once,
    record_export,
    remove_export,
    saved_name,
    schedule_export,
    start_export,
    stop_schedule,
)
from exports.tables import TABLES
from staff.access import StaffRequest, acting, may, staff_page
from staff.answers import add_refusal, show
from staff.export_forms import ExportForm, ScheduleForm, read_address
from staff.presenters import exports as shown
from staff.searches import searched

_LIST: Final = "staff/exports/export_list.html"
_TABLE: Final = "staff/exports/export_table.html"
_SHOWN_FILES: Final = 30
# So long the page waits itself, which does for most; a worker goes on from there.
_WAITED_SECONDS: Final = 1.0
# htmx then asks no more.
_STOP_POLLING: Final = 286


@staff_page(read=Capability.EXPORT)
def export_list(request: StaffRequest) -> HttpResponse:
    clinic, now = request.staff_member.clinic, timezone.now()
    today = local_today(clinic, now)
    files = ExportFile.objects.for_clinic(clinic).select_related("job", "made_for")
    lines = [
        shown.file_line(export, today=today, now=now)
        for export in files[:_SHOWN_FILES]
        if export.choice["table"] in _tables(request)
    ]
    is_live = any(line.is_live for line in lines)
    schedules = ExportSchedule.objects.for_clinic(clinic).filter(stopped_at=None).select_related("member")
    context = {
        "tables": _tables(request).values(),
        "lines": lines,
        "is_live": is_live,
        "schedules": [
            shown.schedule_line(one, today=today, may_stop=_may_stop(request, one)) for one in schedules
        ],
    }
    response = show(request, _LIST, f"{_LIST}#files", context)
    if request.htmx and not is_live:
        response.status_code = _STOP_POLLING
    return response


def _tables(request: StaffRequest) -> dict[str, Table]:
    """Return the tables that the reader may take out, by name."""
    member = request.staff_member
    return {name: table for name, table in TABLES.items() if is_allowed(member, table.needs)}


def _may_stop(request: StaffRequest, schedule: ExportSchedule) -> bool:
    return schedule.member_id == request.staff_member.pk or may(request, Capability.MANAGE)


# ---------------------------------------------------------------- one table


@staff_page(read=Capability.EXPORT, write=Capability.EXPORT)
def export_table(request: StaffRequest, name: str) -> HttpResponseBase:
    table = TABLES.get(name)
    if table is None:
        raise Http404
    if not may(request, table.needs):
        raise PermissionDenied
    member = request.staff_member
    again: dict[str, Any] = {"table": table, "member": member, "may_manage": may(request, Capability.MANAGE)}
    if request.method != "POST":
        form = ExportForm(table=table, member=member)
        form.initial = {**form.initial, **read_address(searched(request).dict(), form)}
        return _show_table(request, form, ScheduleForm(**again))
    form = ExportForm(request.POST, table=table, member=member)
    is_regular = request.POST.get("act") == "regular"
    schedule = ScheduleForm(request.POST if is_regular else None, **again)
    if form.is_valid() and (not is_regular or schedule.is_valid()):
        try:
            if is_regular:
                return _schedule(request, form.choice(), schedule)
            return answer_choice(request, form.choice(), now=timezone.now())
        except CourseError as error:
            add_refusal(schedule if set(error.fields) & set(schedule.fields) else form, error)
    return _show_table(request, form, schedule, status=422)


def _show_table(
    request: StaffRequest, form: ExportForm, schedule: ScheduleForm, *, status: int = 200
) -> HttpResponse:
    context = {
        "form": form,
        "table": form.table,
        "has_fhir": FHIR in form.table.formats,
        "schedule": schedule,
        "is_regular": schedule.is_bound,
    }
    return render(request, _TABLE, context, status=status)


def _schedule(request: StaffRequest, choice: Choice, form: ScheduleForm) -> HttpResponse:
    if choice.search:
        message = _("What comes regularly is made in the background, which remembers no names.")
        raise CourseError(message, code="searched", fields={"q": message})
    schedule = schedule_export(choice=choice, by=acting(request), now=timezone.now(), **form.cleaned_data)
    messages.success(
        request, _("%(name)s gets a link by e-mail each time.") % {"name": schedule.member.display_name}
    )
    return redirect("staff:export-list")


def answer_choice(request: StaffRequest, choice: Choice, *, now: datetime) -> HttpResponseBase:
    """Send a small file at once; have a large one made, and go to where it will be found.

    Raises: CourseError naming the field that asks for too much.
    """
    member, by = request.staff_member, acting(request)
    today = local_today(member.clinic, now)
    reading = open_reading(clinic=member.clinic, choice=choice, today=today, now=now)
    count = reading.count()
    check_size(choice, count)
    if not is_sent_at_once(choice, count):
        export = start_export(member=member, choice=choice, count=count, by=by, now=now)
        work_job(job_id=export.job_id or 0, seconds=_WAITED_SECONDS)
        messages.success(request, _("The file is being made. It stands here when it is ready."))
        return redirect("staff:export-list")
    name = saved_name(choice, today)
    if choice.file_format == "xlsx":
        record_export(clinic=member.clinic, choice=choice, count=count, by=by, now=now)
        return _workbook(reading, name)
    blocks = read_at_once(reading, choice, now=now, by=by, count=count)
    response = StreamingHttpResponse(blocks, content_type=MEDIA_TYPES[choice.file_format])
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name) or ""
    return response


def _workbook(reading: Reading, name: str) -> FileResponse:
    target = tempfile.TemporaryFile(suffix=".xlsx")  # noqa: SIM115  # the response closes it
    write_workbook(reading, target)
    target.seek(0)
    return FileResponse(target, as_attachment=True, filename=name, content_type=MEDIA_TYPES["xlsx"])


# ---------------------------------------------------------------- made files and regular ones


def _find(request: StaffRequest, code: uuid.UUID) -> ExportFile:
    export = find_export(request.staff_member.clinic, code)
    if export is None or export.choice["table"] not in _tables(request):
        raise Http404
    return export


@staff_page(read=Capability.EXPORT)
def fetch(request: StaffRequest, code: uuid.UUID) -> FileResponse:
    export, now = _find(request, code), timezone.now()
    file = find_file(export=export, member=request.staff_member, by=acting(request), now=now)
    if file is None:
        raise Http404
    choice = Choice.from_json(export.choice)
    name = saved_name(choice, local_today(export.clinic, export.created_at))
    return FileResponse(file, as_attachment=True, filename=name, content_type=MEDIA_TYPES[choice.file_format])


@staff_page(write=Capability.EXPORT)
def remove(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    remove_export(export=_find(request, code), by=acting(request), now=timezone.now())
    messages.success(request, _("The file is removed."))
    return redirect("staff:export-list")


@staff_page(write=Capability.EXPORT)
def try_again(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    export = _find(request, code)
    if export.job is not None:
        retry_job(job=export.job, by=acting(request), now=timezone.now())
    return redirect("staff:export-list")


@staff_page(write=Capability.EXPORT)
def stop(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    clinic = request.staff_member.clinic
    schedule = (
        ExportSchedule.objects.for_clinic(clinic).select_related("clinic", "member").filter(code=code).first()
    )
    if schedule is None:
        raise Http404
    if not _may_stop(request, schedule):
        raise PermissionDenied
    stop_schedule(schedule=schedule, reason=StopReason.REMOVED, by=acting(request), now=timezone.now())
    messages.success(request, _("It does not come any more."))
    return redirect("staff:export-list")
