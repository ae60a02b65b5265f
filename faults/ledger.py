"""What became of every planned message, told by the receiving end, and the bars that a run must clear.

The counts are made from two things only: the list that was written before the run, and the lines of the sink. The
application's rows are asked for how each message ended, never for how often it was sent; where the two disagree, the
run is broken.
"""

from __future__ import annotations

import json
import platform
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from faults.clock import Reading
from faults.cohort import Cohort
from faults.sink import Line

ENDS: Final = ("sent", "expired", "failed", "cancelled", "suppressed", "uncertain")
_ARRIVED: Final = frozenset({"sent", "uncertain"})


@dataclass(slots=True)
class Ledger:
    """The figures of one run; late and recovery are in seconds of the run's clock.

    `due` counts what was planned, `eligible` what might be sent at all. `extra_copies` are those beyond a message's first,
    `lost` those that are marked sent or left without an end and never came, `wrongly_sent` those that should not have gone.
    """

    name: str
    title: str
    seed: int
    due: int = 0
    eligible: int = 0
    sent_unique: int = 0
    extra_copies: int = 0
    lost: int = 0
    uncertain: int = 0
    expired: int = 0
    failed: int = 0
    cancelled: int = 0
    suppressed: int = 0
    wrongly_sent: int = 0
    late_p50: float = 0.0
    late_p95: float = 0.0
    late_max: float = 0.0
    recovery_s: float = 0.0
    kills: int = 0
    restarts: int = 0
    speed: float = 1.0
    trials: int = 1
    is_control: bool = False
    # What else a reader needs to judge the run, in words.
    notes: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    played_on: str = ""

    def require(self, holds: bool, text: str) -> None:
        """Note a bar that was not cleared."""
        if not holds:
            self.broken.append(text)

    @property
    def is_as_wished(self) -> bool:
        """Whether the run cleared every bar, or, being a control, failed as it must."""
        return bool(self.broken) if self.is_control else not self.broken


def count(
    ledger: Ledger, cohort: Cohort, lines: Iterable[Line], ends: Mapping[str, str], clock: Reading
) -> Ledger:
    """Fill the ledger from the plan, the sink's lines and how each row ended (state by code).

    Every disagreement is a bar that was not cleared.
    """
    taken = [line for line in lines if line.is_taken]
    copies = Counter(line.code for line in taken)
    strangers = [code for code in copies if code not in cohort.planned]
    states = Counter(ends.get(code, "gone") for code in cohort.planned)
    ledger.due = len(cohort.planned)
    ledger.eligible = sum("sent" in one.fates for one in cohort.planned.values())
    ledger.sent_unique = len(copies) - len(strangers)
    ledger.extra_copies = sum(copies.values()) - len(copies)
    ledger.lost = sum(
        code not in copies and ends.get(code, "gone") not in (*ENDS[1:],) for code in cohort.planned
    )
    ledger.wrongly_sent = len(strangers) + sum(
        code in copies and not one.fates & _ARRIVED for code, one in cohort.planned.items()
    )
    for end in ENDS[1:]:
        setattr(ledger, end, states[end])
    _measure_lateness(ledger, cohort, taken, clock)
    ledger.speed = clock.speed
    _check(ledger, cohort, copies, ends, states)
    return ledger


def _measure_lateness(ledger: Ledger, cohort: Cohort, taken: list[Line], clock: Reading) -> None:
    first: dict[str, float] = {}
    for line in taken:
        if line.code in cohort.planned:
            late = (clock.of(line.ended) - cohort.planned[line.code].send_at).total_seconds()
            first[line.code] = min(late, first.get(line.code, late))
    late_by = sorted(first.values())
    early = sum(late < 0 for late in late_by)
    ledger.require(not early, f"{early} came before their time")
    if late_by:
        ledger.late_p50, ledger.late_p95, ledger.late_max = (
            round(late_by[min(len(late_by) - 1, int(share * len(late_by)))], 1) for share in (0.5, 0.95, 1)
        )


def _check(
    ledger: Ledger,
    cohort: Cohort,
    copies: Counter[str],
    ends: Mapping[str, str],
    states: Counter[str],
) -> None:
    ended = sum(states[end] for end in ENDS)
    ledger.require(ended == ledger.due, f"{ledger.due} were due, {ended} have an end: {dict(states)}")
    odd = Counter(
        ends.get(code, "gone")
        for code, one in cohort.planned.items()
        if ends.get(code) in ENDS and ends[code] not in one.fates
    )
    ledger.require(not odd, f"ended otherwise than may be: {dict(odd)}")
    unmarked = sum(code in copies and ends.get(code) not in _ARRIVED for code in cohort.planned)
    ledger.require(not unmarked, f"{unmarked} arrived but their rows say otherwise")
    ledger.require(not ledger.lost, f"{ledger.lost} lost")
    ledger.require(not ledger.wrongly_sent, f"{ledger.wrongly_sent} wrongly sent")


def versions() -> dict[str, str]:
    """Return what the run stood on."""
    packages = {name: version(name) for name in ("django", "celery", "kombu", "redis", "psycopg")}
    return {"python": platform.python_version(), **packages}


# ---------------------------------------------------------------- on paper


_COLUMNS: Final = (
    ("run", "name"),
    ("due", "due"),
    ("arrived", "sent_unique"),
    ("extra", "extra_copies"),
    ("lost", "lost"),
    ("uncertain", "uncertain"),
    ("expired", "expired"),
    ("failed", "failed"),
    ("cancelled", "cancelled"),
    ("suppressed", "suppressed"),
    ("wrongly sent", "wrongly_sent"),
    ("kills", "kills"),
    ("trials", "trials"),
)


def write_json(ledger: Ledger, folder: Path) -> None:
    """Write one run as JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(asdict(ledger), indent=2, ensure_ascii=False)
    _file(ledger.name, folder).write_text(text + "\n", encoding="utf-8")


def read_json(name: str, folder: Path) -> Ledger | None:
    """Return the last run of a scenario, None when there is none."""
    file = _file(name, folder)
    return Ledger(**json.loads(file.read_text(encoding="utf-8"))) if file.exists() else None


def _file(name: str, folder: Path) -> Path:
    return folder / f"{name.replace(':', '').replace(' ', '-').lower()}.json"


def table(ledgers: Iterable[Ledger]) -> str:
    """Return the ledgers as a Markdown table, each run's remarks in the last column."""
    head = [title for title, _ in _COLUMNS] + ["cleared", "remarks"]
    rows = [head, ["---"] * len(head)]
    for ledger in ledgers:
        values: dict[str, Any] = asdict(ledger)
        cells = [
            f"{values[name]:,}" if isinstance(values[name], int) else values[name] for _, name in _COLUMNS
        ]
        rows.append([*cells, _verdict(ledger), "; ".join([ledger.title, *ledger.notes, *ledger.broken])])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _verdict(ledger: Ledger) -> str:
    if ledger.is_control:
        return "fails, as it must" if ledger.broken else "**passes, and must not**"
    return "yes" if not ledger.broken else "**NO**"


def sum_of(ledgers: Iterable[Ledger]) -> str:
    """Return the sums of all runs that are no controls, in one sentence."""
    real = [ledger for ledger in ledgers if not ledger.is_control]
    due, lost = sum(one.due for one in real), sum(one.lost for one in real)
    wrong, extra = sum(one.wrongly_sent for one in real), sum(one.extra_copies for one in real)
    kills = sum(one.kills for one in real)
    return (
        f"{lost} lost and {wrong} wrongly sent in {due:,} due messages over {len(real)} runs; "
        f"{extra} extra copies over {kills} kills and every other fault."
    )
