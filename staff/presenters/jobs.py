"""Background jobs in words: what is being done, how far it is, and why it failed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinics.jobs import BROKEN
from clinics.models import BackgroundJob, JobStatus
from staff.presenters.badges import Badge

Words = str | Promise


@dataclass(frozen=True, slots=True)
class JobKind:
    """What a kind of job is called, where its page is, and what each of its own errors means."""

    label: Words
    url: Callable[[BackgroundJob], str]
    errors: Mapping[str, Words]


def _disruption_url(job: BackgroundJob) -> str:
    return reverse("staff:disruption-detail", args=[job.parameters["disruption"]])


_STALE: Final = {
    "stale_plan": gettext_lazy(
        "Hours, closures or absences were changed after this was planned. Plan it again."
    )
}


def _import_url(job: BackgroundJob) -> str:
    return reverse("staff:import-detail", args=[job.parameters["batch"]])


_IMPORT_ERRORS: Final = {
    "gone": gettext_lazy("This import is not there any more."),
    "left": gettext_lazy(
        "Whoever began this import has no access any more. Give it back, or import the file anew."
    ),
}


def _export_url(job: BackgroundJob) -> str:
    return reverse("staff:export-list")


_EXPORT_ERRORS: Final = {
    "gone": gettext_lazy("This file is not there any more."),
    "right_lost": gettext_lazy("Whoever it was made for may not export that any more."),
    "disk_full": gettext_lazy("The server's disk is full. Its operator has to make room; then try again."),
    "sealed": gettext_lazy("Pseudonyms cannot be made: the installation's secret was changed."),
    "held": gettext_lazy("The file is made. Its link was not mailed: nothing is sent after a restore."),
    "not_mailed": gettext_lazy("The file is made. Its link could not be mailed."),
}
KINDS: Final[Mapping[str, JobKind]] = {
    "plan_disruption": JobKind(gettext_lazy("Planning an absence or closure"), _disruption_url, _STALE),
    "apply_disruption": JobKind(gettext_lazy("Applying an absence or closure"), _disruption_url, _STALE),
    "undo_disruption": JobKind(gettext_lazy("Taking back an absence or closure"), _disruption_url, _STALE),
    "exports.make": JobKind(gettext_lazy("Making a file"), _export_url, _EXPORT_ERRORS),
    "imports.check": JobKind(gettext_lazy("Checking a spreadsheet"), _import_url, _IMPORT_ERRORS),
    "imports.apply": JobKind(gettext_lazy("Importing a spreadsheet"), _import_url, _IMPORT_ERRORS),
    "imports.undo": JobKind(gettext_lazy("Undoing an import"), _import_url, _IMPORT_ERRORS),
}
_ERRORS: Final[Mapping[str, Words]] = {
    BROKEN: gettext_lazy("Something went wrong that should not. What was done until then stays done."),
}


@dataclass(frozen=True, slots=True)
class JobLine:
    """One job as its line and its bar show it."""

    job: BackgroundJob
    label: str
    url: str
    badge: Badge
    progress: str
    error: str

    @property
    def is_live(self) -> bool:
        return not self.job.has_ended

    @property
    def can_go_on(self) -> bool:
        return self.job.status == JobStatus.FAILED


def job_line(job: BackgroundJob) -> JobLine:
    kind = KINDS.get(job.kind)
    return JobLine(
        job=job,
        label=str(kind.label) if kind else job.kind,
        url=kind.url(job) if kind else "",
        badge=job_badge(job),
        progress=progress_words(job),
        error=error_words(job),
    )


def job_badge(job: BackgroundJob) -> Badge:
    badges = {
        JobStatus.WAITING: Badge(_("Waiting"), "quiet", "clock"),
        JobStatus.RUNNING: Badge(_("In progress"), "accent", "refresh"),
        JobStatus.DONE: Badge(_("Done"), "good", "circle-check"),
        JobStatus.FAILED: Badge(_("Failed"), "serious", "alert-triangle"),
        JobStatus.CANCELLED: Badge(_("Broken off"), "quiet", "ban"),
    }
    return badges[JobStatus(job.status)]


def progress_words(job: BackgroundJob) -> str:
    """Return how far a job is; nothing while nobody knows how much there is to do."""
    if not job.total_count:
        return ""
    return _("%(done)s of %(total)s") % {"done": job.done_count, "total": job.total_count}


def error_words(job: BackgroundJob) -> str:
    """Return why a job failed, as a sentence; nothing when it did not."""
    if not job.error_code:
        return ""
    kind = KINDS.get(job.kind)
    found = (kind.errors if kind else {}).get(job.error_code) or _ERRORS.get(job.error_code)
    return str(found or _ERRORS[BROKEN])
