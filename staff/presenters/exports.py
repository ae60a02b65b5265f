"""Files and regular files in words: what is in them, how far they are, until when they can be fetched."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from clinics.models import JobStatus, Weekday
from exports.core.choice import Choice
from exports.models import ExportFile, ExportSchedule, Frequency
from exports.tables import TABLES
from staff.presenters.badges import Badge
from staff.presenters.jobs import JobLine, job_line
from staff.presenters.sessions import moment_words
from staff.templatetags.interface import day

FORMAT_WORDS: Final = {
    "csv": gettext_lazy("CSV, with commas"),
    "semicolon": gettext_lazy("CSV, with semicolons and decimal commas"),
    "xlsx": gettext_lazy("Excel workbook (XLSX)"),
    "jsonl": gettext_lazy("JSON Lines, for programs"),
    "fhir": gettext_lazy("FHIR R5 (NDJSON), one course a line"),
}


@dataclass(frozen=True, slots=True)
class FileLine:
    """One file as its line shows it; `url` only while it can be fetched."""

    export: ExportFile
    name: str
    about: str
    made: str
    badge: Badge
    url: str
    job: JobLine | None
    is_live: bool


def file_line(export: ExportFile, *, today: date, now: datetime) -> FileLine:
    job = job_line(export.job) if export.job else None
    is_live = bool(job and job.is_live and not export.ready_at)
    is_there = bool(export.expires_at and now < export.expires_at)
    size = f"{_rows(export.row_count)}, {filesizeformat(export.byte_count)}" if export.ready_at else ""
    return FileLine(
        export=export,
        name=_name(export.choice),
        about=" · ".join(filter(None, (what_words(export.choice, today=today), size))),
        made=f"{moment_words(export.created_at, today=today)} · {export.made_for.display_name}",
        badge=_badge(export, is_there=is_there, today=today),
        url=reverse("staff:export-file", args=[export.code]) if is_there else "",
        job=job if job and not export.ready_at else None,
        is_live=is_live,
    )


def _badge(export: ExportFile, *, is_there: bool, today: date) -> Badge:
    if is_there and export.expires_at:
        until = moment_words(export.expires_at, today=today)
        return Badge(_("Ready until %(when)s") % {"when": until}, "good", "circle-check")
    if export.ready_at:
        return Badge(_("Gone"), "quiet", "history")
    if export.job and export.job.status == JobStatus.FAILED:
        return Badge(_("Failed"), "serious", "alert-triangle")
    if export.job and export.job.status == JobStatus.CANCELLED:
        return Badge(_("Broken off"), "quiet", "ban")
    return Badge(_("Being made"), "accent", "refresh")


def _rows(count: int) -> str:
    return ngettext("%(count)s row", "%(count)s rows", count) % {"count": f"{count:,}".replace(",", "\u202f")}


def _name(kept: dict[str, object]) -> str:
    choice = Choice.from_json(kept)
    title = str(TABLES[choice.table].title)
    return _("%(table)s, anonymised") % {"table": title} if choice.is_anonymous else title


def what_words(kept: dict[str, object], *, today: date) -> str:
    """Return a file's format and days."""
    choice = Choice.from_json(kept)
    spans = {
        (True, True): _("%(first)s – %(last)s"),
        (True, False): _("from %(first)s"),
        (False, True): _("until %(last)s"),
        (False, False): "",
    }
    first, last = (day(one, today) for one in (choice.from_on, choice.to_on))
    span = spans[bool(first), bool(last)] % {"first": first, "last": last}
    if first and first == last:
        span = first
    return " · ".join(filter(None, (str(FORMAT_WORDS[choice.file_format]), span)))


@dataclass(frozen=True, slots=True)
class ScheduleLine:
    schedule: ExportSchedule
    name: str
    form: str
    when: str
    following: str
    may_stop: bool


def schedule_line(schedule: ExportSchedule, *, today: date, may_stop: bool) -> ScheduleLine:
    often = {
        Frequency.DAILY: _("Every day at %(time)s"),
        Frequency.WEEKLY: _("%(weekday)s, %(time)s"),
        Frequency.MONTHLY: _("On the first of every month at %(time)s"),
    }[Frequency(schedule.frequency)]
    words = often % {"time": f"{schedule.at_time:%H:%M}", "weekday": Weekday(schedule.weekday).label}
    return ScheduleLine(
        schedule=schedule,
        name=_name(schedule.choice),
        form=str(FORMAT_WORDS[schedule.choice["format"]]),
        when=f"{words} · {schedule.member.display_name}",
        following=_("Next: %(when)s") % {"when": moment_words(schedule.next_run_at, today=today)},
        may_stop=may_stop,
    )
