"""The ledger sees what it is there to see, and nothing of the application reaches what is wrong on purpose."""

import ast
from datetime import timedelta
from pathlib import Path

import pytest

from faults import publish
from faults.clock import RunClock
from faults.cohort import PEAK, Cohort, Planned
from faults.ledger import Ledger, count, read_json, sum_of, table, write_json
from faults.publish import join
from faults.sink import Line, read_lines

ROOT = Path(__file__).resolve().parent.parent.parent
CLOCK = RunClock(PEAK, 1000.0, 10.0)


def planned(*codes, fates=("sent",)):
    found = {c: Planned(c, f"client.{c}@example.com", f"s{c}", PEAK, frozenset(fates)) for c in codes}
    return Cohort(planned=found)


def line(code, answer="taken", at=1001.0):
    return Line(at - 0.1, at, f"<{code}@x>", f"client.{code}@example.com", answer)


def counted(cohort, lines, ends):
    return count(Ledger("F00", "a test", 1), cohort, lines, ends, CLOCK)


def test_whole_run_clears_its_bars():
    ledger = counted(planned("a", "b"), [line("a"), line("b", at=1003.0)], {"a": "sent", "b": "sent"})

    assert (ledger.due, ledger.sent_unique, ledger.extra_copies, ledger.lost) == (2, 2, 0, 0)
    assert (ledger.late_p50, ledger.late_max) == (30.0, 30.0)
    assert ledger.broken == []


@pytest.mark.parametrize(
    ("lines", "ends", "broken"),
    [
        ([line("a")], {"a": "sent", "b": "sent"}, ["1 lost"]),
        ([line("a"), line("b")], {"a": "sent"}, ["2 were due, 1 have an end: {'sent': 1, 'gone': 1}"]),
        (
            [line("a")],
            {"a": "sent", "b": "due"},
            ["2 were due, 1 have an end: {'sent': 1, 'due': 1}", "1 lost"],
        ),
        (
            [line("a"), line("b")],
            {"a": "sent", "b": "expired"},
            ["ended otherwise than may be: {'expired': 1}", "1 arrived but their rows say otherwise"],
        ),
        ([line("a"), line("b"), line("c")], {"a": "sent", "b": "sent"}, ["1 wrongly sent"]),
        ([line("a", at=999.0), line("b")], {"a": "sent", "b": "sent"}, ["1 came before their time"]),
    ],
)
def test_ledger_sees(lines, ends, broken):
    ledger = counted(planned("a", "b"), lines, ends)

    assert [text for text in ledger.broken if text in broken] == broken


def test_what_should_never_go_is_wrongly_sent():
    ledger = counted(planned("a", fates=("cancelled",)), [line("a")], {"a": "sent"})

    assert ledger.wrongly_sent == 1
    assert "1 wrongly sent" in ledger.broken


def test_copies_count_and_refusals_do_not():
    lines = [line("a", "taken-cut"), line("a"), line("a", "copy-dropped"), line("b", "refused-550")]
    ledger = counted(planned("a", "b", fates=("sent", "failed")), lines, {"a": "sent", "b": "failed"})

    assert (ledger.sent_unique, ledger.extra_copies, ledger.failed, ledger.lost) == (1, 1, 1, 0)
    assert ledger.broken == []


def test_control_is_as_wished_when_it_fails():
    ledger = Ledger("control", "a guard is off", 1, is_control=True)
    before = ledger.is_as_wished
    ledger.require(False, "copies")

    assert (before, ledger.is_as_wished) == (False, True)


def test_trials_are_summed_and_the_worst_time_kept():
    first, second = Ledger("F00", "x", 1, due=5, late_max=2.0), Ledger("F00", "x", 2, due=7, late_max=9.0)
    second.require(False, "1 lost")

    found = join([first, second])

    assert (found.due, found.late_max, found.trials, found.broken) == (12, 9.0, 2, ["seed 2: 1 lost"])


def test_table_has_a_row_for_each_run_and_sums_leave_controls_out():
    ledgers = [Ledger("F00", "x", 1, due=1200), Ledger("control", "y", 1, due=5, lost=5, is_control=True)]

    assert len(table(ledgers).splitlines()) == 4
    assert sum_of(ledgers).startswith("0 lost and 0 wrongly sent in 1,200 due messages over 1 runs;")


def test_line_that_is_still_being_written_is_left_out(tmp_path):
    file = tmp_path / "log"
    file.write_text("1.0\t2.0\t<a@x>\tclient.1@example.com\ttaken\n3.0\t4.0\t<b@x>\tcli", encoding="utf-8")

    assert [one.code for one in read_lines(file)] == ["a"]


def test_clock_runs_as_fast_as_it_is_told():
    assert CLOCK.of(1006.0) - PEAK == timedelta(minutes=1)
    assert RunClock.read(CLOCK.written()) == CLOCK


def test_application_never_reaches_the_faults():
    apps = (
        "api",
        "audit",
        "clients",
        "clinics",
        "config",
        "courses",
        "portal",
        "reminders",
        "reports",
        "staff",
    )
    files = [path for app in apps for path in (ROOT / app).rglob("*.py")]

    found = [str(path.relative_to(ROOT)) for path in files if "faults" in imported(path)]

    assert len(files) > 100
    assert found == []


def imported(path):
    """Return the top-level packages that a file imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


def test_run_is_read_as_it_was_written(tmp_path):
    ledger = Ledger(
        "control: claim off", "x", 3, due=5, notes=["n"], versions={"python": "3"}, is_control=True
    )

    write_json(ledger, tmp_path)

    assert read_json("control: claim off", tmp_path) == ledger
    assert read_json("F99", tmp_path) is None


def test_page_gets_the_table_between_its_marks(tmp_path, monkeypatch):
    page = tmp_path / "page.md"
    monkeypatch.setattr(publish, "_PAGE", page)
    page.write_text(f"before\n{publish._BEGIN}\nold\n{publish._END}\nafter\n", encoding="utf-8")
    ledger = Ledger("F00", "x", 1, due=4, versions={"python": "3"}, played_on="2026-03-02")

    publish.publish([ledger])
    publish.publish([ledger])

    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert text.count("| F00 |") == 1
    assert "Played on 2026-03-02 with python 3." in text
