"""Settings, Import: clients and running courses from a spreadsheet, looked at first and undone as a whole."""

import uuid
from typing import Any, Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRefresh

from clinics.access import Capability
from clinics.jobs import retry_job, work_job
from clinics.models import BackgroundJob
from courses.convert import local_today
from courses.errors import CourseError
from imports.files import MOST_BYTES
from imports.models import ImportBatch, ImportRow, ImportStatus, RowOutcome
from imports.services import (
    UNDO_DAYS,
    begin_applying,
    begin_undoing,
    choose_columns,
    count_outcomes,
    discard,
    hand_over,
    is_undo_open,
    start_import,
)
from staff.access import StaffRequest, acting, staff_page
from staff.answers import add_refusal, attempt
from staff.import_forms import ColumnsForm, UploadForm
from staff.presenters import imports as shown
from staff.presenters.jobs import job_line

_LIST: Final = "staff/imports/import_list.html"
_DETAIL: Final = "staff/imports/import_detail.html"
_PROGRESS: Final = "staff/imports/_progress.html"
_UNDO: Final = "staff/imports/import_undo.html"
_SHOWN_IMPORTS: Final = 30
_ROWS_A_PAGE: Final = 50
# So long the page waits itself, which does for a small file; a worker goes on from there.
_WAITED_SECONDS: Final = 1.5


@staff_page(read=Capability.MANAGE, write=Capability.MANAGE)
def import_list(request: StaffRequest) -> HttpResponse:
    if request.method != "POST":
        return _show_list(request, UploadForm())
    form = UploadForm(request.POST, request.FILES)
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            batch = start_import(
                clinic=request.staff_member.clinic,
                kind=form.cleaned_data["kind"],
                file_name=file.name,
                content=file.read(MOST_BYTES + 1),
                by=acting(request),
                now=timezone.now(),
                language=get_language() or "en",
            )
        except CourseError as error:
            add_refusal(form, error)
        else:
            return redirect("staff:import-detail", batch.code)
    return _show_list(request, form, status=422)


def _show_list(request: StaffRequest, form: UploadForm, *, status: int = 200) -> HttpResponse:
    clinic = request.staff_member.clinic
    batches = list(ImportBatch.objects.for_clinic(clinic).select_related("created_by")[:_SHOWN_IMPORTS])
    counts: dict[int, dict[str, int]] = {batch.pk: {} for batch in batches}
    rows = ImportRow.objects.filter(batch__in=batches).order_by()
    for batch_id, outcome, count in rows.values_list("batch", "outcome").annotate(n=Count("pk")):
        counts[batch_id][outcome] = count
    today = local_today(clinic, timezone.now())
    lines = [shown.import_line(batch, counts[batch.pk], today=today) for batch in batches]
    return render(request, _LIST, {"form": form, "lines": lines}, status=status)


@staff_page(read=Capability.MANAGE)
def show_import(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    batch = _find(request, code)
    if not request.htmx:
        return _show(request, batch, ColumnsForm(batch=batch, sample=_sample(batch)))
    if batch.status not in shown.RUNNING:
        return HttpResponseClientRefresh()
    return render(request, _PROGRESS, _progress(batch))


def _find(request: StaffRequest, code: uuid.UUID) -> ImportBatch:
    batches = ImportBatch.objects.for_clinic(request.staff_member.clinic)
    return get_object_or_404(batches.select_related("clinic", "created_by"), code=code)


def _sample(batch: ImportBatch) -> list[str]:
    return batch.rows.values_list("cells", flat=True).first() or []


def _progress(batch: ImportBatch) -> dict[str, Any]:
    job = _job(batch)
    return {"batch": batch, "words": shown.running_words(batch), "job": job_line(job) if job else None}


def _job(batch: ImportBatch) -> BackgroundJob | None:
    """Return the job that works or worked on an import last."""
    if batch.job_code is None:
        return None
    return BackgroundJob.objects.for_clinic(batch.clinic).filter(code=batch.job_code).first()


def _show(request: StaffRequest, batch: ImportBatch, form: ColumnsForm, *, status: int = 200) -> HttpResponse:
    now = timezone.now()
    counts = count_outcomes(batch)
    chosen = request.GET.get("show", "")
    if chosen not in counts:
        chosen = RowOutcome.REFUSED if RowOutcome.REFUSED in counts else next(iter(sorted(counts)), "")
    # What was applied is told by its numbers alone: the file itself is forgotten.
    is_listed = batch.status == ImportStatus.CHECKED or chosen == RowOutcome.REFUSED
    rows = batch.rows.filter(outcome=chosen) if is_listed else batch.rows.none()
    page = Paginator(rows, _ROWS_A_PAGE).get_page(request.GET.get("page"))
    context = {
        **_progress(batch),
        "form": form,
        "line": shown.import_line(batch, counts, today=local_today(batch.clinic, now)),
        "counts": shown.count_lines(counts),
        "chosen": chosen,
        "page": page,
        "rows": [shown.row_line(row, batch.columns) for row in page],
        "is_undo_open": is_undo_open(batch, now=now),
        "undo_days": UNDO_DAYS,
        "button": shown.sound_words(counts),
    }
    return render(request, _DETAIL, context, status=status)


@staff_page(write=Capability.MANAGE)
def check(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    """Say which column holds what, and check every row; nothing is changed by it."""
    batch = _find(request, code)
    form = ColumnsForm(request.POST, batch=batch, sample=_sample(batch))
    if not form.is_valid():
        return _show(request, batch, form, status=422)
    with attempt(request, form) as tried:
        batch = choose_columns(batch=batch, columns=form.columns())
    if tried.is_refused:
        return _show(request, batch, form, status=422)
    return _begin(request, batch, "imports.check")


def _begin(request: StaffRequest, batch: ImportBatch, kind: str) -> HttpResponse:
    job = hand_over(batch=batch, kind=kind, by=acting(request), now=timezone.now())
    work_job(job_id=job.pk, seconds=_WAITED_SECONDS)
    return redirect("staff:import-detail", batch.code)


@staff_page(write=Capability.MANAGE)
def apply(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    batch, now = _find(request, code), timezone.now()
    with attempt(request) as tried:
        batch = begin_applying(batch=batch, by=acting(request), now=now)
    if tried.is_refused:
        return redirect("staff:import-detail", code)
    return _begin(request, batch, "imports.apply")


@staff_page(read=Capability.MANAGE, write=Capability.MANAGE)
def undo(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    """Ask first: what was imported is gone after it."""
    batch, now = _find(request, code), timezone.now()
    if request.method != "POST":
        today = local_today(batch.clinic, now)
        line = shown.import_line(batch, count_outcomes(batch), today=today)
        return render(request, _UNDO, {"batch": batch, "line": line})
    with attempt(request) as tried:
        batch = begin_undoing(batch=batch, by=acting(request), now=now)
    if tried.is_refused:
        return redirect("staff:import-detail", code)
    return _begin(request, batch, "imports.undo")


@staff_page(write=Capability.MANAGE)
def go_on(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    """Let a job that failed try again where it stopped."""
    batch = _find(request, code)
    job = _job(batch)
    if job is not None:
        retry_job(job=job, by=acting(request), now=timezone.now())
    return redirect("staff:import-detail", code)


@staff_page(write=Capability.MANAGE)
def throw_away(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    with attempt(request) as tried:
        discard(batch=_find(request, code))
    if tried.is_refused:
        return redirect("staff:import-detail", code)
    messages.success(request, _("The file is thrown away. Nothing was imported."))
    return redirect("staff:import-list")
