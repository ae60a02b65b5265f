"""Measure: python -m bench [name ...] [--size small|default|full]. Prints a table of ratios, writes var/bench.json."""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import import_module

from bench.harness import SIZES, Figure, Measure, load, table, write_results
from bin.steps import ROOT, StepError, say

# In the order in which they run: first what needs no server. Each is a module with measure(size).
BENCHES = ("assess", "plan", "reassess", "tick", "disruption", "dispatch", "morning", "pages", "export")
RESULTS = ROOT / "var" / "bench.json"


def main(arguments: Sequence[str]) -> int:
    """Run the benches asked for, all when none is named; return 1 when one could not be run.

    A goal that is missed is no failure: figures depend on the machine, and the table says so.
    """
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"any of {', '.join(BENCHES)}; else all")
    parser.add_argument("--size", choices=SIZES, default="default")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.names if name not in BENCHES]:
        parser.error(f"there is no bench {unknown[0]}; there are {', '.join(BENCHES)}")
    started_at, load_before = datetime.now(UTC), load()
    figures: list[Figure] = []
    failures: list[str] = []
    for name in options.names or BENCHES:
        say(f"{name} ...")
        measure: Measure = import_module(f"bench.{name}").measure
        try:
            figures += measure(options.size)
        except StepError as error:
            say(f"{name} could not be run: {error}")
            failures.append(name)
        except Exception:
            # What the others measured is worth having all the same.
            say(f"{name} broke off:\n{traceback.format_exc()}")
            failures.append(name)
    say("\n" + table(figures))
    say(f"\nLoad of this machine: {_spoken(load_before)} before, {_spoken(load())} after.")
    write_results(
        RESULTS,
        figures,
        size=options.size,
        started_at=started_at,
        load_before=load_before,
        failures=failures,
    )
    return 1 if failures else 0


def _spoken(values: Sequence[float]) -> str:
    return " ".join(f"{value:.2f}" for value in values) or "unknown"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
