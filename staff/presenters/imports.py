"""Imports in words: where each stands, what would come of it, and what is wrong with which row; no queries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

from imports.models import ImportBatch, ImportRow, ImportStatus, RowOutcome
from imports.words import field_words
from staff.presenters.badges import Badge
from staff.presenters.sessions import moment_words

_LOOKS: Final = {
    RowOutcome.WAITING: ("quiet", "clock"),
    RowOutcome.NEW: ("good", "plus"),
    RowOutcome.CHANGED: ("notice", "edit"),
    RowOutcome.SAME: ("quiet", "check"),
    RowOutcome.REFUSED: ("serious", "alert-triangle"),
    RowOutcome.MADE: ("good", "circle-check"),
    RowOutcome.UPDATED: ("good", "circle-check"),
    RowOutcome.UNDONE: ("quiet", "arrow-back-up"),
    RowOutcome.KEPT: ("warning", "alert-circle"),
}
_COUNTED: Final = {
    RowOutcome.MADE: ngettext_lazy("%(n)s made", "%(n)s made", "n"),
    RowOutcome.UPDATED: ngettext_lazy("%(n)s brought up to date", "%(n)s brought up to date", "n"),
    RowOutcome.UNDONE: ngettext_lazy("%(n)s undone", "%(n)s undone", "n"),
    RowOutcome.KEPT: ngettext_lazy("%(n)s left as it is", "%(n)s left as they are", "n"),
    RowOutcome.NEW: ngettext_lazy("%(n)s new", "%(n)s new", "n"),
    RowOutcome.CHANGED: ngettext_lazy("%(n)s changed", "%(n)s changed", "n"),
    RowOutcome.SAME: ngettext_lazy("%(n)s here already", "%(n)s here already", "n"),
    RowOutcome.REFUSED: ngettext_lazy("%(n)s refused", "%(n)s refused", "n"),
    RowOutcome.WAITING: ngettext_lazy("%(n)s not checked", "%(n)s not checked", "n"),
}
RUNNING: Final = (ImportStatus.CHECKING, ImportStatus.APPLYING, ImportStatus.UNDOING)
_RUNNING_WORDS: Final = {
    ImportStatus.CHECKING: gettext_lazy("Every row is being checked. Nothing is changed yet."),
    ImportStatus.APPLYING: gettext_lazy("The rows are being imported."),
    ImportStatus.UNDOING: gettext_lazy("What was imported is being taken back."),
}
# So many cells tell which row it is.
_SHOWN_CELLS: Final = 4


@dataclass(frozen=True, slots=True)
class ImportLine:
    batch: ImportBatch
    url: str
    kind: str
    badge: Badge
    when: str
    counts: str


def import_line(batch: ImportBatch, counts: Mapping[str, int], *, today: date) -> ImportLine:
    """Return an import as its line reads; who began it must be loaded."""
    when = moment_words(batch.created_at, today=today)
    return ImportLine(
        batch=batch,
        url=reverse("staff:import-detail", args=[batch.code]),
        kind=capfirst(batch.get_kind_display()),
        badge=_badge(batch),
        when=f"{when} · {batch.created_by.display_name}",
        counts=", ".join(words for _badge, words in count_lines(counts)),
    )


def _badge(batch: ImportBatch) -> Badge:
    tone, sign = {
        ImportStatus.APPLIED: ("good", "circle-check"),
        ImportStatus.UNDONE: ("quiet", "arrow-back-up"),
        ImportStatus.UPLOADED: ("notice", "file-import"),
        ImportStatus.CHECKED: ("notice", "list-check"),
    }.get(ImportStatus(batch.status), ("accent", "refresh"))
    return Badge(capfirst(batch.get_status_display()), tone, sign)


def running_words(batch: ImportBatch) -> str:
    """Return what is going on; nothing when nothing is."""
    return str(_RUNNING_WORDS.get(ImportStatus(batch.status), ""))


def count_lines(counts: Mapping[str, int]) -> list[tuple[str, str]]:
    """Return each outcome that occurs with its number in words, in a fixed order."""
    return [
        (outcome.value, str(words % {"n": counts[outcome]}))
        for outcome, words in _COUNTED.items()
        if counts.get(outcome)
    ]


@dataclass(frozen=True, slots=True)
class RowLine:
    number: int
    badge: Badge
    words: str
    problems: tuple[tuple[str, str], ...]


def row_line(row: ImportRow, columns: Mapping[str, int]) -> RowLine:
    tone, sign = _LOOKS[RowOutcome(row.outcome)]
    # In the order of the file.
    cells: Sequence[str] = [row.cells[place] for place in sorted(columns.values()) if place < len(row.cells)]
    return RowLine(
        number=row.number,
        badge=Badge(capfirst(row.get_outcome_display()), tone, sign),
        words=" · ".join([cell for cell in cells if cell][:_SHOWN_CELLS]),
        problems=tuple((field_words(name), sentence) for name, sentence in row.problems),
    )


def sound_words(counts: Mapping[str, int]) -> str:
    """Return what pressing the button would do."""
    parts = [words for outcome, words in count_lines(counts) if outcome in ("new", "changed")]
    return _("Import: %(what)s") % {"what": ", ".join(parts)} if parts else ""
