"""Several trials of one scenario as one line, and the table in the documentation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bin.steps import ROOT
from faults.ledger import Ledger, sum_of, table

_PAGE: Final = ROOT / "docs" / "reliability.md"
_BEGIN: Final = "<!-- ledger: written by make faults -->"
_END: Final = "<!-- end of the ledger -->"
_SUMS: Final = (
    *("due", "eligible", "sent_unique", "extra_copies", "lost", "uncertain", "expired", "failed"),
    *("cancelled", "suppressed", "wrongly_sent", "kills", "restarts"),
)
_WORST: Final = ("late_p50", "late_p95", "late_max", "recovery_s")


def join(trials: Sequence[Ledger]) -> Ledger:
    """Return one ledger for several trials: counts are summed, of times the worst is kept.

    Raises: IndexError without a trial.
    """
    first = trials[0]
    for name in _SUMS:
        setattr(first, name, sum(getattr(trial, name) for trial in trials))
    for name in _WORST:
        setattr(first, name, max(getattr(trial, name) for trial in trials))
    first.trials = len(trials)
    first.broken = [f"seed {trial.seed}: {text}" for trial in trials for text in trial.broken]
    first.notes = list(dict.fromkeys(note for trial in trials for note in trial.notes))
    return first


def publish(ledgers: Sequence[Ledger]) -> None:
    """Put the table between its marks in the documentation.

    Raises: ValueError when the page has no such marks.
    """
    page = _PAGE.read_text(encoding="utf-8")
    before, begin, rest = page.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"{_PAGE.name} has no place for the ledger")
    days = sorted({ledger.played_on for ledger in ledgers if ledger.played_on})
    versions = ", ".join(f"{name} {number}" for name, number in ledgers[0].versions.items())
    text = f"\n\n{table(ledgers)}\n\n{sum_of(ledgers)} Played on {' and '.join(days)} with {versions}.\n\n"
    _PAGE.write_text(before + begin + text + end + after, encoding="utf-8")
