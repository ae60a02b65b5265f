"""A pytest plugin that writes down how a run ended, so that several runs can be summed: --tally=FILE."""

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

SLOW_SECONDS = 0.1
_OUTCOMES = ("passed", "failed", "error", "skipped", "xfailed", "xpassed")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that names the file."""
    parser.addoption(
        "--tally", type=Path, help="write counts, reasons of skips and slow tests to this file as JSON"
    )


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Write the file at the end of the run; with xdist this happens once, in the controller."""
    path: Path | None = config.getoption("tally")
    if path is None:
        return
    stats: dict[str, list[Any]] = terminalreporter.stats
    tally = {
        "counts": {outcome: len(stats.get(outcome, [])) for outcome in _OUTCOMES},
        "skips": [f"{report.nodeid}: {_reason(report)}" for report in stats.get("skipped", [])],
        "slow": list(_unmarked_slow(stats.get("passed", []))),
        "modules": _seconds_by_module(report for name in (*_OUTCOMES, "") for report in stats.get(name, [])),
    }
    path.write_text(json.dumps(tally), encoding="utf-8")


def _reason(report: Any) -> str:
    place = report.longrepr
    return str(place[2] if isinstance(place, tuple) else place).removeprefix("Skipped: ")


def _unmarked_slow(reports: Iterable[Any]) -> Iterable[tuple[str, float]]:
    for report in reports:
        if (
            report.when == "call"
            and report.duration > SLOW_SECONDS
            and not {"slow", "e2e"} & set(report.keywords)
        ):
            yield report.nodeid, round(report.duration, 2)


def _seconds_by_module(reports: Iterable[Any]) -> dict[str, float]:
    # The steps before and after a test are counted among those without an outcome.
    seconds: defaultdict[str, float] = defaultdict(float)
    for report in reports:
        if isinstance(report, pytest.TestReport):
            seconds[report.nodeid.partition("::")[0]] += report.duration
    return {name: round(cost, 2) for name, cost in seconds.items()}
